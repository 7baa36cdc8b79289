import { DIRECTIONS } from '../../model/enumerations.js';
import { arrayLiteral, arraysOf, isOneOfMany } from '../array-literal.js';
import {
  boolean,
  columns,
  integer,
  orNull,
  streamRowsOf,
  text,
  time,
  uuid,
  word,
  type RowOf,
} from '../columns.js';
import { booleanOf, integerOf, readCount, textOf, textOrNull } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';
import {
  FETCHING_BEGAN,
  isDueMedia,
  MEDIA_DUE_MS,
  MEDIA_WINDOW_DAYS,
  namedMedia,
} from '../tables/media-files.js';
import { isBlankId, twinWithId } from '../queries/duplicates.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** How many messages there are in a scope. */
export async function countMessages(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from messages where ${inScope('connection_id')} and ${sinceScope('timestamp')}`,
    scopeParameters(scope),
  );
}

const COLLISION_RECORD = columns({
  connectionId: orNull(uuid),
  externalId: orNull(text),
  webhookLogId: uuid,
  path: text,
});

/** A collision reject, as recorded by replay (rule M9). */
type CollisionRecord = RowOf<typeof COLLISION_RECORD>;

export function streamCollisionRecords(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CollisionRecord[], void, undefined> {
  return streamRowsOf(
    tx,
    COLLISION_RECORD,
    `select connection_id, external_id, webhook_log_id, path from rejects
     where reason = 'id_collision' and ${inScope('connection_id')} and ${sinceScope('created_at')}
     order by id`,
    scopeParameters(scope),
  );
}

/** What another program may set on a message of the raw log beyond the log's content. */
export const MARKS = ['deleted', 'edited', 'reply'] as const;
export type Mark = (typeof MARKS)[number];

/**
 * SQL: marks on a row of the raw log that did not come from an entry, as one text, empty if none: a revoke or an edit
 * from the log keeps the earlier words in message_revisions, and a reply leaves its evidence. For `messages` as `m`.
 */
const MARKS_SQL = `concat_ws(' ',
  case when m.deleted_at is not null and not (${keeps("'original'")}
    and (m.edit_external_id is null or ${keeps('m.edit_external_id')})) then 'deleted' end,
  case when m.edited_at is not null and not (m.edit_external_id is not null and ${keeps("'original'")}) then 'edited' end,
  case when m.context_external_id is not null and (m.evidence >> 16) & 15 = 0 then 'reply' end)`;

function keeps(version: string): string {
  return `exists (select from message_revisions r where r.message_id = m.id and r.version = ${version})`;
}

/** A cheap precondition for any mark. */
const MAY_BE_MARKED = `m.batch_id is not null and coalesce(m.deleted_at, m.edited_at) is not null
  or m.batch_id is not null and m.context_external_id is not null`;

function marksOf(row: SqlRow): Mark[] {
  const words = textOf(row, 'marks').split(' ');
  return MARKS.filter((mark) => words.includes(mark));
}

/** The marks of another program on one row. */
export async function readMarks(sql: Sql, rowId: string): Promise<Mark[]> {
  const rows = await sql.query(
    `select ${MARKS_SQL} as marks from messages m where m.id = $1::uuid and (${MAY_BE_MARKED})`,
    [rowId],
  );
  return rows.flatMap(marksOf);
}

/** Number of messages with another program's mark, by connection. */
export async function countMarked(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select m.connection_id, count(*)::int as count from messages m
     where (${MAY_BE_MARKED}) and ${MARKS_SQL} <> '' group by m.connection_id`,
  );
  return new Map(rows.map((row) => [textOf(row, 'connection_id'), integerOf(row, 'count')]));
}

const MARKED = columns({ id: uuid, connectionId: uuid, externalId: orNull(text), marks: text });

/** Messages of the raw log with another program's mark. */
export type Marked = RowOf<typeof MARKED>;

