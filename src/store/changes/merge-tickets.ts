import { arrayLiteral } from '../array-literal.js';
import { uuid, integer, list, type RowOf, columns, rowsOf, rowOf } from '../columns.js';
import type { Sql, SqlRow } from '../sql.js';

/** A conversation (`id`) whose open tickets are to become one with those of `keptId`; the same one where nothing else moves. */
export interface TicketThread {
  id: string;
  keptId: string;
}

/** What people, or other programs, opened by themselves: such a ticket may be known elsewhere, and is never removed. */
const BY_PEOPLE = (ticket: string): string => `${ticket}.source <> 'incoming_message'`;

/** The order of open tickets that are one, of one conversation: the first stays open. */
const inOrder = (ticket: string): string =>
  `${ticket}.opened_at, ${ticket}.opened_by_external_id collate "C", ${ticket}.id`;

/**
 * Open tickets become one: that which people opened, else that of the conversation that stays, with the earliest opening and
 * the newest last message. What people did with one of them (its stage) is kept. The others go; but what people opened is
 * closed instead, as of its last message, so that no later message counts as one from before a closed ticket (T5).
 * Set-based, one statement; the doubled ones go first, because at most one may be open.
 */
export async function mergeOpenTickets(tx: Sql, threads: readonly TicketThread[]): Promise<void> {
  if (threads.length === 0) return;
  await tx.execute(
    `with thread as (
       select distinct id, kept_id from unnest($1::uuid[], $2::uuid[]) as x (id, kept_id)
     ),
     ranked as (
       select t.*, thread.kept_id,
         row_number() over (
           partition by thread.kept_id
           order by (${BY_PEOPLE('t')}) desc, (t.conversation_id = thread.kept_id) desc, ${inOrder('t')}
         ) as place
       from thread
       cross join lateral (select * from tickets where conversation_id = thread.id and status = 'open' offset 0) t
     ),
     earliest as (
       select distinct on (kept_id) kept_id, opened_at, opened_by_external_id from ranked
       order by kept_id, opened_at, opened_by_external_id collate "C" nulls last
     ),
     others as (
       select kept_id, max(last_inbound_at) as last_inbound_at,
         (array_agg(stage order by last_inbound_at desc nulls last, id) filter (where stage <> 'new'))[1] as stage
       from ranked where place > 1 group by kept_id
     ),
     gone as (
       delete from tickets t using ranked
       where t.id = ranked.id and ranked.place > 1 and not (${BY_PEOPLE('ranked')})
     ),
     closed as (
       update tickets t set status = 'closed', closed_at = greatest(t.opened_at, t.last_inbound_at)
       from ranked where t.id = ranked.id and ranked.place > 1 and ${BY_PEOPLE('ranked')}
     )
     update tickets t set
       -- A ticket that a person opened was opened when that person says.
       opened_at = case when ${BY_PEOPLE('t')} then t.opened_at else earliest.opened_at end,
       opened_by_external_id = case when ${BY_PEOPLE('t')} then t.opened_by_external_id
                                    else coalesce(earliest.opened_by_external_id, t.opened_by_external_id) end,
       last_inbound_at = greatest(t.last_inbound_at, others.last_inbound_at),
       stage = case when t.stage = 'new' then coalesce(others.stage, t.stage) else t.stage end
     from ranked kept
     join earliest on earliest.kept_id = kept.kept_id
     join others on others.kept_id = kept.kept_id
     where t.id = kept.id and kept.place = 1`,
    [arrayLiteral(threads.map((thread) => thread.id)), arrayLiteral(threads.map((thread) => thread.keptId))],
  );
}

const TICKET_GROUP = columns({
  connectionId: uuid,
  leadId: uuid,
  conversationId: uuid,
  ids: list(' '),
  /** How many of them people opened. */
  byPeople: integer,
});

/** Several open tickets of one conversation, that which stays open first; possible where the index is missing. */
export type TicketGroup = RowOf<typeof TICKET_GROUP>;

/** Rows are read by {@link ticketGroupOf}, in the order of their conversations; one pass over the open tickets. */
export function ticketGroups(connectionId: string | null): { text: string; parameters: (string | null)[] } {
  return {
    text: `
      select c.id as conversation_id, c.connection_id, c.lead_id, crowd.ids, crowd.by_people
      from (
        select t.conversation_id,
          string_agg(t.id::text, ' ' order by (${BY_PEOPLE('t')}) desc, ${inOrder('t')}) as ids,
          count(*) filter (where ${BY_PEOPLE('t')})::int as by_people
        from tickets t where t.status = 'open'
        group by t.conversation_id having count(*) > 1
      ) crowd
      join conversations c on c.id = crowd.conversation_id
      where $1::uuid is null or c.connection_id = $1::uuid
      order by c.id`,
    parameters: [connectionId],
  };
}

/** The same group as it is now, of each of these conversations that still has one; for a batch, under its lock. */
export async function readTicketGroups(tx: Sql, conversationIds: readonly string[]): Promise<TicketGroup[]> {
  const rows = await tx.query(
    `select c.id as conversation_id, c.connection_id, c.lead_id, crowd.ids, crowd.by_people
     from unnest($1::uuid[]) as x (id)
     cross join lateral (select * from conversations where id = x.id limit 1) c
     cross join lateral (
       select string_agg(t.id::text, ' ' order by (${BY_PEOPLE('t')}) desc, ${inOrder('t')}) as ids,
         count(*) filter (where ${BY_PEOPLE('t')})::int as by_people
       from tickets t where t.conversation_id = x.id and t.status = 'open'
       having count(*) > 1
     ) crowd
     order by c.id`,
    [arrayLiteral(conversationIds)],
  );
  return rowsOf(TICKET_GROUP, rows);
}

export function ticketGroupOf(row: SqlRow): TicketGroup {
  return rowOf(TICKET_GROUP, row);
}
