import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { readConnections } from '../../store/tables/connections.js';
import { hasStoredEntries } from '../../store/tables/stored-entries.js';
import type { Context } from '../../context.js';

/**
 * Throws ConfigError (`no_connections`) where there is nothing that could be reconciled: a green verdict on a database
 * without a connection would hide that it is the wrong one. With `register`, stored entries may still create some.
 */
export async function assertConnections({ store }: Context, register: boolean): Promise<void> {
  if ((await readConnections(store.sql)).length > 0) return;
  if (register && (await hasStoredEntries(store.sql))) return;
  throw new ConfigError(`There is no connection in ${store.location}, so there is nothing to reconcile.`, {
    code: 'no_connections',
    remedy: [
      'If that is not the database you mean: set DATABASE_URL, or give --home DIR or --database-url-file FILE.',
      remedy('replay', ['LOG', '--register'], 'imports a log, and creates the connections that it names'),
      remedy('connection add', [], 'adds a connection'),
    ],
  });
}
