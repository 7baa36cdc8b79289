import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, readDefaultOrganization } from '../../store/tables/connections.js';
import { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import type { ReplayOptions } from './options.js';

/** Loads the connections of a run. Throws ConfigError when `--connection` names none. */
export async function openDirectory(
  sql: Sql,
  options: Pick<ReplayOptions, 'connection' | 'register'>,
  newId: () => string,
): Promise<ConnectionDirectory> {
  const rows = await readConnections(sql);
  const named = rows.filter((row) => row.name === options.connection || row.id === options.connection);
  if (named.length > 1) {
    throw new ConfigError(`${named.length} connections are named '${options.connection ?? ''}'.`, {
      code: 'connection_ambiguous',
      remedy: `Choose one by its id: ${named.map((row) => row.id).join(', ')}`,
    });
  }
  if (options.connection !== undefined && named.length === 0) {
    const known = rows.map((row) => row.name).join(', ');
    throw new ConfigError(`There is no connection '${options.connection}'.`, {
      code: 'unknown_connection',
      remedy:
        known === ''
          ? remedy('connection add', [], 'creates it')
          : [`Known connections: ${known}.`, remedy('connection add', [], 'creates another')],
    });
  }
  return new ConnectionDirectory(rows, {
    register: options.register,
    fixed: named[0] ?? null,
    defaultOrganizationId: await readDefaultOrganization(sql),
    newId,
  });
}
