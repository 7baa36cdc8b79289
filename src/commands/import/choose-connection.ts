import { ConfigError } from '../../model/errors.js';
import { readConversationsOfLead } from '../../store/queries/message-pages.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, type ConnectionRow } from '../../store/tables/connections.js';
import { readLinkedConnections } from '../../store/tables/linked-devices.js';
import type { Subject } from './subject.js';

/** The connection that an import works on. */
interface Chosen {
  connection: ConnectionRow | null;
  /** Whether a device of the tool is linked to it. */
  isLinked: boolean;
}

/**
 * The connection over which a contact's phone can be asked: the one that was named; else the linked one among those that
 * the contact wrote to; else, for somebody unknown, the only linked one. Where none is linked, the one to link.
 * Throws ConfigError when several could be meant.
 */
export async function chooseConnection(
  sql: Sql,
  { lead, typed }: Subject,
  namedId: string | undefined,
): Promise<Chosen> {
  const rows = await readConnections(sql);
  const linked = await readLinkedConnections(sql);
  const choose = (connection: ConnectionRow | undefined): Chosen => ({
    connection: connection ?? null,
    isLinked: connection !== undefined && linked.has(connection.id),
  });
  if (namedId !== undefined) return choose(rows.find(({ id }) => id === namedId));
  const visited = lead === null ? [] : await readConversationsOfLead(sql, lead.leadId);
  const own = rows.filter(({ id }) => visited.some(({ connectionId }) => connectionId === id));
  const candidates = own.length > 0 ? own : rows;
  const able = candidates.filter(({ id }) => linked.has(id));
  if (able.length > 1) throw ambiguous(typed, able);
  if (able.length === 1) return choose(able[0]);
  return choose(candidates.find(({ kind }) => kind !== 'cloud_api') ?? candidates[0]);
}

function ambiguous(typed: string, able: readonly ConnectionRow[]): ConfigError {
  return new ConfigError(`${able.length} connections could be asked about '${typed}'.`, {
    code: 'connection_ambiguous',
    remedy: `Say which with --connection: ${able.map(({ name }) => name).join(', ')}`,
  });
}
