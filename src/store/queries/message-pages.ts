import { CHAT_EXPORT_ID, CUT_ID } from '../../model/chat-line.js';
import { DIRECTIONS, MESSAGE_SOURCES, MESSAGE_STATUSES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import { uuid, text, time, word, orNull, named, type RowOf, columns, rowsOf } from '../columns.js';
import { timeOrNull, integerOf } from '../row.js';
import type { Sql, SqlParameter } from '../sql.js';
import { keyParameters, type MessageKey, media, errors } from '../tables/messages.js';

const KEYED_MESSAGE = columns({
  /** The key id: for a Cloud API message, the one inside its wamid. */
  keyId: text,
  direction: word(DIRECTIONS),
  timestamp: time,
  /** The raw entry that created it. */
  entryId: named('batch_id', orNull(uuid)),
});

/** A stored message with a WhatsApp Web key. */
export type KeyedMessage = RowOf<typeof KEYED_MESSAGE>;

/** The oldest message of a conversation with a key; undefined if none has one. */
export async function readOldestKeyed(sql: Sql, conversationId: string): Promise<KeyedMessage | undefined> {
  const rows = await sql.query(
    // A wamid that does not decode names nothing a phone knows. Rows of other programs may have no stanza id.
    `select coalesce(stanza_id, external_id) as key_id, direction, timestamp, batch_id from messages
     where conversation_id = $1::uuid
       and (stanza_id is not null or (external_id is not null and not starts_with(external_id, 'wamid.')
              and not starts_with(external_id, '${CHAT_EXPORT_ID}') and not starts_with(external_id, '${CUT_ID}')))
     order by timestamp, id limit 1`,
    [conversationId],
  );
  return rowsOf(KEYED_MESSAGE, rows)[0];
}

/** When the oldest message of a conversation was sent, with or without a key; null if there is none. */
export async function readOldestTime(sql: Sql, conversationId: string): Promise<number | null> {
  const [row] = await sql.query(
    `select timestamp from messages where conversation_id = $1::uuid order by timestamp limit 1`,
    [conversationId],
  );
  return row === undefined ? null : timeOrNull(row, 'timestamp');
}

const CONVERSATION_OF_LEAD = columns({
  id: uuid,
  connectionId: uuid,
  connectionName: named('name', text),
  /** As written by Meta or a person. */
  connectionPhone: named('display_phone_number', orNull(text)),
  lastSyncAt: orNull(time),
});

/** A conversation of one lead, with its connection. Times are ms since 1970. */
export type ConversationOfLead = RowOf<typeof CONVERSATION_OF_LEAD>;

/** What a reader of the conversation sees of a message. */
export const PAGE = {
  id: uuid,
  /** Null only in rows of other programs. */
  externalId: orNull(text),
  connectionId: uuid,
  type: text,
  body: orNull(text),
  media: orNull(media),
  direction: word(DIRECTIONS),
  timestamp: time,
  status: orNull(word(MESSAGE_STATUSES)),
  errors: errors,
  contextExternalId: orNull(text),
  source: word(MESSAGE_SOURCES),
  editedAt: orNull(time),
  deletedAt: orNull(time),
  /** `crm:evolution`: known only from that CRM; null for all others. */
  provider: orNull(text),
};

const PAGE_ROW = columns(PAGE);

/** A message as shown to a reader of the conversation. */
export type PageRow = RowOf<typeof PAGE_ROW>;

/** Where a page ends: the last message on it. */
export interface PagePosition {
  timestamp: number;
  id: string;
}

/** Half-open: from (included) to (not included), in ms. */
export interface TimeWindow {
  from?: number;
  to?: number;
}

/** The conversations of a lead, on one connection or on all. */
export async function readConversationsOfLead(
  sql: Sql,
  leadId: string,
  connectionId?: string,
): Promise<ConversationOfLead[]> {
  const rows = await sql.query(
    `select v.id, c.id as connection_id, c.name, c.display_phone_number, c.last_sync_at
     from conversations v join connections c on c.id = v.connection_id
     where v.lead_id = $1::uuid and ($2::uuid is null or c.id = $2::uuid)
     order by c.name, c.id`,
    [leadId, connectionId ?? null],
  );
  return rowsOf(CONVERSATION_OF_LEAD, rows);
}

const COLUMNS = `id, external_id, connection_id, type, body, media, direction, timestamp, status, errors,
  context_external_id, source, edited_at, deleted_at`;

/** The CRM that alone has a message. `adopted`: SQL, true for messages known only from a CRM. */
export function providerOf(adopted: string): string {
  return `case when ${adopted} then (
      select w.provider from webhook_log w where w.id = messages.batch_id and starts_with(w.provider, 'crm:')
    ) end as provider`;
}

/** After every id there is. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * The newest `limit` messages of these conversations, newest first, in the window and before `before`: the cost is that
 * of the page, however many messages there are.
 *
 * First finds how far back the page reaches, one index look-up per message. In a single query, the planner assumes an
 * average conversation, reads all of a long one and sorts it: 100 ms instead of 1 ms for one of 100,000 messages.
 *
 * @param adopted SQL: true for messages known only from a CRM
 */
export async function readMessagePage(
  sql: Sql,
  conversationIds: readonly string[],
  { from, to }: TimeWindow,
  before: PagePosition | null,
  limit: number,
  adopted: string,
): Promise<PageRow[]> {
  // The moment of `before` is read again: it may hold more messages than the last page had room for.
  const end = before === null ? to : before.timestamp + 1;
  const rows = await sql.query(
    `with recursive walk (step, at) as (
       select 0, $2::timestamptz
       union all
       select walk.step + 1, (
         select max(earlier.timestamp) from unnest($1::uuid[]) as c (id)
         cross join lateral (
           select timestamp from messages where conversation_id = c.id and timestamp < walk.at
           order by timestamp desc limit 1
         ) earlier
       )
       from walk where walk.step <= $6::int and walk.at >= $3::timestamptz
     ), reach (back_to) as materialized (
       -- Null, and so all of the window, when the walk came to its end before the page was full.
       select greatest($3::timestamptz, min(at) filter (where step > $6::int)) from walk
     )
     select m.* from reach cross join unnest($1::uuid[]) as c (id)
     cross join lateral (
       select ${COLUMNS}, ${providerOf(adopted)}
       from messages
       where conversation_id = c.id and timestamp >= reach.back_to and timestamp < $2::timestamptz
         and (timestamp, id) < ($4::timestamptz, $5::uuid)
       order by timestamp desc, id desc limit $6::int
     ) m
     order by m.timestamp desc, m.id desc limit $6::int`,
    [
      arrayLiteral(conversationIds),
      momentOf(end, 'infinity'),
      momentOf(from, '-infinity'),
      momentOf(before?.timestamp, 'infinity'),
      before?.id ?? LAST_ID,
      limit,
    ],
  );
  return rowsOf(PAGE_ROW, rows);
}

function momentOf(time: number | undefined, otherwise: string): string {
  return time === undefined ? otherwise : new Date(time).toISOString();
}

/** Number of messages of these conversations in the window; from the index alone after a vacuum. */
export async function countMessagesIn(
  sql: Sql,
  conversationIds: readonly string[],
  { from, to }: TimeWindow,
): Promise<number> {
  const parameters: SqlParameter[] = [arrayLiteral(conversationIds)];
  const add = (value: number): string => `$${parameters.push(new Date(value).toISOString())}::timestamptz`;
  const conditions = ['conversation_id = c.id'];
  if (from !== undefined) conditions.push(`timestamp >= ${add(from)}`);
  if (to !== undefined) conditions.push(`timestamp < ${add(to)}`);
  const [row] = await sql.query(
    `select coalesce(sum(m.count), 0)::bigint as count from unnest($1::uuid[]) as c (id)
     cross join lateral (select count(*) as count from messages where ${conditions.join(' and ')}) m`,
    parameters,
  );
  return row === undefined ? 0 : integerOf(row, 'count');
}

/** When the first and the last message of these conversations were sent; null if there are none. */
export async function readMessageBounds(
  sql: Sql,
  conversationIds: readonly string[],
): Promise<{ first: number | null; last: number | null }> {
  const [row] = await sql.query(
    `select min(ends.first) as first, max(ends.last) as last from unnest($1::uuid[]) as c (id)
     cross join lateral (select
       (select timestamp from messages where conversation_id = c.id order by timestamp limit 1) as first,
       (select timestamp from messages where conversation_id = c.id order by timestamp desc limit 1) as last
     ) ends`,
    [arrayLiteral(conversationIds)],
  );
  return row === undefined
    ? { first: null, last: null }
    : { first: timeOrNull(row, 'first'), last: timeOrNull(row, 'last') };
}

const QUOTED_ROW = columns({
  connectionId: uuid,
  /** The id in the reply: the wamid, or WhatsApp Web's key id. */
  target: text,
  type: text,
  /** The first characters of its text. */
  body: orNull(text),
  direction: word(DIRECTIONS),
  deletedAt: orNull(time),
});

/** A message that a reply refers to. */
type QuotedRow = RowOf<typeof QUOTED_ROW>;

/** The messages stored under the ids in replies; excludes those that never arrived. */
export async function readQuotedMessages(sql: Sql, keys: readonly MessageKey[]): Promise<QuotedRow[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query(
    `select k.connection_id, k.target, q.type, left(q.body, 200) as body, q.direction, q.deleted_at
     from unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     cross join lateral (
       select type, body, direction, deleted_at from messages
       where connection_id = k.connection_id and external_id = k.target
       union all
       select type, body, direction, deleted_at from messages
       where stanza_id = k.target and connection_id = k.connection_id
       limit 1
     ) q`,
    keyParameters(keys),
  );
  return rowsOf(QUOTED_ROW, rows);
}
