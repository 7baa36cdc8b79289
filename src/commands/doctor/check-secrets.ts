import { amount } from '../../model/amount.js';
import { adviceWhenDamaged } from '../../model/secrets.js';
import { readSealed, type SealedRow } from '../../store/queries/sealed.js';
import type { Sql } from '../../store/sql.js';
import { isDamaged, sealedThing } from '../devices/sealed-things.js';
import { fail, listed, ok, warn, type DoctorOptions, type Found } from './types.js';

/**
 * Whether the secret key opens the tokens, devices and URLs that are stored. Null if nothing is sealed, and without a key:
 * most commands need none.
 */
export async function checkSecrets(sql: Sql, key: DoctorOptions['secretKey']): Promise<Found | null> {
  if (key === null) return null;
  const rows = await readSealed(sql);
  if (rows.length === 0) return null;
  if (key instanceof Error) return fail(key.message, key.remedy);
  const foreign = rows.filter(({ sealed }) => key.isForeign(sealed));
  const damaged = rows.filter((row) => !key.isForeign(row.sealed) && isDamaged(row, key));
  const [worst] = damaged;
  if (worst !== undefined) {
    const also = foreign.length === 0 ? '' : `; it is not the key of ${namesOf(foreign)}`;
    return fail(
      `damaged, or copied from another row, so that the secret key does not open it: ${namesOf(damaged)}${also}`,
      adviceWhenDamaged(sealedThing(worst)),
    );
  }
  const [first] = foreign;
  if (first === undefined) {
    return ok(
      `${amount(rows.length, 'stored secret is', 'stored secrets are')} encrypted with the secret key`,
    );
  }
  const opens =
    foreign.length === rows.length ? 'opens nothing that is stored' : 'is not the one of everything';
  return warn(`the secret key ${opens}: ${namesOf(foreign)}`, sealedThing(first).whenLost);
}

function namesOf(rows: readonly SealedRow[]): string {
  return listed(rows.map(sealedThing).map(({ noun }) => noun.charAt(0).toLowerCase() + noun.slice(1)));
}
