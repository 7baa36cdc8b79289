import type { Sql } from '../../store/sql.js';
import { readConnections, readDefaultOrganization } from '../../store/tables/connections.js';
import { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { findConnectionIn } from '../connections/find.js';
import type { ReplayOptions } from './options.js';

/** Loads the connections of a run. Throws ConfigError if `--connection` matches none or several. */
export async function openDirectory(
  sql: Sql,
  options: Pick<ReplayOptions, 'connection' | 'register'>,
  newId: () => string,
): Promise<ConnectionDirectory> {
  const { connection, register } = options;
  const only = connection === undefined ? undefined : (await findConnectionIn(sql, connection)).id;
  const rows = await readConnections(sql);
  return new ConnectionDirectory(rows, {
    register,
    fixed: rows.find(({ id }) => id === only) ?? null,
    defaultOrganizationId: await readDefaultOrganization(sql),
    newId,
  });
}
