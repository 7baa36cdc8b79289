import {
  DIRECTIONS,
  MESSAGE_SOURCES,
  MESSAGE_STATUSES,
  SYNC_SOURCES,
  type Direction,
  type MessageSource,
  type MessageStatus,
  type SyncSource,
} from '../model/enumerations.js';
import type { Media, MessageError } from '../model/facts.js';
import type { JsonObject } from '../model/json.js';
import { arrayLiteral } from './array-literal.js';
import { columnNames, time, unnestFound, unnestParameters, unnestTable, type Column } from './columns.js';
import { BY_INDEX, type MessageLookup } from './message-lookup.js';
import {
  booleanOf,
  integerOf,
  jsonObjectOrNull,
  textOf,
  textOrNull,
  timeOf,
  timeOrNull,
  wordOf,
  wordOrNull,
} from './row.js';
import type { Sql, SqlRow } from './sql.js';

/** A row of messages, as it is stored. Times are ms since 1970. */
export interface MessageRow {
  id: string;
  connectionId: string;
  externalId: string;
  conversationId: string;
  leadId: string;
  stanzaId: string | null;
  direction: Direction;
  type: string;
  body: string | null;
  media: Media | null;
  contextExternalId: string | null;
  timestamp: number;
  status: MessageStatus | null;
  historyStatus: MessageStatus | null;
  source: MessageSource;
  syncSource: SyncSource;
  isSyncInitial: boolean;
  batchId: string | null;
  runId: string | null;
  editedAt: number | null;
  editExternalId: string | null;
  deletedAt: number | null;
  metaConfirmedAt: number | null;
  rawMeta: JsonObject | null;
  errors: readonly MessageError[] | null;
  evidence: number;
}

/** A row as it was read, with the mark by which an update can tell that nobody has touched it since. */
export interface StoredMessageRow extends MessageRow {
  rowVersion: string;
}

const COLUMNS: readonly Column<MessageRow>[] = [
  { name: 'id', type: 'uuid', of: (row) => row.id },
  { name: 'connection_id', type: 'uuid', of: (row) => row.connectionId },
  { name: 'external_id', type: 'text', of: (row) => row.externalId },
  { name: 'conversation_id', type: 'uuid', of: (row) => row.conversationId },
  { name: 'lead_id', type: 'uuid', of: (row) => row.leadId },
  { name: 'stanza_id', type: 'text', of: (row) => row.stanzaId },
  { name: 'direction', type: 'text', of: (row) => row.direction },
  { name: 'type', type: 'text', of: (row) => row.type },
  { name: 'body', type: 'text', of: (row) => row.body },
  { name: 'media', type: 'jsonb', of: (row) => (row.media === null ? null : JSON.stringify(row.media)) },
  { name: 'context_external_id', type: 'text', of: (row) => row.contextExternalId },
  { name: 'timestamp', type: 'timestamptz', of: (row) => time(row.timestamp) },
  { name: 'status', type: 'text', of: (row) => row.status },
  { name: 'history_status', type: 'text', of: (row) => row.historyStatus },
  { name: 'source', type: 'text', of: (row) => row.source },
  { name: 'sync_source', type: 'text', of: (row) => row.syncSource },
  { name: 'is_sync_initial', type: 'boolean', of: (row) => row.isSyncInitial },
  { name: 'batch_id', type: 'uuid', of: (row) => row.batchId },
  { name: 'run_id', type: 'uuid', of: (row) => row.runId },
  { name: 'edited_at', type: 'timestamptz', of: (row) => time(row.editedAt) },
  { name: 'edit_external_id', type: 'text', of: (row) => row.editExternalId },
  { name: 'deleted_at', type: 'timestamptz', of: (row) => time(row.deletedAt) },
  { name: 'meta_confirmed_at', type: 'timestamptz', of: (row) => time(row.metaConfirmedAt) },
  {
    name: 'raw_meta',
    type: 'jsonb',
    of: (row) => (row.rawMeta === null ? null : JSON.stringify(row.rawMeta)),
  },
  { name: 'errors', type: 'jsonb', of: (row) => (row.errors === null ? null : JSON.stringify(row.errors)) },
  { name: 'evidence', type: 'integer', of: (row) => row.evidence },
];

