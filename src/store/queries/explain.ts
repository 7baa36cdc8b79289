import {
  MESSAGE_SOURCES,
  LEAD_SOURCES,
  DIRECTIONS,
  SYNC_SOURCES,
  MESSAGE_STATUSES,
} from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  uuid,
  integer,
  time,
  word,
  orNull,
  type RowOf,
  columns,
  rowsOf,
  text,
  rowOf,
  named,
  boolean,
} from '../columns.js';
import { textOf, integerOf, booleanOf } from '../row.js';
import type { Sql } from '../sql.js';
import { errors } from '../tables/messages.js';

const EXPLAINED_LEAD = columns({
  id: uuid,
  organization: named('slug', text),
  phone: named('phone_number', orNull(text)),
  name: named('push_name', orNull(text)),
  username: orNull(text),
  source: word(LEAD_SOURCES),
  firstSeenAt: time,
  lastMessageAt: orNull(time),
  isActive: boolean,
  deletedAt: orNull(time),
});

type ExplainedLead = RowOf<typeof EXPLAINED_LEAD>;

const CONVERSATION_COUNT = columns({
  id: uuid,
  connectionId: uuid,
  firstMessageAt: orNull(time),
  firstMessageSource: orNull(word(MESSAGE_SOURCES)),
  lastMessageAt: orNull(time),
  messages: integer,
  inbound: integer,
  live: integer,
  fromHistory: integer,
  echoes: integer,
  fromElsewhere: integer,
});

/** A conversation with its contents. */
export type ConversationCount = RowOf<typeof CONVERSATION_COUNT>;

export async function readExplainedLead(sql: Sql, leadId: string): Promise<ExplainedLead | null> {
  const [row] = await sql.query(
    `select l.id, o.slug, l.phone_number, l.push_name, l.username, l.source, l.first_seen_at, l.last_message_at,
       l.is_active, l.deleted_at
     from leads l join organizations o on o.id = l.organization_id where l.id = $1::uuid`,
    [leadId],
  );
  return row === undefined ? null : rowOf(EXPLAINED_LEAD, row);
}

/** The conversations of a lead with their counts, read by conversation index. */
export async function readConversationCounts(sql: Sql, leadId: string): Promise<ConversationCount[]> {
  const rows = await sql.query(
    `select c.id, c.connection_id, c.first_message_at, c.first_message_source, c.last_message_at, held.*
     from conversations c
     cross join lateral (
       select count(*)::int as messages,
         (count(*) filter (where direction = 'INBOUND'))::int as inbound,
         (count(*) filter (where source = 'live'))::int as live,
         (count(*) filter (where source = 'history'))::int as from_history,
         (count(*) filter (where source = 'app_echo'))::int as echoes,
         (count(*) filter (where batch_id is null))::int as from_elsewhere
       from messages where conversation_id = c.id
     ) held
     where c.lead_id = $1::uuid order by c.first_message_at nulls last, c.id`,
    [leadId],
  );
  return rowsOf(CONVERSATION_COUNT, rows);
}

const PLACED = {
  id: uuid,
  connectionId: uuid,
  externalId: orNull(text),
  stanzaId: orNull(text),
  conversationId: uuid,
  leadId: uuid,
  direction: word(DIRECTIONS),
  type: text,
  timestamp: time,
  status: orNull(word(MESSAGE_STATUSES)),
  source: word(MESSAGE_SOURCES),
  syncSource: word(SYNC_SOURCES),
  batchId: orNull(uuid),
  runId: orNull(uuid),
  editedAt: orNull(time),
  deletedAt: orNull(time),
};

const EXPLAINED_MESSAGE = columns({
  ...PLACED,
  body: orNull(text),
  phone: named('phone_number', orNull(text)),
  name: orNull(text),
  revisions: integer,
  errors,
});

/** The same with its text, for the one explained message. */
export type ExplainedMessage = RowOf<typeof EXPLAINED_MESSAGE>;

/**
 * Where a message is stored, whatever program wrote its row: others may omit the externalId. Times are ms since 1970.
 */
export type PlacedMessage = Pick<ExplainedMessage, keyof typeof PLACED>;

