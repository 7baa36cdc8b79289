import { LEAD_SOURCES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import { columns, uuid, word, orNull, text, time, type RowOf, rowsOf, streamRowsOf } from '../columns.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

const OPEN_TICKET = columns({
  id: uuid,
  connectionId: uuid,
  leadId: uuid,
  conversationId: uuid,
  leadSource: word(LEAD_SOURCES),
  openedByExternalId: orNull(text),
  openedAt: time,
  lastInboundAt: orNull(time),
  /** When the message came that it names, if that is a live inbound one of its conversation. */
  openerAt: orNull(time),
  /** The newest live inbound message of the conversation. */
  newestAt: orNull(time),
});

/** An open ticket that replay opened and nobody has taken on yet, with what the messages say about it. Times are ms since 1970. */
export type OpenTicket = RowOf<typeof OPEN_TICKET>;

/**
 * Open tickets of `incoming_message` in the stage in which replay leaves them: what people or other programs opened or moved
 * follows rules of theirs.
 */
const FOLLOWING = `t.status = 'open' and t.source = 'incoming_message' and t.stage = 'new'`;

function openTickets(cameLive: string, condition: string): string {
  return `
    select t.id, c.connection_id, t.lead_id, t.conversation_id, l.source as lead_source, t.opened_by_external_id, t.opened_at,
      t.last_inbound_at,
      (select m.timestamp from messages m
       where m.connection_id = c.connection_id and m.external_id = t.opened_by_external_id
         and m.conversation_id = t.conversation_id and m.direction = 'INBOUND' and ${cameLive} limit 1) as opener_at,
      (select m.timestamp from messages m
       where m.conversation_id = t.conversation_id and m.direction = 'INBOUND' and ${cameLive}
       order by m.timestamp desc limit 1) as newest_at
    from tickets t
    join conversations c on c.id = t.conversation_id
    join leads l on l.id = t.lead_id
    where ${FOLLOWING} and ${inScope('c.connection_id')} and ${sinceScope('coalesce(t.last_inbound_at, t.opened_at)')}
      and ${condition}`;
}

/** The tickets that follow the rules, all of a lead's one after the other. `cameLive`: condition on messages.evidence. */
export function streamOpenTickets(
  tx: Sql,
  scope: Scope,
  cameLive: string,
): AsyncGenerator<OpenTicket[], void, undefined> {
  return streamRowsOf(
    tx,
    OPEN_TICKET,
    `${openTickets(cameLive, 'true')} order by t.lead_id, t.id`,
    scopeParameters(scope),
  );
}

/** The next leads with such tickets, in the order of their ids; empty when there is no more. */
export async function readTicketLeads(tx: Sql, afterLead: string | null, leads: number): Promise<string[]> {
  const rows = await tx.query(
    `select distinct t.lead_id from tickets t
     where ${FOLLOWING} and t.lead_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
     order by t.lead_id limit $2::int`,
    [afterLead, leads],
  );
  return rows.map((row) => textOf(row, 'lead_id'));
}

/** The tickets of these leads that follow the rules. */
export async function readOpenTickets(
  tx: Sql,
  scope: Scope,
  cameLive: string,
  leadIds: readonly string[],
): Promise<OpenTicket[]> {
  const rows = await tx.query(
    `${openTickets(cameLive, 't.lead_id = any($3::uuid[])')} order by t.lead_id, t.id`,
    [...scopeParameters(scope), arrayLiteral(leadIds)],
  );
  return rowsOf(OPEN_TICKET, rows);
}
