import { CHAT_EXPORT_ID, CUT_ID } from '../../model/chat-line.js';
import { DIRECTIONS, MESSAGE_SOURCES, SYNC_SOURCES, MESSAGE_STATUSES } from '../../model/enumerations.js';
import type { MessageError } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { errorsOf, mediaOf } from '../../model/stored-content.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import {
  uuid,
  text,
  integer,
  boolean,
  time,
  jsonObject,
  jsonObjectAs,
  json,
  word,
  orNull,
  type RowOf,
  columns,
  without,
  readByIds,
  rowsOf,
  columnNames,
  assignments,
  unnestFound,
  unnestParameters,
  insertRows,
} from '../columns.js';
import { copyRows } from '../copy-rows.js';
import { sqlState } from '../sql-state.js';
import type { Sql } from '../sql.js';
import { BY_INDEX, type MessageLookup } from './message-lookup.js';
import { movingMessages, releaseMessages } from './expected-messages.js';

export const media = jsonObjectAs(mediaOf);

/** Errors as written by this tool; other values in the column are ignored. */
export const errors = json<readonly MessageError[] | null>((row, name) => errorsOf(row[name]));

const MESSAGE = {
  id: uuid,
  connectionId: uuid,
  externalId: text,
  conversationId: uuid,
  leadId: uuid,
  stanzaId: orNull(text),
  direction: word(DIRECTIONS),
  type: text,
  body: orNull(text),
  media: orNull(media),
  contextExternalId: orNull(text),
  timestamp: time,
  status: orNull(word(MESSAGE_STATUSES)),
  historyStatus: orNull(word(MESSAGE_STATUSES)),
  source: word(MESSAGE_SOURCES),
  syncSource: word(SYNC_SOURCES),
  isSyncInitial: boolean,
  batchId: orNull(uuid),
  runId: orNull(uuid),
  editedAt: orNull(time),
  editExternalId: orNull(text),
  deletedAt: orNull(time),
  metaConfirmedAt: orNull(time),
  rawMeta: orNull(jsonObject),
  errors,
  evidence: integer,
};

const COLUMNS = columns(MESSAGE);

/** A row of messages, as stored. Times are ms since 1970. */
export type MessageRow = RowOf<typeof COLUMNS>;

const STORED_COLUMNS = columns({ ...MESSAGE, rowVersion: text });

/** A row as read, with PostgreSQL's row version, which lets an update detect changes since. */
export type StoredMessageRow = RowOf<typeof STORED_COLUMNS>;

/** All of a row `m` as one text: another one if any column of ours says something else, in the same session settings. */
export const WHOLE_ROW_SQL = `(${columnNames(COLUMNS, 'm')})::text`;

const SELECTED = `${columnNames(COLUMNS, 'm')}, m.xmin::text as row_version`;

const SELECTED_FROM_ANYBODY = `${COLUMNS.map(({ name }) => readSafely(name)).join(', ')}, m.xmin::text as row_version,
  case coalesce(jsonb_typeof(m.media), 'null')
    when 'object' then nullif(m.media - '{id,mimeType,sha256,fileName}'::text[], '{}')
    when 'null' then null
    else jsonb_build_object('value', m.media) end as unknown_media`;

function readSafely(name: string): string {
  switch (name) {
    case 'external_id':
      return `coalesce(m.external_id, '') as external_id`;
    case 'media':
      return `case when jsonb_typeof(m.media) = 'object' then m.media end as media`;
    case 'raw_meta':
      return `case coalesce(jsonb_typeof(m.raw_meta), 'null') when 'object' then m.raw_meta when 'null' then null
                else jsonb_build_object('value', m.raw_meta) end as raw_meta`;
    default:
      return `m.${name}`;
  }
}

/** The columns `update` may change: all but those of the row's first origin. */
const CHANGING = without(COLUMNS, 'id', 'connectionId', 'batchId', 'runId');

export interface MessageKey {
  connectionId: string;
  id: string;
}

/**
 * The stored messages for a batch: by externalId, and by stanza id for WhatsApp Web's key ids (rule M10). One
 * statement; both parts are index look-ups, unless `lookup` knows better.
 */