const SELECTED = `${COLUMNS.map((column) => `m.${column.name}`).join(', ')}, m.xmin::text as row_version`;

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

/** PostgreSQL's own: which transaction wrote the row. */
const ROW_VERSION: Column<StoredMessageRow> = {
  name: 'row_version',
  type: 'text',
  of: (row) => row.rowVersion,
};

/** What `update` may change: everything but where the row came from first. */
const CHANGING = COLUMNS.filter(
  (column) => !['id', 'connection_id', 'batch_id', 'run_id'].includes(column.name),
);

export interface MessageKey {
  connectionId: string;
  id: string;
}

/**
 * The stored messages that a batch is about: by externalId, and by stanza id for what WhatsApp Web names by its key id
 * (rule M10). One statement; both parts are index look-ups, unless `lookup` knows better.
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
  if (stanzaIds.length === 0) return (await tx.query(byExternalId, parameters)).map(messageOf);
  // `union all` and not `union`: jsonb columns would be compared; the caller keys rows by id.
  const rows = await tx.query(`${byExternalId} union all ${byStanzaId}`, [
    ...parameters,
    ...keyParameters(stanzaIds),
  ]);
  return rows.map(messageOf);
}

/**
 * Inserts new messages. Rule M1's unique index decides: a row that another program stored since we looked is not
 * overwritten blindly, it is left out, the count tells, and the caller plans the batch again with that row in sight.
 * Not sorted by id: runs are kept apart by the organization's lock, and sorted runs would leave every index page half full.
 */
