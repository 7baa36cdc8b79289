import { arrayLiteral } from '../array-literal.js';
import { columns, orNull, rowsOf, uuid, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';
import { readTicketsIn, type TicketRow } from '../tables/tickets.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/**
 * Where the ticket `t` belongs, as `home`: `id`, `lead_id`, `connection_id`; null if nothing says so. A ticket belongs to its
 * conversation's lead. If another conversation of the ticket's lead holds the message that opened it, the ticket was moved: back to
 * that one. One column alone proves nothing: the message counts if the ticket's lead or its opening time agrees with it.
 */
function homeOf(cameLive: string): string {
  return `
    -- Where its messages agree with the ticket, the conversation was given to another lead, and not the ticket.
    left join conversations own on own.id = t.conversation_id and (
      own.lead_id = t.lead_id
      or not exists (select from messages told where told.conversation_id = own.id and told.lead_id = t.lead_id)
    )
    left join lateral (
      select c.id, c.lead_id, c.connection_id
      from connections n
      join messages m on m.connection_id = n.id and m.external_id = t.opened_by_external_id
        and m.direction = 'INBOUND' and ${cameLive}
      join conversations c on c.id = m.conversation_id
      where t.source = 'incoming_message' and c.lead_id = t.lead_id and c.id <> t.conversation_id
        and (own.id is null or own.lead_id <> t.lead_id or m.timestamp = t.opened_at)
        and not exists (
          select from messages held
          where held.connection_id = own.connection_id and held.external_id = t.opened_by_external_id
            and held.conversation_id = own.id
        )
      order by c.id limit 1
    ) opener on true
    cross join lateral (
      select coalesce(opener.id, own.id) as id, coalesce(opener.lead_id, own.lead_id) as lead_id,
        coalesce(opener.connection_id, own.connection_id) as connection_id
    ) home`;
}

const IS_ELSEWHERE = `home.id is not null and (t.conversation_id, t.lead_id) is distinct from (home.id, home.lead_id)
  and exists (select from leads l where l.id = home.lead_id)`;

/** Opened by a message, and never touched by a person since. */
const isUntouched = (ticket: string): string =>
  `(${ticket}.source = 'incoming_message' and ${ticket}.stage = 'new')`;

/**
 * The tickets that are not where they belong. Where another open ticket has their place, one that nobody has touched `goes`: it
 * was opened because the other one was away. Without one, nothing can be corrected, and the ticket is not among these.
 */
export function misplacedTickets(cameLive: string): string {
  return `
    select t.id, home.connection_id, t.conversation_id as from_conversation_id, own.lead_id as from_lead_id,
      home.id as conversation_id, home.lead_id, t.opened_at,
      case when other.id is null then null when other.is_spare then other.id else t.id end as goes
    from tickets t ${homeOf(cameLive)}
    left join lateral (
      select k.id, k.lead_id, ${isUntouched('k')} and k.lead_id = home.lead_id as is_spare
      from tickets k
      where t.status = 'open' and home.id <> t.conversation_id and k.conversation_id = home.id and k.status = 'open'
      limit 1
    ) other on true
    where ${IS_ELSEWHERE}
      and (other.id is null or other.is_spare or (${isUntouched('t')} and other.lead_id = home.lead_id))`;
}

const MISPLACED = columns({
  id: uuid,
  fromConversationId: uuid,
  conversationId: uuid,
  leadId: uuid,
  /** The ticket to delete: it, or the one in its place. */
  goes: orNull(uuid),
});

type MisplacedTicket = RowOf<typeof MISPLACED>;

/** The first tickets that are not where they belong; one for each conversation that they belong to. */
export async function readMisplacedTickets(
  tx: Sql,
  scope: Scope,
  cameLive: string,
  limit: number,
): Promise<MisplacedTicket[]> {
  const rows = await tx.query(
    `select distinct on (conversation_id) id, from_conversation_id, conversation_id, lead_id, goes
     from (${misplacedTickets(cameLive)}) misplaced
     where ${inScope('connection_id')} and ${sinceScope('opened_at')}
     order by conversation_id, id limit $3::int`,
    [...scopeParameters(scope), limit],
  );
  return rowsOf(MISPLACED, rows);
}

/** Puts tickets where they belong. Returns the number of rows changed. */
export async function placeTickets(tx: Sql, misplaced: readonly MisplacedTicket[]): Promise<number> {
  const deleted = await tx.execute('delete from tickets where id = any($1::uuid[])', [
    arrayLiteral(misplaced.flatMap(({ goes }) => goes ?? [])),
  ]);
  const moved = await tx.execute(
    `update tickets t set conversation_id = r.conversation_id, lead_id = r.lead_id
     from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as r (id, conversation_id, lead_id)
     where t.id = r.id`,
    [
      arrayLiteral(misplaced.map(({ id }) => id)),
      arrayLiteral(misplaced.map(({ conversationId }) => conversationId)),
      arrayLiteral(misplaced.map(({ leadId }) => leadId)),
    ],
  );
  return deleted + moved;
}

/** All tickets that are or belong with these leads, each as it is where it belongs. */
export async function readTicketsAtHome(
  tx: Sql,
  leadIds: readonly string[],
  cameLive: string,
): Promise<TicketRow[]> {
  return readTicketsIn(
    tx,
    `(
      select t.*, coalesce(home.id, t.conversation_id) as home_id, coalesce(home.lead_id, t.lead_id) as home_lead_id
      from (
        select * from tickets where lead_id = any($1::uuid[])
        union
        select theirs.* from conversations c join tickets theirs on theirs.conversation_id = c.id
        where c.lead_id = any($1::uuid[])
      ) t ${homeOf(cameLive)}
    )`,
    leadIds,
  );
}
