import { amount } from '../../model/amount.js';
import { readSealed } from '../../store/queries/sealed.js';
import type { Sql } from '../../store/sql.js';
import { sealedThing } from '../devices/sealed-things.js';
import { fail, listed, ok, warn, type DoctorOptions, type Found } from './types.js';

/**
 * Whether the secret key is the one that tokens, devices and URLs are sealed with, without opening them. Null if nothing
 * is sealed, and without a key: most commands need none.
 */
export async function checkSecrets(sql: Sql, key: DoctorOptions['secretKey']): Promise<Found | null> {
  if (key === null) return null;
  const rows = await readSealed(sql);
  if (rows.length === 0) return null;
  if (key instanceof Error) return fail(key.message, key.remedy);
  const foreign = rows.filter(({ sealed }) => !key.hasSealed(sealed));
  const things = foreign.map(sealedThing);
  const [first] = things;
  if (first === undefined) {
    return ok(
      `${amount(rows.length, 'stored secret is', 'stored secrets are')} encrypted with the secret key`,
    );
  }
  const names = listed(things.map(({ noun }) => noun.charAt(0).toLowerCase() + noun.slice(1)));
  const opens =
    foreign.length === rows.length ? 'opens nothing that is stored' : 'is not the one of everything';
  return warn(`the secret key ${opens}: ${names}`, first.whenLost);
}
