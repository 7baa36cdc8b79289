import { TICKET_STATUSES, type TicketStatus } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import { uuid, orNull, type RowOf, columns, rowsOf, integer } from '../columns.js';
import { textOf, timeOrNull, integerOf, wordOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';

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

const CREATED_BY_RUN = columns({
  runId: uuid,
  connectionId: orNull(uuid),
  created: integer,
});

/** How many messages a run created: on one connection where it says so, else (killed before its end) altogether. */
export type CreatedByRun = RowOf<typeof CREATED_BY_RUN>;

/**
 * What every run says that it created. The total is written with each batch, in its transaction; the parts of each connection
 * at the end of the run, so a killed run has none.
 */
export async function readCreatedByRuns(sql: Sql): Promise<CreatedByRun[]> {
  const rows = await sql.query(
    `with parts as (
       select run_id, connection_id, sum((counters ->> 'created')::bigint)::bigint as created
       from sync_logs
       where lead_id is null and sync_type <> 'initial_contact' and counters ? 'created'
       group by run_id, connection_id
     )
     select run_id, connection_id, created from parts
     union all
     select r.id, null, (r.counters -> 'messages' ->> 'created')::bigint
     from sync_runs r
     where r.counters -> 'messages' ? 'created' and not exists (select from parts p where p.run_id = r.id)`,
  );
  return rowsOf(CREATED_BY_RUN, rows);
}

/** Messages that were removed and are in the journal (merged by dedupe), per connection. */
export async function countJournaledRemovals(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select before ->> 'connection_id' as connection_id, count(*) as count
     from change_journal
     where table_name = 'messages' and before ? 'connection_id' and after is null
     group by 1`,
  );
  return new Map(
    rows.flatMap((row): [string, number][] => {
      const id = textOrNull(row, 'connection_id');
      return id === null ? [] : [[id, integerOf(row, 'count')]];
    }),
  );
}