export function streamMarked(tx: Sql, scope: Scope): AsyncGenerator<Marked[], void, undefined> {
  return streamRowsOf(
    tx,
    MARKED,
    `select m.id, m.connection_id, m.external_id, ${MARKS_SQL} as marks from messages m
     where (${MAY_BE_MARKED}) and ${MARKS_SQL} <> '' and ${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}`,
    scopeParameters(scope),
  );
}

const MESSAGE_FROM_ELSEWHERE = columns({
  id: uuid,
  connectionId: uuid,
  externalId: orNull(text),
  /** The entry that it names; null if none. */
  batchId: orNull(uuid),
  /** The run that stored the message. */
  runId: orNull(uuid),
  /** It has no id, and a later run stored a different message of the same moment: its own, or another one. */
  isReplaced: boolean,
});

/** A message whose raw entry is not in webhook_log. */
export type MessageFromElsewhere = RowOf<typeof MESSAGE_FROM_ELSEWHERE>;

/** Whether a later run stored a message of the same moment and direction as `m`. */
const IS_REPLACED = `exists (
  select from messages o
  where o.conversation_id = m.conversation_id and o.timestamp = m.timestamp and o.direction = m.direction
    and o.id > m.id and o.run_id is distinct from m.run_id and not ${isBlankId('o.external_id')}
)`;

/**
 * What is known about a row without an id: the id of the message it duplicates, and see {@link MessageFromElsewhere}.
 */
export async function readLostId(
  sql: Sql,
  rowId: string,
  toleranceMs: number,
): Promise<{ twin: string | null; isReplaced: boolean }> {
  const [row] = await sql.query(
    `select (select t.external_id from messages t where t.id = (${twinWithId('m', toleranceMs)})) as twin,
       ${IS_REPLACED} as is_replaced
     from messages m where m.id = $1::uuid`,
    [rowId],
  );
  return row === undefined
    ? { twin: null, isReplaced: false }
    : { twin: textOrNull(row, 'twin'), isReplaced: booleanOf(row, 'is_replaced') };
}

/** Messages that name no raw entry, or a missing one; excludes rows that `dedupe` merges into their messages. */
export function streamMessagesFromElsewhere(
  tx: Sql,
  scope: Scope,
  toleranceMs: number,
): AsyncGenerator<MessageFromElsewhere[], void, undefined> {
  return streamRowsOf(
    tx,
    MESSAGE_FROM_ELSEWHERE, // Fenced: an unfenced join reads webhook_log, bodies included, to find the existing ids.
    `select m.id, m.connection_id, m.external_id, m.batch_id, m.run_id,
       ${isBlankId('m.external_id')} and ${IS_REPLACED} as is_replaced
     from messages m
     left join lateral (select true as is_there from webhook_log w where w.id = m.batch_id limit 1) entry on true
     where entry.is_there is null and ${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}
       and case when ${isBlankId('m.external_id')} then not exists (${twinWithId('m', toleranceMs)}) else true end`,
    scopeParameters(scope),
  );
}

export const CLAIM = columns({
  id: uuid,
  connectionId: uuid,
  externalId: text,
  stanzaId: orNull(text),
  direction: word(DIRECTIONS),
  timestamp: time,
  batchId: uuid,
});

/** A message's own data, with the raw entry that it names as its origin. */
export type Claim = RowOf<typeof CLAIM>;

/** Which claims to read; null for all. */
export interface ClaimScope {
  connectionIds: readonly string[] | null;
  /** From entries stored since, ms since 1970. */
  storedSince: number | null;
  /** From these entries; absent for all. */
  entryIds?: readonly string[];
}

