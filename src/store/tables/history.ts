import { arrayLiteral, arraysOf } from '../array-literal.js';
import {
  uuid,
  text,
  integer,
  time,
  orNull,
  type RowOf,
  columns,
  rowsOf,
  bytes,
  insertRows,
} from '../columns.js';
import { textOf, textOrNull, timeOf, booleanOf, wordOf } from '../row.js';
import { mayReplaceSql } from '../entry-id.js';
import type { Sql, SqlParameter } from '../sql.js';

const CHUNK_COLUMNS = columns({
  connectionId: uuid,
  phase: integer,
  chunkOrder: integer,
  progress: orNull(integer),
  messages: integer,
  receivedAt: orNull(time),
  processedAt: time,
  webhookLogId: orNull(uuid),
});

/** One row of the history ledger. */
export type HistoryChunkRow = RowOf<typeof CHUNK_COLUMNS>;

/** One ledger row per chunk (H2); a repeated chunk keeps the larger counts, in any order. */
export async function writeHistoryChunks(tx: Sql, rows: readonly HistoryChunkRow[]): Promise<number> {
  return insertRows(
    tx,
    'history_chunks',
    CHUNK_COLUMNS,
    rows,
    `on conflict (connection_id, phase, chunk_order) do update set
       progress = greatest(history_chunks.progress, excluded.progress),
       messages = greatest(history_chunks.messages, excluded.messages),
       received_at = least(history_chunks.received_at, excluded.received_at),
       webhook_log_id = coalesce(history_chunks.webhook_log_id, excluded.webhook_log_id)
     -- Only a chunk that says more is written, so a second replay leaves no dead rows.
     where history_chunks.progress is distinct from greatest(history_chunks.progress, excluded.progress)
        or history_chunks.messages < excluded.messages
        or history_chunks.received_at is distinct from least(history_chunks.received_at, excluded.received_at)
        or history_chunks.webhook_log_id is null and excluded.webhook_log_id is not null`,
  );
}

/** The key of a chunk. */
export type ChunkKey = Pick<HistoryChunkRow, 'connectionId' | 'phase' | 'chunkOrder'>;

/** A chunk, and an entry that holds it. */
export interface HeldChunk extends ChunkKey {
  webhookLogId: string;
}

/** Points chunks whose entry is gone from the raw log to that entry, come again. */
export async function relinkChunks(tx: Sql, held: readonly HeldChunk[]): Promise<void> {
  if (held.length === 0) return;
  await tx.execute(
    `update history_chunks set webhook_log_id = due.log_id
     from (
       select distinct on (h.connection_id, h.phase, h.chunk_order) h.connection_id, h.phase, h.chunk_order, k.log_id
       from ${HELD}
       join history_chunks h using (connection_id, phase, chunk_order)
       where h.webhook_log_id <> k.log_id and ${mayReplaceSql('h.webhook_log_id', 'k.log_id')}
         and not exists (select from webhook_log w where w.id = h.webhook_log_id)
       order by h.connection_id, h.phase, h.chunk_order, k.log_id
     ) due
     where history_chunks.connection_id = due.connection_id and history_chunks.phase = due.phase
       and history_chunks.chunk_order = due.chunk_order`,
    heldParameters(held),
  );
}

/** Deletes chunks that name one of these entries, which does not hold them. `held`: all that they hold. */
export async function deleteChunksNotHeld(
  tx: Sql,
  entryIds: readonly string[],
  held: readonly HeldChunk[],
): Promise<void> {
  if (entryIds.length === 0) return;
  await tx.execute(
    `delete from history_chunks h where h.webhook_log_id = any($5::uuid[]) and not exists (
       select from ${HELD}
       where k.log_id = h.webhook_log_id and k.connection_id = h.connection_id and k.phase = h.phase
         and k.chunk_order = h.chunk_order
     )`,
    [...heldParameters(held), arrayLiteral(entryIds)],
  );
}

const HELD = `unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) as k (log_id, connection_id, phase, chunk_order)`;

function heldParameters(held: readonly HeldChunk[]): SqlParameter[] {
  const texts = held.map((chunk) => ({
    ...chunk,
    phase: String(chunk.phase),
    chunkOrder: String(chunk.chunkOrder),
  }));
  return arraysOf(texts, 'webhookLogId', 'connectionId', 'phase', 'chunkOrder');
}