export async function insertMessages(tx: Sql, rows: readonly MessageRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into messages (${columnNames(COLUMNS)})
     select r.* from ${unnestTable(COLUMNS)}
     on conflict (connection_id, external_id) do nothing`,
    unnestParameters(COLUMNS, rows),
  );
}

/**
 * Writes the merged state of messages that were stored already; the merge rule is src/core/plan/message-state.ts. A row that
 * another program has changed since we read it is left out and the count tells: our merge does not know that change.
 */
export async function updateMessages(tx: Sql, rows: readonly StoredMessageRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  const columns = [...COLUMNS, ROW_VERSION];
  return tx.execute(
    `update messages set ${CHANGING.map((column) => `${column.name} = r.${column.name}`).join(', ')}
     from ${unnestFound('messages', columns)}
     where messages.id = r.found_id and messages.xmin::text = r.row_version`,
    unnestParameters(columns, rows),
  );
}

/** Makes messages name other raw entries than those that they name, which are gone. */
export async function linkMessages(
  tx: Sql,
  links: readonly { messageId: string; goneId: string; logId: string }[],
): Promise<number> {
  if (links.length === 0) return 0;
  return tx.execute(
    `update messages set batch_id = due.log_id from (
       select found.id, r.log_id from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as r (id, gone_id, log_id)
       cross join lateral (select id from messages where id = r.id and batch_id = r.gone_id offset 0) found
     ) due
     where messages.id = due.id`,
    [
      arrayLiteral(links.map((link) => link.messageId)),
      arrayLiteral(links.map((link) => link.goneId)),
      arrayLiteral(links.map((link) => link.logId)),
    ],
  );
}

export async function deleteMessages(tx: Sql, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0;
  return tx.execute(`delete from messages where id = any($1::uuid[])`, [arrayLiteral(ids)]);
}

/** Deletes rows that nobody has changed since they were read; what another program put in there meanwhile would be lost. */
export async function deleteUnchangedMessages(
  tx: Sql,
  rows: readonly Pick<StoredMessageRow, 'id' | 'rowVersion'>[],
): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `delete from messages using (
       select found.id from unnest($1::uuid[], $2::text[]) as r (id, row_version)
       cross join lateral (select id from messages where id = r.id and xmin::text = r.row_version offset 0) found
     ) due
     where messages.id = due.id`,
    [arrayLiteral(rows.map((row) => row.id)), arrayLiteral(rows.map((row) => row.rowVersion))],
  );
}

/** A row that any program may have written, with the media that this tool does not know: other keys, or what is no object. */
export interface AnyMessageRow extends StoredMessageRow {
  unknownMedia: JsonObject | null;
}

/**
 * Rows by their own id, whoever wrote them: without an id of the provider theirs is empty, and media or remarks that are no
 * object are read as objects with a `value`. `lock`: until the transaction ends nobody else changes or deletes them.
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
  return rows.map((row) => ({ ...messageOf(row), unknownMedia: jsonObjectOrNull(row, 'unknown_media') }));
}

/** Pairs of rows that are one message by rule M10, in conversations that a merge of leads has just brought together. */
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
  return rows.map(messageOf);
}

/** The two array parameters of `unnest($n::uuid[], $m::text[]) as k (connection_id, …)`. */
export function keyParameters(keys: readonly MessageKey[]): string[] {
  return [arrayLiteral(keys.map((key) => key.connectionId)), arrayLiteral(keys.map((key) => key.id))];
}

function messageOf(row: SqlRow): StoredMessageRow {
  return {
    rowVersion: textOf(row, 'row_version'),
    id: textOf(row, 'id'),
    connectionId: textOf(row, 'connection_id'),
    externalId: textOf(row, 'external_id'),
    conversationId: textOf(row, 'conversation_id'),
    leadId: textOf(row, 'lead_id'),
    stanzaId: textOrNull(row, 'stanza_id'),
    direction: wordOf(row, 'direction', DIRECTIONS),
    type: textOf(row, 'type'),
    body: textOrNull(row, 'body'),
    media: mediaOf(jsonObjectOrNull(row, 'media')),
    contextExternalId: textOrNull(row, 'context_external_id'),
    timestamp: timeOf(row, 'timestamp'),
    status: wordOrNull(row, 'status', MESSAGE_STATUSES),
    historyStatus: wordOrNull(row, 'history_status', MESSAGE_STATUSES),
    source: wordOf(row, 'source', MESSAGE_SOURCES),
    syncSource: wordOf(row, 'sync_source', SYNC_SOURCES),
    isSyncInitial: booleanOf(row, 'is_sync_initial'),
    batchId: textOrNull(row, 'batch_id'),
    runId: textOrNull(row, 'run_id'),
    editedAt: timeOrNull(row, 'edited_at'),
    editExternalId: textOrNull(row, 'edit_external_id'),
    deletedAt: timeOrNull(row, 'deleted_at'),
    metaConfirmedAt: timeOrNull(row, 'meta_confirmed_at'),
    rawMeta: jsonObjectOrNull(row, 'raw_meta'),
    errors: errorsOf(row['errors']),
    evidence: integerOf(row, 'evidence'),
  };
}

/** Media as this tool writes it; keys that another program added are left where they are, in the database. */
export function mediaOf(value: JsonObject | null): Media | null {
  if (value === null) return null;
  const media: Media = {};
  if (typeof value['id'] === 'string') media.id = value['id'];
  if (typeof value['mimeType'] === 'string') media.mimeType = value['mimeType'];
  if (typeof value['sha256'] === 'string') media.sha256 = value['sha256'];
  if (typeof value['fileName'] === 'string') media.fileName = value['fileName'];
  return media;
}

/** Errors as this tool writes them, out of a jsonb column; what another program put there instead is passed over. */
export function errorsOf(value: unknown): MessageError[] | null {
  const errors = (Array.isArray(value) ? value : []).flatMap((element: unknown): MessageError[] => {
    if (typeof element !== 'object' || element === null) return [];
    const error: MessageError = {};
    if ('code' in element && typeof element.code === 'number') error.code = element.code;
    if ('title' in element && typeof element.title === 'string' && element.title !== '')
      error.title = element.title;
    if ('details' in element && typeof element.details === 'string' && element.details !== '')
      error.details = element.details;
    return Object.keys(error).length === 0 ? [] : [error];
  });
  return errors.length === 0 ? null : errors;
}