/** Messages with an id that name a raw entry, in entry order. */
export function streamClaims(
  tx: Sql,
  { connectionIds, storedSince, entryIds }: ClaimScope,
): AsyncGenerator<Claim[], void, undefined> {
  return streamRowsOf(
    tx,
    CLAIM,
    `select id, connection_id, external_id, stanza_id, direction, timestamp, batch_id from messages
     where batch_id is not null and btrim(external_id) <> '' and ($1::uuid[] is null or connection_id = any($1::uuid[]))
       and ($2::uuid is null or batch_id >= $2::uuid) and ($3::uuid[] is null or ${isOneOfMany('batch_id', '$3')})
     order by batch_id`,
    [
      connectionIds === null ? null : arrayLiteral(connectionIds),
      storedSince === null ? null : firstIdAt(storedSince),
      entryIds === undefined ? null : arrayLiteral(entryIds),
    ],
  );
}

/** Those of these rows that duplicate another stored message by key id, under an id that the entry holds. */
export async function findCopies(
  sql: Sql,
  pairs: readonly { rowId: string; externalId: string }[],
  toleranceMs: number,
): Promise<Set<string>> {
  if (pairs.length === 0) return new Set();
  const rows = await sql.query(
    `select m.id from unnest($1::uuid[], $2::text[]) as k (id, external_id)
     cross join lateral (select * from messages where id = k.id offset 0) m
     cross join lateral (
       select o.id from messages o
       where o.stanza_id = m.stanza_id and o.conversation_id = m.conversation_id and o.id <> m.id
         and o.external_id in (k.external_id, m.stanza_id) and o.direction = m.direction
         and abs(extract(epoch from o.timestamp - m.timestamp)) * 1000 <= ${Math.round(toleranceMs)}
       limit 1
     ) o`,
    arraysOf(pairs, 'rowId', 'externalId'),
  );
  return new Set(rows.map((row) => textOf(row, 'id')));
}

/** The smallest possible id for that time: ids begin with the time. */
function firstIdAt(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}

/**
 * A Cloud API history message with an announced file that has not arrived. WhatsApp Web's media have keys instead of an
 * id and are owed nothing; a revoked message stays empty (M5). For a query with `messages` under that alias.
 */
export function mediaOwed(alias: string): string {
  return `(${alias}.source = 'history' and ${alias}.deleted_at is null and ${alias}.external_id like 'wamid.%'
    and (${alias}.type = 'media_placeholder'
      or (${alias}.type in ('image', 'video', 'audio', 'voice', 'document', 'sticker')
        and ${alias}.media ->> 'id' is null and ${alias}.raw_meta -> 'mediaKeys' is null)))`;
}

/**
 * A file announced by a history, or named by a message: its state. `past`: expired, and nobody told this tool to fetch it
 * in time; only counted.
 */
const OWED_STATES = ['announced', 'owed', 'expired', 'denied', 'mismatch', 'past'] as const;

const OWED_MEDIA = columns({
  connectionId: uuid,
  externalId: orNull(text),
  type: text,
  /** Ms since 1970. */
  timestamp: time,
  /** Until when it is available, ms since 1970; null if unknown. */
  endsAt: orNull(time),
  state: word(OWED_STATES),
  /** A person must know about it. */
  isDue: boolean,
  /** One, but of those that are past. */
  files: integer,
});

export type OwedMedia = RowOf<typeof OWED_MEDIA>;

/**
 * By connection, oldest first: what a history announced, and the files named by messages that are not here, as `media
 * status` counts them: owed, expired, refused, or not what was announced. Nothing is expected of an archived connection.
 */
export function streamOwedMedia(
  tx: Sql,
  scope: Scope,
  now: number,
): AsyncGenerator<OwedMedia[], void, undefined> {
  const messages = `${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}`;
  return streamRowsOf(
    tx,
    OWED_MEDIA,
    `with named as materialized (
       select f.connection_id, f.message_id, f.type, f.at, f.expires_at, f.state,
         coalesce(${isDueMedia('f', '$4')}, false) as is_due
       from (${namedMedia(messages, '$3')}) f
       join connections c on c.id = f.connection_id and c.archived_at is null
       left join ${FETCHING_BEGAN} began on began.connection_id = f.connection_id
       where f.state <> 'fetched')
     select m.connection_id, m.external_id, m.type, m.timestamp,
       m.timestamp + interval '${MEDIA_WINDOW_DAYS} days' as ends_at, 'announced' as state, false as is_due, 1 as files
     from messages m where ${mediaOwed('m')} and ${messages}
     union all
     select connection_id, message_id, type, at, expires_at, state, is_due, 1 from named where state = 'owed' or is_due
     union all
     select connection_id, null, 'file', max(at), max(expires_at), 'past', false, count(*)::integer
     from named where state <> 'owed' and not is_due group by connection_id
     order by connection_id, timestamp, external_id`,
    [...scopeParameters(scope), new Date(now), new Date(now + MEDIA_DUE_MS)],
  );
}