/** Those of these chunks missing from the ledger, as `connection phase/order`. */
export async function findUnrecordedChunks(sql: Sql, chunks: readonly ChunkKey[]): Promise<Set<string>> {
  if (chunks.length === 0) return new Set();
  const rows = await sql.query(
    `select distinct k.connection_id, k.phase, k.chunk_order
     from unnest($1::uuid[], $2::int[], $3::int[]) as k (connection_id, phase, chunk_order)
     where not exists (
       select from history_chunks h
       where h.connection_id = k.connection_id and h.phase = k.phase and h.chunk_order = k.chunk_order
     )`,
    arraysOf(
      chunks.map(({ connectionId, phase, chunkOrder }) => ({
        connectionId,
        phase: String(phase),
        chunkOrder: String(chunkOrder),
      })),
      'connectionId',
      'phase',
      'chunkOrder',
    ),
  );
  return new Set(
    rowsOf(MISSING_CHUNK, rows).map((row) => `${row.connectionId} ${row.phase}/${row.chunkOrder}`),
  );
}

const MISSING_CHUNK = columns({ connectionId: uuid, phase: integer, chunkOrder: integer });

/** The place of a chunk in the history of a connection. */
export type ChunkPlace = RowOf<typeof MISSING_CHUNK>;

/**
 * Missing chunk orders of a phase, up to the highest received; Meta counts from 1, a chunk 0 counts as the start. `also`:
 * chunks that have come, and that no replay has put into the ledger yet.
 */
export async function readMissingChunks(
  sql: Sql,
  connectionIds: readonly string[],
  also: readonly ChunkPlace[] = [],
): Promise<ChunkPlace[]> {
  if (connectionIds.length === 0) return [];
  const rows = await sql.query(
    `with came as (
       select connection_id, phase, chunk_order from history_chunks where connection_id = any($1::uuid[])
       union all
       select * from unnest($2::uuid[], $3::int[], $4::int[])
     )
     select seen.connection_id, seen.phase, wanted.chunk_order
     from (
       select connection_id, phase, least(min(chunk_order), 1) as first, max(chunk_order) as last
       from came group by connection_id, phase
     ) seen
     cross join lateral generate_series(seen.first, least(seen.last, seen.first + 10000)) as wanted (chunk_order)
     where not exists (
       select from came h
       where h.connection_id = seen.connection_id and h.phase = seen.phase and h.chunk_order = wanted.chunk_order
     )
     order by seen.connection_id, seen.phase, wanted.chunk_order`,
    [
      arrayLiteral(connectionIds),
      arrayLiteral(also.map(({ connectionId }) => connectionId)),
      arrayLiteral(also.map(({ phase }) => String(phase))),
      arrayLiteral(also.map(({ chunkOrder }) => String(chunkOrder))),
    ],
  );
  return rowsOf(MISSING_CHUNK, rows);
}

const OWED_FILE_ROW = columns({
  fileId: text,
  /** The phone's notification of it, sealed. */
  notification: bytes,
  /** The request that it answers, if known. */
  chatJid: orNull(text),
  anchorId: orNull(text),
});

/** A history file that the phone announced and that is not in the raw log. */
type OwedFileRow = RowOf<typeof OWED_FILE_ROW>;

/** Maximum attempts per file; after that the phone no longer has it. */
const MOST_FILE_ATTEMPTS = 5;

/** Why a part of a chat is missing; `short`: the phone may have more than it sent. */
const MISSING_REASONS = ['file', 'chunk', 'short'] as const;

/**
 * `asked`: nothing is missing yet, but the phone was asked, and its answer is not known to be whole; it becomes `short`
 * when something of the chat comes.
 */
export const GAP_REASONS = [...MISSING_REASONS, 'asked'] as const;

/** A part of a chat missing from an answer, between two messages. */
export interface HistoryGap {
  /** The address used to ask the phone, and the chat's other one. */
  chatJid: string;
  otherJid: string | null;
  /** The message the phone was asked from. */
  anchor: { id: string; fromMe: boolean; timestampMs: number };
  /** The newest message received; null if none: anything missing is older than the anchor. */
  behind: { id: string; timestampMs: number } | null;
  reason: (typeof GAP_REASONS)[number];
}

/** A gap in which something is, or may be, missing. */
export interface MissingPart extends HistoryGap {
  reason: (typeof MISSING_REASONS)[number];
}

/** The stored form of a gap without a message behind it: no message has this id. */
const OPEN = { id: '', timestampMs: 0 };

/** Records an announced file, once. */
export async function recordOwedFile(
  sql: Sql,
  connectionId: string,
  file: OwedFileRow,
  now: number,
): Promise<void> {
  await sql.execute(
    `insert into owed_files (connection_id, file_id, notification, chat_jid, anchor_id, announced_at)
     values ($1::uuid, $2, $3, $4, $5, $6::timestamptz)
     on conflict (connection_id, file_id) do nothing`,
    [connectionId, file.fileId, file.notification, file.chatJid, file.anchorId, new Date(now)],
  );
}

