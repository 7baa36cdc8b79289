import { TICKET_SOURCES, TICKET_ORIGINS, TICKET_STATUSES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  uuid,
  text,
  time,
  word,
  orNull,
  type RowOf,
  columns,
  columnNames,
  only,
  rowsOf,
  without,
  insertRows,
  updateRows,
  readByIds,
} from '../columns.js';
import { textOf, textOrNull, timeOrNull } from '../row.js';
import type { Sql } from '../sql.js';

const COLUMNS = columns({
  id: uuid,
  conversationId: uuid,
  leadId: uuid,
  source: word(TICKET_SOURCES),
  originatedFrom: word(TICKET_ORIGINS),
  status: word(TICKET_STATUSES),
  messageWindowExpiresAt: orNull(time),
  openedByExternalId: orNull(text),
  openedAt: time,
  lastInboundAt: orNull(time),
  closedAt: orNull(time),
});

export type TicketRow = RowOf<typeof COLUMNS>;

const CHANGING = only(
  COLUMNS,
  'originatedFrom',
  'messageWindowExpiresAt',
  'openedByExternalId',
  'openedAt',
  'lastInboundAt',
);

/**
 * A ticket that a person closed meanwhile is the past: leave it alone (T5). Written so that no planner uses the partial
 * index of open tickets, which lacks the ids.
 */
const STILL_OPEN = `status || '' = 'open'`;

/** All tickets of the given leads, open and closed: a ticket's origin depends on the ones before it (T4). */
export async function readTicketsOfLeads(tx: Sql, leadIds: readonly string[]): Promise<TicketRow[]> {
  return readByIds(tx, 'tickets', COLUMNS, 'lead_id', leadIds);
}

/** The tickets that a query gives, with `home_id` and `home_lead_id` for their conversation and lead; `$1`: the leads. */
export async function readTicketsIn(
  tx: Sql,
  query: string,
  leadIds: readonly string[],
): Promise<TicketRow[]> {
  const others = without(COLUMNS, 'conversationId', 'leadId');
  const rows = await tx.query(
    `select ${columnNames(others, 'x')}, x.home_id as conversation_id, x.home_lead_id as lead_id from ${query} x`,
    [arrayLiteral(leadIds)],
  );
  return rowsOf(COLUMNS, rows);
}

export async function readTicketsOfConversations(
  tx: Sql,
  conversationIds: readonly string[],
): Promise<TicketRow[]> {
  return readByIds(tx, 'tickets', COLUMNS, 'conversation_id', conversationIds);
}

export async function insertTickets(tx: Sql, rows: readonly TicketRow[]): Promise<number> {
  return insertRows(tx, 'tickets', COLUMNS, rows);
}

export async function updateTickets(tx: Sql, rows: readonly TicketRow[]): Promise<number> {
  return updateRows(tx, 'tickets', COLUMNS, CHANGING, rows, { condition: STILL_OPEN });
}

/** Removes tickets whose only message belonged to another conversation; journaled, so that `undo` can restore them. */
export async function deleteTickets(tx: Sql, runId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, before)
     select $2::uuid, 'tickets', jsonb_build_object('id', t.id), to_jsonb(t) from tickets t where t.id = any($1::uuid[])`,
    [arrayLiteral(ids), runId],
  );
  await tx.execute(`delete from tickets where id = any($1::uuid[])`, [arrayLiteral(ids)]);
}

/** Condition on a message: it is not of a run that was to open no tickets. */
export const OPENS_TICKETS = `(run_id in (select id from sync_runs where options ->> 'tickets' = 'none')) is not true`;

/** The live inbound messages left in conversations since their last closed ticket: first by time and id, and last. */
export async function readRemainingInbound(
  tx: Sql,
  conversationIds: readonly string[],
  cameLive: string,
): Promise<
  { conversationId: string; first: { externalId: string; timestamp: number } | null; lastAt: number | null }[]
> {
  if (conversationIds.length === 0) return [];
  const rows = await tx.query(
    `select c.id, due.first_id, due.first_at, due.last_at
     from unnest($1::uuid[]) as c (id)
     left join lateral (
       select (array_agg(m.external_id order by m.timestamp, m.external_id))[1] as first_id,
         min(m.timestamp) as first_at, max(m.timestamp) as last_at
       from messages m
       where m.conversation_id = c.id and m.direction = 'INBOUND' and ${cameLive}
         and m.timestamp > coalesce((select max(t.closed_at) from tickets t where t.conversation_id = c.id), '-infinity')
     ) due on true`,
    [arrayLiteral(conversationIds)],
  );
  return rows.map((row) => {
    const externalId = textOrNull(row, 'first_id');
    const timestamp = timeOrNull(row, 'first_at');
    return {
      conversationId: textOf(row, 'id'),
      first: externalId === null || timestamp === null ? null : { externalId, timestamp },
      lastAt: timeOrNull(row, 'last_at'),
    };
  });
}