const OVERDUE_FACT = columns({
  connectionId: uuid,
  targetExternalId: text,
  kind: text,
  /** When it happened, ms since 1970. */
  at: time,
  webhookLogId: orNull(uuid),
  /** Its message is stored: another program wrote it without applying pending updates. */
  isStored: boolean,
  /** The raw log has its entry, or its message's: a replay applies it. */
  isInLog: boolean,
});

/** A status, edit, revoke or reaction waiting for its message. */
export type OverdueFact = RowOf<typeof OVERDUE_FACT>;

export async function countPendingFacts(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from pending_facts where ${inScope('connection_id')} and ${sinceScope('at')}`,
    scopeParameters(scope),
  );
}

/** Facts stored before `before` (ms since 1970) that still wait. */
export function streamOverdueFacts(
  tx: Sql,
  scope: Scope,
  before: number,
): AsyncGenerator<OverdueFact[], void, undefined> {
  return streamRowsOf(
    tx,
    OVERDUE_FACT,
    `select p.connection_id, p.target_external_id, p.kind, p.at, p.webhook_log_id, m.id is not null as is_stored,
       exists (select from webhook_log e where e.id in (p.webhook_log_id, m.batch_id)) as is_in_log
     from pending_facts p
     left join lateral (
       select id, batch_id from messages
       where connection_id = p.connection_id and external_id = p.target_external_id limit 1
     ) m on true
     where p.created_at < $3::timestamptz and ${inScope('p.connection_id')} and ${sinceScope('p.at')}
       -- Nothing is expected of an archived connection.
       and not exists (select from connections c where c.id = p.connection_id and c.archived_at is not null)
     order by p.connection_id, p.target_external_id, p.kind, p.fact_key`,
    [...scopeParameters(scope), new Date(before).toISOString()],
  );
}

const WAMID_ROW = columns({
  connectionId: uuid,
  externalId: text,
  leadId: uuid,
});

/** A message with a Cloud API id. */
export type WamidRow = RowOf<typeof WAMID_ROW>;

const PAGE = 5_000;

/** Every message with a wamid. */
export function streamWamids(tx: Sql, scope: Scope): AsyncGenerator<WamidRow[], void, undefined> {
  return streamRowsOf(
    tx,
    WAMID_ROW,
    `select connection_id, external_id, lead_id from messages
     where starts_with(external_id, 'wamid.') and ${inScope('connection_id')} and ${sinceScope('timestamp')}`,
    scopeParameters(scope),
    PAGE,
  );
}

/** Every number of leads: their own, and those of their identities; as stored there. */
export async function readNumbersOfLeads(
  sql: Sql,
  leadIds: readonly string[],
): Promise<Map<string, string[]>> {
  const numbers = new Map<string, string[]>(leadIds.map((id) => [id, []]));
  if (leadIds.length === 0) return numbers;
  const rows = await sql.query(
    `select id as lead_id, phone_number as number from leads where id = any($1::uuid[]) and phone_number is not null
     union all
     select lead_id, value from lead_identities where lead_id = any($1::uuid[]) and kind in ('phone', 'wa_id')`,
    [arrayLiteral(leadIds)],
  );
  for (const row of rows) numbers.get(textOf(row, 'lead_id'))?.push(textOf(row, 'number'));
  return numbers;
}
