import { integerOf, textOf, textOrNull, timeOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

export async function countConversations(sql: Sql, scope: Scope): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as conversations from conversations
     where ${inScope('connection_id')} and ${sinceScope('last_message_at')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'conversations');
}

/** Several rows where one may be; `key` is what they share. */
export interface CrowdedRows {
  connectionId: string | null;
  key: string;
  rows: number;
}

/** Leads with more than one conversation on one connection. */
export async function* streamDoubledConversations(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CrowdedRows[], void, undefined> {
  const pages = streamRows(
    tx,
    `select connection_id, lead_id::text as key, count(*) as rows from conversations
     where ${inScope('connection_id')}
     group by connection_id, lead_id having count(*) > 1 and ${sinceScope('max(last_message_at)')}
     order by connection_id, lead_id`,
    scopeParameters(scope),
  );
  for await (const page of pages) yield page.map(crowdedOf);
}

export async function countOpenTickets(sql: Sql, scope: Scope): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as tickets from tickets t left join conversations c on c.id = t.conversation_id
     where t.status = 'open' and ${inScope('c.connection_id')} and ${sinceScope('t.opened_at')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'tickets');
}

/** Conversations with more than one open ticket. */
export async function* streamCrowdedTickets(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CrowdedRows[], void, undefined> {
  const pages = streamRows(
    tx,
    `select c.connection_id, crowd.conversation_id::text as key, crowd.rows from (
       select conversation_id, count(*) as rows from tickets where status = 'open'
       group by conversation_id having count(*) > 1 and ${sinceScope('max(opened_at)')}
     ) crowd
     left join conversations c on c.id = crowd.conversation_id
     where ${inScope('c.connection_id')}
     order by crowd.conversation_id`,
    scopeParameters(scope),
  );
  for await (const page of pages) yield page.map(crowdedOf);
}

/** First and last message, as a conversation says and as its messages say. Times are ms since 1970. */
export interface ConversationTimes {
  id: string;
  connectionId: string;
  stored: ConversationEnds;
  actual: ConversationEnds;
}

export interface ConversationEnds {
  firstAt: number | null;
  /** As it is stored: where the check constraint is missing, any word. */
  firstSource: string | null;
  lastAt: number | null;
}

/** Conversations whose ends are not those of their messages. One pass over the messages, whatever their number. */
export async function* streamWrongTimes(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<ConversationTimes[], void, undefined> {
  const pages = streamRows(
    tx,
    `select c.id, c.connection_id, c.first_message_at, c.first_message_source, c.last_message_at,
       ends.first_at, ends.first_source, ends.last_at
     from conversations c
     left join (
       select conversation_id, first_at, last_at,
         -- Several first messages in one second: the most live one, as recomputeConversations has it.
         case first_at when first_live then 'live' when first_echo then 'app_echo' else 'history' end as first_source
       from (
         select conversation_id, min(timestamp) as first_at, max(timestamp) as last_at,
           min(timestamp) filter (where source = 'live') as first_live,
           min(timestamp) filter (where source = 'app_echo') as first_echo
         from messages
         where $1::uuid[] is null or conversation_id in (select id from conversations where connection_id = any($1::uuid[]))
         group by conversation_id
       ) grouped
     ) ends on ends.conversation_id = c.id
     where ${inScope('c.connection_id')} and ${sinceScope('greatest(c.last_message_at, ends.last_at)')}
       and (c.first_message_at, c.first_message_source, c.last_message_at)
           is distinct from (ends.first_at, ends.first_source, ends.last_at)
     order by c.id`,
    scopeParameters(scope),
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      id: textOf(row, 'id'),
      connectionId: textOf(row, 'connection_id'),
      stored: {
        firstAt: timeOrNull(row, 'first_message_at'),
        firstSource: textOrNull(row, 'first_message_source'),
        lastAt: timeOrNull(row, 'last_message_at'),
      },
      actual: {
        firstAt: timeOrNull(row, 'first_at'),
        firstSource: textOrNull(row, 'first_source'),
        lastAt: timeOrNull(row, 'last_at'),
      },
    }));
  }
}

function crowdedOf(row: Record<string, unknown>): CrowdedRows {
  return {
    connectionId: textOrNull(row, 'connection_id'),
    key: textOf(row, 'key'),
    rows: integerOf(row, 'rows'),
  };
}
