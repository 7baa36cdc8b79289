import {
  TICKET_ORIGINS,
  TICKET_SOURCES,
  TICKET_STATUSES,
  type TicketOrigin,
  type TicketSource,
  type TicketStatus,
} from '../model/enumerations.js';
import { arrayLiteral } from './array-literal.js';
import { columnNames, time, unnestFound, unnestParameters, unnestTable, type Column } from './columns.js';
import { textOf, textOrNull, timeOf, timeOrNull, wordOf } from './row.js';
import type { Sql, SqlRow } from './sql.js';

export interface TicketRow {
  id: string;
  conversationId: string;
  leadId: string;
  source: TicketSource;
  originatedFrom: TicketOrigin;
  status: TicketStatus;
  messageWindowExpiresAt: number | null;
  openedByExternalId: string | null;
  openedAt: number;
  lastInboundAt: number | null;
  closedAt: number | null;
}

const COLUMNS: readonly Column<TicketRow>[] = [
  { name: 'id', type: 'uuid', of: (row) => row.id },
  { name: 'conversation_id', type: 'uuid', of: (row) => row.conversationId },
  { name: 'lead_id', type: 'uuid', of: (row) => row.leadId },
  { name: 'source', type: 'text', of: (row) => row.source },
  { name: 'originated_from', type: 'text', of: (row) => row.originatedFrom },
  { name: 'status', type: 'text', of: (row) => row.status },
  { name: 'message_window_expires_at', type: 'timestamptz', of: (row) => time(row.messageWindowExpiresAt) },
  { name: 'opened_by_external_id', type: 'text', of: (row) => row.openedByExternalId },
  { name: 'opened_at', type: 'timestamptz', of: (row) => time(row.openedAt) },
  { name: 'last_inbound_at', type: 'timestamptz', of: (row) => time(row.lastInboundAt) },
  { name: 'closed_at', type: 'timestamptz', of: (row) => time(row.closedAt) },
];

const CHANGING = COLUMNS.filter((column) =>
  [
    'originated_from',
    'message_window_expires_at',
    'opened_by_external_id',
    'opened_at',
    'last_inbound_at',
  ].includes(column.name),
);

/**
 * A ticket that a person closed meanwhile is the past: it is not touched (T5). Written so that no planner answers it from
 * the partial index of open tickets, which knows nothing of ids.
 */
const STILL_OPEN = `status || '' = 'open'`;

/** All tickets of the given leads, open and closed: a ticket's origin depends on the ones before it (T4). */
export async function readTicketsOfLeads(tx: Sql, leadIds: readonly string[]): Promise<TicketRow[]> {
  if (leadIds.length === 0) return [];
  const rows = await tx.query(`select ${columnNames(COLUMNS)} from tickets where lead_id = any($1::uuid[])`, [
    arrayLiteral(leadIds),
  ]);
  return rows.map(ticketOf);
}

export async function readTicketsOfConversations(
  tx: Sql,
  conversationIds: readonly string[],
): Promise<TicketRow[]> {
  if (conversationIds.length === 0) return [];
  const rows = await tx.query(
    `select ${columnNames(COLUMNS)} from tickets where conversation_id = any($1::uuid[])`,
    [arrayLiteral(conversationIds)],
  );
  return rows.map(ticketOf);
}

function ticketOf(row: SqlRow): TicketRow {
  return {
    id: textOf(row, 'id'),
    conversationId: textOf(row, 'conversation_id'),
    leadId: textOf(row, 'lead_id'),
    source: wordOf(row, 'source', TICKET_SOURCES),
    originatedFrom: wordOf(row, 'originated_from', TICKET_ORIGINS),
    status: wordOf(row, 'status', TICKET_STATUSES),
    messageWindowExpiresAt: timeOrNull(row, 'message_window_expires_at'),
    openedByExternalId: textOrNull(row, 'opened_by_external_id'),
    openedAt: timeOf(row, 'opened_at'),
    lastInboundAt: timeOrNull(row, 'last_inbound_at'),
    closedAt: timeOrNull(row, 'closed_at'),
  };
}

export async function insertTickets(tx: Sql, rows: readonly TicketRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into tickets (${columnNames(COLUMNS)}) select r.* from ${unnestTable(COLUMNS)}`,
    unnestParameters(COLUMNS, rows),
  );
}

export async function updateTickets(tx: Sql, rows: readonly TicketRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `update tickets set ${CHANGING.map((column) => `${column.name} = r.${column.name}`).join(', ')}
     from ${unnestFound('tickets', COLUMNS, { condition: STILL_OPEN })}
     where tickets.id = r.found_id
       and (${CHANGING.map((column) => `tickets.${column.name}`).join(', ')})
           is distinct from (${CHANGING.map((column) => `r.${column.name}`).join(', ')})`,
    unnestParameters(COLUMNS, rows),
  );
}

/** Removes tickets whose only message was another conversation's; journaled, so that `undo` can put them back. */
export async function deleteTickets(tx: Sql, runId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, before)
     select $2::uuid, 'tickets', jsonb_build_object('id', t.id), to_jsonb(t) from tickets t where t.id = any($1::uuid[])`,
    [arrayLiteral(ids), runId],
  );
  await tx.execute(`delete from tickets where id = any($1::uuid[])`, [arrayLiteral(ids)]);
}

/** The live inbound messages that conversations still hold since their last closed ticket: first by time and id, and last. */
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

/** Tickets name the message that opened them; when it gets its wamid, they follow (M10). */
export async function renameTicketOpeners(
  tx: Sql,
  renames: readonly { conversationId: string; from: string; to: string }[],
): Promise<void> {
  if (renames.length === 0) return;
  // By conversation, where the index is: by id alone, every batch of renames would read all tickets.
  await tx.execute(
    `update tickets t set opened_by_external_id = r.new_id
     from unnest($1::uuid[], $2::text[], $3::text[]) as r (conversation_id, old_id, new_id)
     cross join lateral (
       select id from tickets c
       where c.conversation_id = r.conversation_id and c.opened_by_external_id = r.old_id offset 0
     ) found
     where t.id = found.id`,
    [
      arrayLiteral(renames.map((rename) => rename.conversationId)),
      arrayLiteral(renames.map((rename) => rename.from)),
      arrayLiteral(renames.map((rename) => rename.to)),
    ],
  );
}