const PLACE = `m.id, m.connection_id, m.external_id, m.stanza_id, m.conversation_id, m.lead_id, m.direction, m.type,
  m.timestamp, m.status, m.source, m.sync_source, m.batch_id, m.run_id, m.edited_at, m.deleted_at`;

/** The messages that this id may refer to: a row id, an externalId, or a WhatsApp Web key id; on these connections. */
export async function findMessages(
  sql: Sql,
  id: string,
  connectionIds: readonly string[],
): Promise<ExplainedMessage[]> {
  return readExplained(
    sql,
    `select m.id from unnest($1::uuid[]) as k (connection_id)
     cross join lateral (
       select id from messages where connection_id = k.connection_id and external_id = $2 limit 5
     ) m
     union
     select id from messages where stanza_id = $2 and connection_id = any($1::uuid[])`,
    [arrayLiteral(connectionIds), id],
  );
}

export async function findMessageRow(sql: Sql, rowId: string): Promise<ExplainedMessage | null> {
  const [row] = await readExplained(sql, `select id from messages where id = $1::uuid`, [rowId]);
  return row ?? null;
}

async function readExplained(
  sql: Sql,
  ids: string,
  parameters: readonly string[],
): Promise<ExplainedMessage[]> {
  const rows = await sql.query(
    `select ${PLACE}, left(m.body, 400) as body, m.errors, l.phone_number, coalesce(l.push_name, l.username) as name,
       (select count(*)::int from message_revisions r where r.message_id = m.id) as revisions
     from (${ids}) found
     cross join lateral (select * from messages where id = found.id limit 1) m
     left join lateral (select * from leads where id = m.lead_id limit 1) l on true
     order by m.timestamp, m.id limit 20`,
    parameters,
  );
  return rowsOf(EXPLAINED_MESSAGE, rows);
}

/** Rows per table that a run changed or removed, by its journal; and how many contacts and connections it logged. */
export async function countRunRecords(
  sql: Sql,
  runId: string,
): Promise<{ journaled: Record<string, number>; syncLogs: number }> {
  const rows = await sql.query(
    `select table_name, count(*)::int as count from change_journal where run_id = $1::uuid
     group by table_name order by table_name`,
    [runId],
  );
  const [logs] = await sql.query(`select count(*)::int as count from sync_logs where run_id = $1::uuid`, [
    runId,
  ]);
  return {
    journaled: Object.fromEntries(rows.map((row) => [textOf(row, 'table_name'), integerOf(row, 'count')])),
    syncLogs: logs === undefined ? 0 : integerOf(logs, 'count'),
  };
}

/** How many stored entries are about one of these names, counted up to `most`. */
export async function countEntriesAbout(sql: Sql, names: readonly string[], most: number): Promise<number> {
  const rows = await sql.query(`select id from webhook_log where chat_ids && $1::text[] limit ${most}`, [
    arrayLiteral(names),
  ]);
  return rows.length;
}

const FOUND_ENTRY = columns({ id: uuid, bytes: integer });

/** A found entry, before it is read. */
export type FoundEntry = RowOf<typeof FOUND_ENTRY>;

/** Entries about one of these names, newest first; with `patterns`, only those that contain one of them. */
export async function findEntriesAbout(
  sql: Sql,
  names: readonly string[],
  { limit, patterns }: { limit: number; patterns?: readonly Uint8Array[] },
): Promise<FoundEntry[]> {
  if (names.length === 0) return [];
  // The fence: to return the newest first, a planner would walk a primary key of millions instead of using the name
  // index.
  const rows = await sql.query(
    `select id, octet_length(raw_body) as bytes from (
       select id, raw_body from webhook_log w where chat_ids && $1::text[] offset 0
     ) w
     ${patterns === undefined ? '' : `where ${holds('$2')}`} order by id desc limit ${limit}`,
    patterns === undefined ? [arrayLiteral(names)] : [arrayLiteral(names), arrayLiteral(patterns)],
  );
  return rowsOf(FOUND_ENTRY, rows);
}

/**
 * Entries that contain one of `patterns` among those stored just before or after `anchor`: a message's statuses name no
 * contact, so no index finds them, but they come soon after it. Reads at most `entries`, and `maxBytes` of them.
 */