/** Counts another failed attempt. */
export async function recordFileFailure(
  sql: Sql,
  connectionId: string,
  fileId: string,
  error: string,
  now: number,
): Promise<void> {
  await sql.execute(
    `update owed_files set attempts = attempts + 1, error = $3, tried_at = $4::timestamptz
     where connection_id = $1::uuid and file_id = $2`,
    [connectionId, fileId, error, new Date(now)],
  );
}

/** Forgets a file that has arrived. */
export async function deleteOwedFile(sql: Sql, connectionId: string, fileId: string): Promise<void> {
  await sql.execute(`delete from owed_files where connection_id = $1::uuid and file_id = $2`, [
    connectionId,
    fileId,
  ]);
}

/** Forgets the files of a request that was fully answered by another attempt. */
export async function deleteFilesOfRequest(
  sql: Sql,
  connectionId: string,
  { chatJid, anchorId }: { chatJid: string; anchorId: string },
): Promise<void> {
  await sql.execute(
    `delete from owed_files where connection_id = $1::uuid and chat_jid = $2 and anchor_id = $3`,
    [connectionId, chatJid, anchorId],
  );
}

/** Every announced file, with its connection, whatever the number of attempts. */
export async function readSealedFiles(
  sql: Sql,
): Promise<{ connectionId: string; fileId: string; notification: Uint8Array }[]> {
  const rows = await sql.query(
    `select connection_id, file_id, notification from owed_files order by connection_id, file_id`,
  );
  return rowsOf(columns({ connectionId: uuid, fileId: text, notification: bytes }), rows);
}

/** Replaces it with the same notification sealed with another key. */
export async function resealFile(
  tx: Sql,
  { connectionId, fileId, notification }: { connectionId: string; fileId: string; notification: Uint8Array },
): Promise<void> {
  await tx.execute(
    `update owed_files set notification = $3 where connection_id = $1::uuid and file_id = $2`,
    [connectionId, fileId, notification],
  );
}

/** The files worth another attempt, oldest first. */
export async function readOwedFiles(sql: Sql, connectionId: string): Promise<OwedFileRow[]> {
  const rows = await sql.query(
    `select file_id, notification, chat_jid, anchor_id from owed_files
     where connection_id = $1::uuid and attempts < $2::int order by announced_at, file_id limit 50`,
    [connectionId, MOST_FILE_ATTEMPTS],
  );
  return rowsOf(OWED_FILE_ROW, rows);
}

const OWED_HISTORY = columns({
  connectionId: uuid,
  files: integer,
  gaps: integer,
  /** When the first of them was announced or found. */
  since: time,
  /** When a file was last attempted. */
  error: orNull(text),
});

/** History of a connection that its phone has and that did not arrive. Times are ms since 1970. */
export interface OwedHistory extends RowOf<typeof OWED_HISTORY> {
  /** The earliest gaps found; the rest is only counted. */
  named: MissingPart[];
}

/** Maximum gaps named individually. */
const GAPS_NAMED = 3;

/** What is owed on each incomplete connection. */
export async function readOwedHistory(sql: Sql, mostNamed = GAPS_NAMED): Promise<OwedHistory[]> {
  const rows = await sql.query(
    `select connection_id, (count(*) filter (where is_file))::int as files,
       (count(*) filter (where not is_file))::int as gaps, min(since) as since,
       (array_agg(error order by tried_at desc nulls last) filter (where error is not null))[1] as error
     from (
       select connection_id, true as is_file, announced_at as since, error, tried_at from owed_files
       union all
       select connection_id, false, found_at, null, null from history_gaps where reason <> 'asked'
     ) owed
     group by 1 order by 1`,
  );
  const owed = rowsOf(OWED_HISTORY, rows);
  const named = owed.some(({ gaps }) => gaps > 0) ? await readOwedGaps(sql, mostNamed) : [];
  return owed.map((one) => ({
    ...one,
    named: named.filter(({ connectionId }) => connectionId === one.connectionId),
  }));
}

/**
 * Records a gap; a known one gets another attempt. A request keeps what is known of a gap that begins at its anchor, and
 * becomes the gap that its answer shows; so does a gap that was open towards older messages, because some of them have come.
 */