export async function readMessages(
  tx: Sql,
  externalIds: readonly MessageKey[],
  stanzaIds: readonly MessageKey[],
  lookup: MessageLookup = BY_INDEX,
): Promise<StoredMessageRow[]> {
  const byExternalId = `select ${SELECTED} from ${lookup.byExternalId(
    'unnest($1::uuid[], $2::text[]) as k (connection_id, external_id)',
  )}`;
  const byStanzaId = `select ${SELECTED} from ${lookup.byStanzaId(
    'unnest($3::uuid[], $4::text[]) as k (connection_id, stanza_id)',
  )}`;
  if (externalIds.length === 0 && stanzaIds.length === 0) return [];
  const parameters = keyParameters(externalIds);
  if (stanzaIds.length === 0) return rowsOf(STORED_COLUMNS, await tx.query(byExternalId, parameters));
  // `union all` and not `union`, which would compare jsonb columns; the caller keys rows by id.
  const rows = await tx.query(`${byExternalId} union all ${byStanzaId}`, [
    ...parameters,
    ...keyParameters(stanzaIds),
  ]);
  return rowsOf(STORED_COLUMNS, rows);
}

/**
 * The messages of leads on connections that have a wamid and a time at most `toleranceMs` from a moment: an index look-up for
 * each. One row may come several times.
 */
export async function readWamidsAround(
  tx: Sql,
  moments: readonly { connectionId: string; leadId: string; at: number }[],
  toleranceMs: number,
): Promise<StoredMessageRow[]> {
  const times = moments.map(({ connectionId, leadId, at }) => ({
    connectionId,
    leadId,
    from: new Date(at - toleranceMs).toISOString(),
    until: new Date(at + toleranceMs).toISOString(),
  }));
  const rows = await tx.query(
    `select ${SELECTED}
     from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[]) as k (connection_id, lead_id, since, until)
     cross join lateral (
       select id from conversations where connection_id = k.connection_id and lead_id = k.lead_id offset 0
     ) v
     cross join lateral (
       select c.xmin, c.* from messages c
       where c.conversation_id = v.id and c.timestamp between k.since and k.until and c.external_id like 'wamid.%' offset 0
     ) m`,
    arraysOf(times, 'connectionId', 'leadId', 'from', 'until'),
  );
  return rowsOf(STORED_COLUMNS, rows);
}

const UNIQUE_VIOLATION = '23505';

/** From so many rows on, COPY is worth a statement that is not prepared. */
const ROWS_FOR_COPY = 100;

/**
 * Inserts new messages. Rule M1's unique index decides: a row that another program stored since the read is not
 * overwritten: the count shows it, and the caller plans the batch again with that row loaded; by COPY, nothing is stored then. The
 * conflict names no columns, so a database without the index, which `verify` reports, can still be restored. Not sorted
 * by id: the organization's lock separates runs, and sorted inserts would leave every index page half full.
 */
export async function insertMessages(tx: Sql, rows: readonly MessageRow[]): Promise<number> {
  if (tx.copy === undefined || rows.length < ROWS_FOR_COPY)
    return insertRows(tx, 'messages', COLUMNS, rows, `on conflict do nothing`);
  return copyRows(tx.copy, 'messages', COLUMNS, rows).catch((error: unknown) => {
    if (sqlState(error) === UNIQUE_VIOLATION) return 0;
    throw error;
  });
}

/**
 * Writes the merged state of stored messages; the merge rule is src/rules/message-state.ts. Skips a row that another
 * program has changed since it was read, and the count shows it: our merge does not include that change.
 */
export async function updateMessages(tx: Sql, rows: readonly StoredMessageRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `update messages set ${assignments(CHANGING)}
     from ${unnestFound('messages', STORED_COLUMNS)}
     where messages.id = r.found_id and messages.xmin::text = r.row_version`,
    unnestParameters(STORED_COLUMNS, rows),
  );
}

/** Points messages to other raw entries. */
export async function linkMessages(
  tx: Sql,
  links: readonly { messageId: string; claimedId: string | null; logId: string }[],
): Promise<number> {
  if (links.length === 0) return 0;
  return moving(tx, links, () =>
    tx.execute(
      `update messages set batch_id = due.log_id from (
       select found.id, r.log_id from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as r (id, claimed_id, log_id)
       cross join lateral (select id from messages where id = r.id and batch_id is not distinct from r.claimed_id offset 0) found
     ) due
     where messages.id = due.id`,
      arraysOf(links, 'messageId', 'claimedId', 'logId'),
    ),
  );
}

