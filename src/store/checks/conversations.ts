import { LEAD_SOURCES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  columns,
  integer,
  orNull,
  rowsOf,
  text,
  time,
  uuid,
  word,
  streamRows,
  streamRowsOf,
  type RowOf,
} from '../columns.js';
import { booleanOf, readCount, textOf, textOrNull, timeOrNull } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';
import { OPENS_TICKETS } from '../tables/tickets.js';
import { inScope, scopeParameters, sinceScope, WHOLE, type Scope } from './scope.js';

export async function countConversations(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from conversations
     where ${inScope('connection_id')} and ${sinceScope('last_message_at')}`,
    scopeParameters(scope),
  );
}

/** On one connection: leads with a conversation there. */
export async function countLeads(sql: Sql, scope: Scope = WHOLE): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from leads
     where ($1::uuid[] is null or id in (select lead_id from conversations where ${inScope('connection_id')}))
       and ${sinceScope('last_message_at')}`,
    scopeParameters(scope),
  );
}

/** The next leads by id. */
export async function readLeadIds(
  sql: Sql,
  scope: Scope,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const rows = await sql.query(
    `select l.id from leads l
     where l.id > ${NEXT} and ${LEAD_IN_SCOPE} and ${sinceScope('l.last_message_at')}
     order by l.id limit $4::int`,
    [...scopeParameters(scope), after, limit],
  );
  return rows.map((row) => textOf(row, 'id'));
}

const CROWDED_ROWS = columns({
  connectionId: orNull(uuid),
  key: text,
  rows: integer,
});

/** Several rows where one is allowed; `key` is what they share. */
export type CrowdedRows = RowOf<typeof CROWDED_ROWS>;

