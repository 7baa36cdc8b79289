import { CHAT_EXPORT_ID } from '../../model/chat-line.js';
import { DIRECTIONS, MESSAGE_SOURCES, MESSAGE_STATUSES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import { uuid, text, time, word, orNull, named, type RowOf, columns, rowsOf } from '../columns.js';
import { timeOrNull, integerOf } from '../row.js';
import type { Sql, SqlParameter } from '../sql.js';
import { keyParameters, type MessageKey, media, errors } from '../tables/messages.js';

const KEYED_MESSAGE = columns({
  /** The key id: of a message that came through the Cloud API, what its wamid holds. */
  keyId: text,
  direction: word(DIRECTIONS),
  timestamp: time,
  /** The raw entry that brought it. */
  entryId: named('batch_id', orNull(uuid)),
});

/** A stored message that WhatsApp Web knows by a key. */
export type KeyedMessage = RowOf<typeof KEYED_MESSAGE>;

/** The oldest message of a conversation that has a key; undefined when none has. */
export async function readOldestKeyed(sql: Sql, conversationId: string): Promise<KeyedMessage | undefined> {
  const rows = await sql.query(
    // A wamid that does not decode names nothing that a phone knows. Rows of other programs may have no stanza id.
    `select coalesce(stanza_id, external_id) as key_id, direction, timestamp, batch_id from messages
     where conversation_id = $1::uuid
       and (stanza_id is not null or (external_id is not null and not starts_with(external_id, 'wamid.')
              and not starts_with(external_id, '${CHAT_EXPORT_ID}')))
     order by timestamp, id limit 1`,
    [conversationId],
  );
  return rowsOf(KEYED_MESSAGE, rows)[0];
}

/** When the oldest message of a conversation was sent, whatever names it; null when there is none. */
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
  /** As Meta or a person wrote it. */
  connectionPhone: named('display_phone_number', orNull(text)),
  lastSyncAt: orNull(time),
});

/** A conversation of one lead, with its connection. Times are ms since 1970. */
export type ConversationOfLead = RowOf<typeof CONVERSATION_OF_LEAD>;

const PAGE_ROW = columns({
  id: uuid,
  /** Null in rows of other programs only. */
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
  /** `crm:evolution`: all that is known of it is what that CRM says; null for every other. */
  provider: orNull(text),
});

/** A message as a reader of the conversation sees it. */
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

/** After every id there is. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * The newest `limit` messages of these conversations, newest first, in the window and before `before`: the cost is that of
 * the page, however many messages there are.
 *
 * How far back the page reaches is found first, one look-up in the index per message. Asked for the page at once, the
 * planner, which takes every conversation for an average one, reads all of a long conversation and sorts it: 100 ms instead
 * of 1 ms for one of 100,000 messages.
 *
 * @param adopted SQL: true for messages of which only a CRM says something
 */
export async function readMessagePage(
  sql: Sql,
  conversationIds: readonly string[],
  { from, to }: TimeWindow,
  before: PagePosition | null,
  limit: number,
  adopted: string,
): Promise<PageRow[]> {
  // The moment of `before` itself is looked at again: it may hold more messages than the last page had room for.
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
       select ${COLUMNS},
         case when ${adopted} then (
           select w.provider from webhook_log w where w.id = messages.batch_id and starts_with(w.provider, 'crm:')
         ) end as provider
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

/** How many messages these conversations hold in the window; from the index alone where vacuum has been. */
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

/** When the first and the last message of these conversations were sent; null where there is none. */
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
  /** The id that the reply names it by: the wamid, or WhatsApp Web's key id. */
  target: text,
  type: text,
  /** The first characters of its text. */
  body: orNull(text),
  direction: word(DIRECTIONS),
  deletedAt: orNull(time),
});

/** A message that a reply refers to. */
type QuotedRow = RowOf<typeof QUOTED_ROW>;

/** What is stored under the ids that replies name; nothing for those that never came. */
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