/** Clears the raw entry of messages that still name the given one. */
export async function unlinkMessages(
  tx: Sql,
  links: readonly { messageId: string; logId: string }[],
): Promise<number> {
  if (links.length === 0) return 0;
  return moving(tx, links, () =>
    tx.execute(
      `update messages set batch_id = null, run_id = null from (
       select found.id from unnest($1::uuid[], $2::uuid[]) as r (id, log_id)
       cross join lateral (select id from messages where id = r.id and batch_id = r.log_id offset 0) found
     ) due
     where messages.id = due.id`,
      arraysOf(links, 'messageId', 'logId'),
    ),
  );
}

function moving(
  tx: Sql,
  links: readonly { messageId: string }[],
  work: () => Promise<number>,
): Promise<number> {
  return movingMessages(
    tx,
    links.map(({ messageId }) => messageId),
    work,
  );
}

export async function deleteMessages(tx: Sql, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  await releaseMessages(tx, 'select unnest($1::uuid[])', [arrayLiteral(ids)]);
  return tx.execute(`delete from messages where id = any($1::uuid[])`, [arrayLiteral(ids)]);
}

/** Deletes rows unchanged since they were read: another program's change must not be lost. */
export async function deleteUnchangedMessages(
  tx: Sql,
  rows: readonly Pick<StoredMessageRow, 'id' | 'rowVersion'>[],
): Promise<number> {
  if (rows.length === 0) return 0;
  await releaseMessages(tx, 'select unnest($1::uuid[])', [arrayLiteral(rows.map(({ id }) => id))]);
  return tx.execute(
    `delete from messages using (
       select found.id from unnest($1::uuid[], $2::text[]) as r (id, row_version)
       cross join lateral (select id from messages where id = r.id and xmin::text = r.row_version offset 0) found
     ) due
     where messages.id = due.id`,
    arraysOf(rows, 'id', 'rowVersion'),
  );
}

const ANY_COLUMNS = columns({ ...MESSAGE, rowVersion: text, unknownMedia: orNull(jsonObject) });

/** A row that any program may have written, including media unknown to this tool: other keys, or a non-object. */
export type AnyMessageRow = RowOf<typeof ANY_COLUMNS>;

/**
 * Rows by row id, whatever program wrote them: a missing external id is read as '', and media or raw_meta that are not
 * objects are read as objects with a `value`. `lock`: no other transaction changes or deletes them until this one ends.
 */
export async function readMessagesById(
  sql: Sql,
  ids: readonly string[],
  { lock }: { lock: boolean },
): Promise<AnyMessageRow[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query(
    `select ${SELECTED_FROM_ANYBODY} from unnest($1::uuid[]) as k (id)
     cross join lateral (
       select c.xmin, c.* from messages c where c.id = k.id limit 1 ${lock ? 'for update' : ''}
     ) m`,
    [arrayLiteral(ids)],
  );
  return rowsOf(ANY_COLUMNS, rows);
}

/** Pairs of rows that are one message by rule M10, in conversations just joined by a merge of leads. */
export async function readTwins(tx: Sql, conversationIds: readonly string[]): Promise<StoredMessageRow[]> {
  if (conversationIds.length === 0) return [];
  const rows = await tx.query(
    `select ${SELECTED} from messages m
     where m.conversation_id = any($1::uuid[]) and m.external_id is not null
       and exists (
         select from messages twin
         where twin.stanza_id = m.stanza_id and twin.conversation_id = m.conversation_id and twin.id <> m.id
           and twin.external_id is not null
       )`,
    [arrayLiteral(conversationIds)],
  );
  return rowsOf(STORED_COLUMNS, rows);
}

/** The rows of some leads on some connections created from exported chats (M11). */
export async function readChatExportRows(
  tx: Sql,
  connectionIds: readonly string[],
  leadIds: readonly string[],
): Promise<StoredMessageRow[]> {
  if (connectionIds.length === 0 || leadIds.length === 0) return [];
  const rows = await tx.query(
    // A part of M1's index, with byte-wise comparison, and usually empty.
    `select ${SELECTED} from unnest($1::uuid[]) as k (connection_id)
     cross join lateral (
       select c.xmin, c.* from messages c
       where c.connection_id = k.connection_id and c.external_id >= $3 and c.external_id < $4
         and (c.lead_id in (select x.id from unnest($2::uuid[]) as x (id))) is true offset 0
     ) m`,
    [arrayLiteral(connectionIds), arrayLiteral(leadIds), CHAT_EXPORT_ID, AFTER_CHAT_EXPORT_ID],
  );
  return rowsOf(STORED_COLUMNS, rows);
}

/**
 * Whether these connections have messages under another name than a wamid: WhatsApp Web's, by its key id. Two look-ups in M1's index
 * for each connection, which compares byte by byte.
 */
