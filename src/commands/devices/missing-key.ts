import { ConfigError } from '../../model/errors.js';
import { adviceList } from '../../model/remedy.js';
import { readSealed } from '../../store/queries/sealed.js';
import type { Sql } from '../../store/sql.js';
import { missingErasedKey } from '../contacts/erased-people.js';
import { sealedThing } from './sealed-things.js';
import { missingSecretKey } from './secret-key.js';

/**
 * For work that needs a key when none is given, and whose database may have had one: all that is sealed is of one key (G1), so that a new
 * one would open nothing of it, and not know whom was erased.
 */
export async function missingKeyOf(sql: Sql, what?: string): Promise<ConfigError> {
  const sealed = await readSealed(sql);
  const [first] = sealed;
  if (first === undefined) return missingSecretKey(what);
  // A new key would tell nobody of them, for good.
  if (sealed.some(({ kind }) => kind === 'erased')) return missingErasedKey();
  const { noun, whenLost } = sealedThing(first);
  return new ConfigError(
    `A secret key is required, and this database has one already. ${noun} opens with no other.`,
    {
      code: 'secret_key_missing',
      remedy: [
        'Set WA_RECONCILE_SECRET_KEY to the key that this database was used with, or WA_RECONCILE_SECRET_KEY_FILE to a file that contains it.',
        ...adviceList(whenLost),
      ],
      inProgram: 'Give createContext the secretKey that this database was used with.',
    },
  );
}