/** Leads with more than one conversation on one connection. */
export function streamDoubledConversations(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CrowdedRows[], void, undefined> {
  return streamRowsOf(
    tx,
    CROWDED_ROWS,
    `select connection_id, lead_id::text as key, count(*) as rows from conversations
     where ${inScope('connection_id')}
     group by connection_id, lead_id having count(*) > 1 and ${sinceScope('max(last_message_at)')}
     order by connection_id, lead_id`,
    scopeParameters(scope),
  );
}

export async function countOpenTickets(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from tickets t left join conversations c on c.id = t.conversation_id
     where t.status = 'open' and ${inScope('c.connection_id')} and ${sinceScope('t.opened_at')}`,
    scopeParameters(scope),
  );
}

/** Conversations with more than one open ticket. */
export function streamCrowdedTickets(tx: Sql, scope: Scope): AsyncGenerator<CrowdedRows[], void, undefined> {
  return streamRowsOf(
    tx,
    CROWDED_ROWS,
    `select c.connection_id, crowd.conversation_id::text as key, crowd.rows from (
       select conversation_id, count(*) as rows from tickets where status = 'open'
       group by conversation_id having count(*) > 1 and ${sinceScope('max(opened_at)')}
     ) crowd
     left join conversations c on c.id = crowd.conversation_id
     where ${inScope('c.connection_id')}
     order by crowd.conversation_id`,
    scopeParameters(scope),
  );
}

/**
 * First and last message, as stored in a conversation or lead and as computed from its messages. Times are ms since
 * 1970.
 */
export interface WrongTimes {
  of: 'conversation' | 'lead';
  id: string;
  /** Null for a lead, who may have conversations on several. */
  connectionId: string | null;
  stored: MessageEnds;
  actual: MessageEnds;
}

/** A lead keeps only the last message. */
export interface MessageEnds {
  firstAt: number | null;
  /** As stored: without the check constraint, any word. */
  firstSource: string | null;
  lastAt: number | null;
}

/**
 * Conversations with first or last times that do not match their messages, and leads with a last message that is not
 * the last of all their conversations. One pass over the messages, whatever their number.
 */
export async function* streamWrongTimes(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<WrongTimes[], void, undefined> {
  const pages = streamRows(
    tx,
    `with ends as materialized (
       select conversation_id, first_at, last_at,
         -- Several first messages in one second: the most live one, as recomputeConversations has it.
         case first_at when first_live then 'live' when first_echo then 'app_echo' else 'history' end as first_source
       from (
         select conversation_id, min(timestamp) as first_at, max(timestamp) as last_at,
           min(timestamp) filter (where source = 'live') as first_live,
           min(timestamp) filter (where source = 'app_echo') as first_echo
         from messages
         -- A lead's last message may be on another connection.
         where $1::uuid[] is null or conversation_id in (
           select theirs.id from conversations c join conversations theirs on theirs.lead_id = c.lead_id
           where c.connection_id = any($1::uuid[])
         )
         group by conversation_id
       ) grouped
     )
     select true as is_conversation, c.id, c.connection_id,
       c.first_message_at as stored_first, c.first_message_source as stored_source, c.last_message_at as stored_last,
       ends.first_at, ends.first_source, ends.last_at
     from conversations c left join ends on ends.conversation_id = c.id
     where ${inScope('c.connection_id')} and ${sinceScope('greatest(c.last_message_at, ends.last_at)')}
       and (c.first_message_at, c.first_message_source, c.last_message_at)
           is distinct from (ends.first_at, ends.first_source, ends.last_at)
     union all
     select false, l.id, null, null, null, l.last_message_at, null, null, told.last_at
     from leads l
     left join (
       select c.lead_id, max(ends.last_at) as last_at from ends join conversations c on c.id = ends.conversation_id
       group by c.lead_id
     ) told on told.lead_id = l.id
     where ${LEAD_IN_SCOPE} and ${sinceScope('greatest(l.last_message_at, told.last_at)')}
       and l.last_message_at is distinct from told.last_at
     order by 1 desc, 2`,
    scopeParameters(scope),
  );
  for await (const page of pages) yield page.map(wrongTimesOf);
}

const LEAD_IN_SCOPE = `($1::uuid[] is null or l.id in (select lead_id from conversations where connection_id = any($1::uuid[])))`;

/** One row of a checked page. */
export interface JudgedRow {
  id: string;
  isWrong: boolean;
}

const NEXT = `coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')`;

/** The next conversations by id, and whether their ends are wrong: a few index look-ups each. */
export async function judgeConversations(
  tx: Sql,
  scope: Scope,
  after: string | null,
  limit: number,
): Promise<JudgedRow[]> {
  const rows = await tx.query(
    `select c.id, ${sinceScope('greatest(c.last_message_at, ends.last_at)')}
         and (c.first_message_at, c.first_message_source, c.last_message_at)
             is distinct from (ends.first_at, first.source, ends.last_at) as is_wrong
     from (select * from conversations where id > ${NEXT} and ${inScope('connection_id')} order by id limit $4::int) c
     cross join lateral (
       select min(timestamp) as first_at, max(timestamp) as last_at from messages where conversation_id = c.id offset 0
     ) ends
     left join lateral (
       select m.source from messages m where m.conversation_id = c.id and m.timestamp = ends.first_at
       order by case m.source when 'live' then 0 when 'app_echo' then 1 else 2 end limit 1
     ) first on true
     order by c.id`,
    [...scopeParameters(scope), after, limit],
  );
  return rows.map(judgedOf);
}

/** The last messages of leads. Uses an array: without the index, one scan answers for all. */
function lastOfLeads(ids: string): string {
  return `(
    select c.lead_id, max(ends.last_at) as last_at from conversations c
    cross join lateral (select max(timestamp) as last_at from messages where conversation_id = c.id offset 0) ends
    where c.lead_id = any(${ids}) group by c.lead_id
  )`;
}

/** The next leads by id, and whether their last message is wrong. */
export async function judgeLeads(
  tx: Sql,
  scope: Scope,
  after: string | null,
  limit: number,
): Promise<JudgedRow[]> {
  const rows = await tx.query(
    `with page as materialized (
       select l.id, l.last_message_at from leads l where l.id > ${NEXT} and ${LEAD_IN_SCOPE} order by l.id limit $4::int
     )
     select l.id, ${sinceScope('greatest(l.last_message_at, told.last_at)')}
         and l.last_message_at is distinct from told.last_at as is_wrong
     from page l left join ${lastOfLeads('array(select id from page)')} told on told.lead_id = l.id
     order by l.id`,
    [...scopeParameters(scope), after, limit],
  );
  return rows.map(judgedOf);
}

/** Sets the last messages of leads from their messages. Returns the number of leads changed. */
export async function recomputeLeads(tx: Sql, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  return tx.execute(
    `update leads l set last_message_at = told.last_at
     from (
       select x.id, told.last_at from unnest($1::uuid[]) as x (id)
       left join ${lastOfLeads('$1::uuid[]')} told on told.lead_id = x.id
     ) told
     where l.id = told.id and l.last_message_at is distinct from told.last_at`,
    [arrayLiteral(ids)],
  );
}

function judgedOf(row: SqlRow): JudgedRow {
  // Null if a row has neither time and only new ones are requested.
  return { id: textOf(row, 'id'), isWrong: row['is_wrong'] === true };
}

function wrongTimesOf(row: SqlRow): WrongTimes {
  return {
    of: booleanOf(row, 'is_conversation') ? 'conversation' : 'lead',
    id: textOf(row, 'id'),
    connectionId: textOrNull(row, 'connection_id'),
    stored: {
      firstAt: timeOrNull(row, 'stored_first'),
      firstSource: textOrNull(row, 'stored_source'),
      lastAt: timeOrNull(row, 'stored_last'),
    },
    actual: {
      firstAt: timeOrNull(row, 'first_at'),
      firstSource: textOrNull(row, 'first_source'),
      lastAt: timeOrNull(row, 'last_at'),
    },
  };
}

const OPEN_TICKET = columns({
  id: uuid,
  connectionId: uuid,
  leadId: uuid,
  conversationId: uuid,
  leadSource: word(LEAD_SOURCES),
  openedByExternalId: orNull(text),
  openedAt: time,
  lastInboundAt: orNull(time),
  /** The time of the message it names, if that is a live inbound one of its conversation. */
  openerAt: orNull(time),
  /** The newest live inbound message of the conversation. */
  newestAt: orNull(time),
});

/** An open ticket from a replay that no person has moved, with what its messages imply. Times are ms since 1970. */
export type OpenTicket = RowOf<typeof OPEN_TICKET>;

/**
 * Open `incoming_message` tickets in the stage set by replay: those opened or moved by people or other programs follow
 * their own rules.
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

const TICKETLESS = columns({ id: uuid, connectionId: uuid, externalId: text, timestamp: time });

/** A conversation whose newest live inbound message has no ticket. */
export type Ticketless = RowOf<typeof TICKETLESS>;

/**
 * Conversations with a live inbound message from the raw log after which no ticket was open or closed (T1, T2, T5).
 * Ignores messages of runs that were to open none. One pass over the messages, grouped.
 */
export function streamTicketless(
  tx: Sql,
  scope: Scope,
  cameLive: string,
): AsyncGenerator<Ticketless[], void, undefined> {
  return streamRowsOf(
    tx,
    TICKETLESS,
    `select c.id, c.connection_id, newest.external_id, newest.timestamp
     from (
       select conversation_id, max(timestamp) as timestamp,
         (array_agg(external_id order by timestamp desc, external_id))[1] as external_id
       from messages
       where direction = 'INBOUND' and ${cameLive} and batch_id is not null and btrim(external_id) <> ''
         and ${inScope('connection_id')} and ${sinceScope('timestamp')}
         and ${OPENS_TICKETS}
       group by conversation_id
     ) newest
     join conversations c on c.id = newest.conversation_id
     where not exists (
       select from tickets t
       where t.conversation_id = c.id and (t.status = 'open' or t.closed_at is null or t.closed_at >= newest.timestamp)
     )
     order by c.id`,
    scopeParameters(scope),
  );
}

/** The tickets under the rules, grouped by lead. `cameLive`: condition on messages.evidence. */
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

/** The next leads with such tickets, in id order; empty at the end. */
export async function readTicketLeads(tx: Sql, afterLead: string | null, leads: number): Promise<string[]> {
  const rows = await tx.query(
    `select distinct t.lead_id from tickets t
     where ${FOLLOWING} and t.lead_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
     order by t.lead_id limit $2::int`,
    [afterLead, leads],
  );
  return rows.map((row) => textOf(row, 'lead_id'));
}

/** These leads' tickets under the rules. */
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