export async function haveKeyIds(tx: Sql, connectionIds: readonly string[]): Promise<boolean> {
  const rows = await tx.query(
    `select from unnest($1::uuid[]) as k (connection_id)
     cross join lateral (
       (select from messages c where c.connection_id = k.connection_id and c.external_id < $2 limit 1)
       union all
       (select from messages c where c.connection_id = k.connection_id and c.external_id >= $3 limit 1)
     ) m limit 1`,
    [arrayLiteral(connectionIds), WAMID, after(WAMID)],
  );
  return rows.length > 0;
}

/** Whether these connections have messages of which only the beginning of the key id is known (M12). */
export function hasCutRows(tx: Sql, connectionIds: readonly string[]): Promise<boolean> {
  return hasIdsFrom(tx, connectionIds, CUT_ID, AFTER_CUT_ID);
}

/** Whether these connections have messages that only a line of an exported chat shows (M11). */
export function hasChatExportRows(tx: Sql, connectionIds: readonly string[]): Promise<boolean> {
  return hasIdsFrom(tx, connectionIds, CHAT_EXPORT_ID, AFTER_CHAT_EXPORT_ID);
}

async function hasIdsFrom(
  tx: Sql,
  connectionIds: readonly string[],
  from: string,
  to: string,
): Promise<boolean> {
  const rows = await tx.query(
    `select from unnest($1::uuid[]) as k (connection_id)
     cross join lateral (
       select from messages c
       where c.connection_id = k.connection_id and c.external_id >= $2 and c.external_id < $3 limit 1
     ) m limit 1`,
    [arrayLiteral(connectionIds), from, to],
  );
  return rows.length > 0;
}

/** Such messages in these conversations. */
export async function readCutRows(tx: Sql, conversationIds: readonly string[]): Promise<StoredMessageRow[]> {
  if (conversationIds.length === 0) return [];
  const rows = await tx.query(
    `select ${SELECTED} from messages m
     where m.conversation_id = any($1::uuid[]) and starts_with(m.external_id, $2)`,
    [arrayLiteral(conversationIds), CUT_ID],
  );
  return rowsOf(STORED_COLUMNS, rows);
}

/** How a wamid begins. */
const WAMID = 'wamid.';

/** The first text after all ids with a prefix. */
const AFTER_CHAT_EXPORT_ID = after(CHAT_EXPORT_ID);
const AFTER_CUT_ID = after(CUT_ID);

function after(prefix: string): string {
  return prefix.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1));
}

/** The two array parameters of `unnest($n::uuid[], $m::text[]) as k (connection_id, …)`. */
export function keyParameters(keys: readonly MessageKey[]): string[] {
  return arraysOf(keys, 'connectionId', 'id');
}

const LEAD_OF_MESSAGE = columns({ id: uuid, leadId: uuid });

/** Whose these messages are. */
export async function readLeadsOfMessages(
  sql: Sql,
  ids: readonly string[],
): Promise<RowOf<typeof LEAD_OF_MESSAGE>[]> {
  return readByIds(sql, 'messages', LEAD_OF_MESSAGE, 'id', ids);
}

/** Restores media keys unknown to this tool (a URL, a size) that an update left out. */
export async function addUnknownMedia(
  tx: Sql,
  rows: readonly { id: string; media: JsonObject }[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(
    `update messages m
     set media = r.unknown || coalesce(case when jsonb_typeof(m.media) = 'object' then m.media end, '{}')
     from unnest($1::uuid[], $2::jsonb[]) as r (id, unknown)
     where m.id = r.id and (m.media @> r.unknown) is not true`,
    [arrayLiteral(rows.map((row) => row.id)), arrayLiteral(rows.map((row) => JSON.stringify(row.media)))],
  );
}

/** Sets the raw entry and run of rows without one to those of their duplicate. */
export async function adoptOrigins(
  tx: Sql,
  rows: readonly { id: string; batchId: string | null; runId: string | null }[],
): Promise<void> {
  if (rows.length === 0) return;
  const ids = rows.map(({ id }) => id);
  await movingMessages(tx, ids, () =>
    tx.execute(
      `update messages m set batch_id = coalesce(m.batch_id, r.batch_id), run_id = coalesce(m.run_id, r.run_id)
       from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as r (id, batch_id, run_id) where m.id = r.id`,
      arraysOf(rows, 'id', 'batchId', 'runId'),
    ),
  );
}