export async function recordGap(sql: Sql, connectionId: string, gap: HistoryGap, now: number): Promise<void> {
  await sql.execute(
    `insert into history_gaps (connection_id, chat_jid, other_jid, anchor_id, anchor_from_me, anchor_at,
       behind_id, behind_at, reason, found_at)
     values ($1::uuid, $2, $3, $4, $5::boolean, $6::timestamptz, $7, $8::timestamptz, $9, $10::timestamptz)
     on conflict (connection_id, chat_jid, anchor_id, anchor_from_me) do update set
       attempts = history_gaps.attempts + (case when 'asked' in (history_gaps.reason, excluded.reason) then 0 else 1 end),
       tried_at = excluded.found_at,
       reason = case excluded.reason when 'asked' then history_gaps.reason else excluded.reason end,
       behind_id = case when history_gaps.behind_id = '' then excluded.behind_id else history_gaps.behind_id end,
       behind_at = case when history_gaps.behind_id = '' then excluded.behind_at else history_gaps.behind_at end`,
    [
      connectionId,
      gap.chatJid,
      gap.otherJid,
      gap.anchor.id,
      gap.anchor.fromMe,
      new Date(gap.anchor.timestampMs),
      (gap.behind ?? OPEN).id,
      new Date((gap.behind ?? OPEN).timestampMs),
      gap.reason,
      new Date(now),
    ],
  );
}

/**
 * Something of these chats has come: the requests whose answers are not known to be whole may leave a gap in front of it.
 */
export async function suspectRequests(
  sql: Sql,
  connectionId: string,
  requests: readonly Pick<HistoryGap, 'chatJid' | 'anchor'>[],
  now: number,
): Promise<void> {
  if (requests.length === 0) return;
  const keys = requests.map(({ chatJid, anchor }) => ({ chatJid, anchorId: anchor.id }));
  await sql.execute(
    `update history_gaps set reason = 'short', found_at = $4::timestamptz
     where connection_id = $1::uuid and reason = 'asked'
       and (chat_jid, anchor_id) in (select * from unnest($2::text[], $3::text[]))`,
    [connectionId, ...arraysOf(keys, 'chatJid', 'anchorId'), new Date(now)],
  );
}

/** The requests of a connection whose answers are not known to be whole. */
export async function readOpenRequests(sql: Sql, connectionId: string): Promise<HistoryGap[]> {
  const rows = await sql.query(
    `select chat_jid, other_jid, anchor_id, anchor_from_me, anchor_at, behind_id, behind_at, reason
     from history_gaps where connection_id = $1::uuid and reason = 'asked'`,
    [connectionId],
  );
  return rows.map(gapOf);
}

/** Forgets a gap that is filled. */
export async function deleteGap(
  sql: Sql,
  connectionId: string,
  { chatJid, anchor }: Pick<HistoryGap, 'chatJid' | 'anchor'>,
): Promise<void> {
  await sql.execute(
    `delete from history_gaps
     where connection_id = $1::uuid and chat_jid = $2 and anchor_id = $3 and anchor_from_me = $4::boolean`,
    [connectionId, chatJid, anchor.id, anchor.fromMe],
  );
}

/** The gaps in a chat, by either of its addresses, newest first. */
export async function readGaps(
  sql: Sql,
  connectionId: string,
  addresses: readonly string[],
): Promise<HistoryGap[]> {
  if (addresses.length === 0) return [];
  const rows = await sql.query(
    `select chat_jid, other_jid, anchor_id, anchor_from_me, anchor_at, behind_id, behind_at, reason
     from history_gaps
     where connection_id = $1::uuid and (chat_jid = any($2::text[]) or other_jid = any($2::text[]))
     order by anchor_at desc, anchor_id`,
    [connectionId, arrayLiteral(addresses)],
  );
  return rows.map(gapOf);
}

/** A gap, with its connection. */
interface OwedGap extends MissingPart {
  connectionId: string;
}

/** The gaps of every connection, oldest record first; limited per connection. */
async function readOwedGaps(sql: Sql, mostOfEach: number): Promise<OwedGap[]> {
  const rows = await sql.query(
    `select * from (
       select connection_id, chat_jid, other_jid, anchor_id, anchor_from_me, anchor_at, behind_id, behind_at, reason,
         row_number() over (partition by connection_id order by found_at, chat_jid, anchor_at desc, anchor_id) as place
       from history_gaps where reason <> 'asked'
     ) gaps where place <= $1::int order by connection_id, place`,
    [mostOfEach],
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    ...gapOf(row),
    reason: wordOf(row, 'reason', MISSING_REASONS),
  }));
}

function gapOf(row: Record<string, unknown>): HistoryGap {
  const behindId = textOf(row, 'behind_id');
  return {
    chatJid: textOf(row, 'chat_jid'),
    otherJid: textOrNull(row, 'other_jid'),
    anchor: {
      id: textOf(row, 'anchor_id'),
      fromMe: booleanOf(row, 'anchor_from_me'),
      timestampMs: timeOf(row, 'anchor_at'),
    },
    behind: behindId === OPEN.id ? null : { id: behindId, timestampMs: timeOf(row, 'behind_at') },
    reason: wordOf(row, 'reason', GAP_REASONS),
  };
}
