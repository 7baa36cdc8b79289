import type { Context } from '../../context.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, readDefaultOrganization } from '../../store/tables/connections.js';
import { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { findConnectionIn } from '../connections/find.js';
import { openErased } from '../contacts/erased-people.js';
import type { ReplayOptions } from './options.js';

/**
 * Loads the connections of a run, and, for one that brings entries from outside, whom to leave out of them. Throws ConfigError if
 * `--connection` matches none or several, and if people were erased and the secret key cannot tell who.
 */
export async function openDirectory(
  sql: Sql,
  options: Pick<ReplayOptions, 'connection' | 'register'>,
  newId: () => string,
  outside: Pick<Context, 'secretKey'> | null,
): Promise<ConnectionDirectory> {
  const { connection, register } = options;
  const only = connection === undefined ? undefined : (await findConnectionIn(sql, connection)).id;
  const rows = await readConnections(sql);
  return new ConnectionDirectory(rows, {
    register,
    fixed: rows.find(({ id }) => id === only) ?? null,
    defaultOrganizationId: await readDefaultOrganization(sql),
    newId,
    erased: outside === null ? null : await openErased(sql, outside.secretKey),
  });
}
