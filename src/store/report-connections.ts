import { TICKET_STATUSES, type TicketStatus } from '../model/enumerations.js';
import { uuid, text, time, orNull, named, type RowOf, columns, rowsOf } from './columns.js';
import { textOf, timeOrNull, integerOf, wordOf } from './row.js';
import { arrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';

const CONNECTION_TIMES = columns({
  id: uuid,
  organization: named('slug', text),
  webhookActivatedAt: orNull(time),
  lastSyncAt: orNull(time),
  createdAt: time,
  /** Since when nothing is expected of it any more; null if it is in use. */
  archivedAt: orNull(time),
  /** Of its newest history chunk, when it came (else when it was processed). */
  lastChunkAt: orNull(time),
  firstChunkAt: orNull(time),
});

/** What a connection's own row says besides its state of history. */
export type ConnectionTimes = RowOf<typeof CONNECTION_TIMES>;

export async function readConnectionTimes(sql: Sql): Promise<ConnectionTimes[]> {
  const rows = await sql.query(
    `select c.id, o.slug, c.webhook_activated_at, c.last_sync_at, c.created_at, c.archived_at, h.last_chunk_at, h.first_chunk_at
     from connections c
     join organizations o on o.id = c.organization_id
     left join (
       select connection_id, max(coalesce(received_at, processed_at)) as last_chunk_at, min(received_at) as first_chunk_at
       from history_chunks group by connection_id
     ) h on h.connection_id = c.id`,
  );
  return rowsOf(CONNECTION_TIMES, rows);
}

/**
 * Conversations and leads per connection. A lead belongs to every connection that it has a conversation on; one without any
 * (an address-book entry) to the connection that brought it, which its initial_contact log names.
 */
export async function countPeople(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<Map<string, { conversations: number; leads: number }>> {
  const rows = await sql.query(
    `select c.id, coalesce(talking.count, 0) as conversations, coalesce(talking.count, 0) + coalesce(silent.count, 0) as leads
     from connections c
     left join (
       select connection_id, count(*) as count from conversations
       where connection_id = any($1::uuid[]) group by connection_id
     ) talking on talking.connection_id = c.id
     left join (
       select s.connection_id, count(distinct s.lead_id) as count from sync_logs s
       where s.sync_type = 'initial_contact' and s.lead_id is not null and s.connection_id = any($1::uuid[])
         and not exists (
           select from conversations v where v.lead_id = s.lead_id and v.connection_id = s.connection_id
         )
       group by s.connection_id
     ) silent on silent.connection_id = c.id
     where c.id = any($1::uuid[])`,
    [arrayLiteral(connectionIds)],
  );
  return new Map(
    rows.map((row) => [
      textOf(row, 'id'),
      { conversations: integerOf(row, 'conversations'), leads: integerOf(row, 'leads') },
    ]),
  );
}

export async function countTickets(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<{ connectionId: string; status: TicketStatus; count: number }[]> {
  const rows = await sql.query(
    `select c.connection_id, t.status, count(*) as count
     from tickets t join conversations c on c.id = t.conversation_id
     where c.connection_id = any($1::uuid[]) group by 1, 2`,
    [arrayLiteral(connectionIds)],
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    status: wordOf(row, 'status', TICKET_STATUSES),
    count: integerOf(row, 'count'),
  }));
}

export interface PendingFactGroup {
  connectionId: string;
  count: number;
  /** Those that were stored before the moment given, and when the first and the last of them were. */
  old: { count: number; firstAt: number | null; lastAt: number | null };
}

export async function readPendingFactGroups(sql: Sql, oldBefore: number): Promise<PendingFactGroup[]> {
  const rows = await sql.query(
    `select connection_id, count(*) as count,
       count(*) filter (where created_at < $1::timestamptz) as old, min(created_at) as first_at,
       max(created_at) filter (where created_at < $1::timestamptz) as last_at
     from pending_facts group by connection_id`,
    [new Date(oldBefore).toISOString()],
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    count: integerOf(row, 'count'),
    old: {
      count: integerOf(row, 'old'),
      firstAt: timeOrNull(row, 'first_at'),
      lastAt: timeOrNull(row, 'last_at'),
    },
  }));
}

/** Ids of the connections of which nothing is expected any more. */
export async function readArchivedConnections(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(`select id from connections where archived_at is not null`);
  return new Set(rows.map((row) => textOf(row, 'id')));
}