export async function findEntriesNear(
  sql: Sql,
  anchor: string,
  side: 'before' | 'after',
  { patterns, entries, maxBytes }: { patterns: readonly Uint8Array[]; entries: number; maxBytes: number },
): Promise<FoundEntry[]> {
  const [comparison, order] = side === 'after' ? ['>', 'asc'] : ['<', 'desc'];
  const rows = await sql.query(
    `select id, bytes from (
       select id, raw_body, octet_length(raw_body) as bytes, sum(octet_length(raw_body)) over (order by id ${order}) as total
       from (
         select id, raw_body from webhook_log where id ${comparison} $1::uuid order by id ${order} limit ${entries}
       ) near
     ) w
     -- Sizes are known without reading the bodies; one that is past the bound must not be read for its bytes.
     where case when total <= ${maxBytes} then ${holds('$2')} else false end`,
    [anchor, arrayLiteral(patterns)],
  );
  return rowsOf(FOUND_ENTRY, rows);
}

/** One page of a search of the whole log. */
interface ScannedPage {
  looked: number;
  /** Where the next page starts; null at the end of the log. */
  last: string | null;
  found: FoundEntry[];
}

/** Searches the bytes of the log backwards from `before`, a page of at most `entries` and about `maxBytes` at a time. */
export async function scanEntries(
  sql: Sql,
  before: string | null,
  {
    patterns,
    since,
    until,
    entries,
    maxBytes,
  }: {
    patterns: readonly Uint8Array[];
    since?: number | undefined;
    until?: number | undefined;
    entries: number;
    maxBytes: number;
  },
): Promise<ScannedPage> {
  const rows = await sql.query(
    `select id, bytes,
       case when ($3::timestamptz is null or coalesce(received_at, created_at) >= $3::timestamptz)
           and ($4::timestamptz is null or coalesce(received_at, created_at) < $4::timestamptz)
         then ${holds('$2')} else false end as hit
     from (
       select id, raw_body, received_at, created_at, octet_length(raw_body) as bytes,
         sum(octet_length(raw_body)) over (order by id desc) - octet_length(raw_body) as bytes_before
       from (
         select id, raw_body, received_at, created_at from webhook_log
         where $1::uuid is null or id < $1::uuid order by id desc limit ${entries}
       ) page
     ) w
     where bytes_before < ${maxBytes} order by id desc`,
    [
      before,
      arrayLiteral(patterns),
      since === undefined ? null : new Date(since),
      until === undefined ? null : new Date(until),
    ],
  );
  return {
    looked: rows.length,
    last: rows.length === 0 ? null : textOf(rows[rows.length - 1] ?? {}, 'id'),
    found: rowsOf(
      FOUND_ENTRY,
      rows.filter((row) => booleanOf(row, 'hit')),
    ),
  };
}

/**
 * Entries in an unknown format that contain one of the patterns: no index has their contacts. Invalid JSON is found by
 * the index of unfinished entries; unrecognized ones among the `recent` newest entries.
 */
export async function findUnreadEntries(
  sql: Sql,
  patterns: readonly Uint8Array[],
  { failed, recent }: { failed: number; recent: number },
): Promise<FoundEntry[]> {
  const rows = await sql.query(
    `select id, octet_length(raw_body) as bytes from (
       (select id, raw_body from webhook_log where status = 'failed' order by id desc limit ${failed})
       union all
       select id, raw_body from (
         select id, raw_body, status from webhook_log order by id desc limit ${recent}
       ) newest where status = 'unrecognized'
     ) w where ${holds('$1')}`,
    [arrayLiteral(patterns)],
  );
  return rowsOf(FOUND_ENTRY, rows);
}

/** Entries first seen at this place (`file:line`). Reads the whole log, but no bodies. */
export async function findEntriesByOrigin(sql: Sql, origin: string): Promise<FoundEntry[]> {
  const rows = await sql.query(
    `select id, octet_length(raw_body) as bytes from webhook_log
     where origin = $1 or (right(origin, length($1) + 1) = '/' || $1) order by id limit 50`,
    [origin],
  );
  return rowsOf(FOUND_ENTRY, rows);
}

/** `position` of a bytea is the byte search of both PostgreSQL and PGlite. */
function holds(parameter: string): string {
  return `exists (select from unnest(${parameter}::bytea[]) as p (pattern) where position(p.pattern in w.raw_body) > 0)`;
}
