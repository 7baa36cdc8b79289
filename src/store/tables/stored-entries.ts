import { BODY_STATES, ENTRY_STATUSES, type EntryStatus, PROVIDERS } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  uuid,
  text,
  boolean,
  bytes,
  time,
  jsonObject,
  word,
  orNull,
  type RowOf,
  columns,
  rowsOf,
  integer,
  texts,
} from '../columns.js';
import { readCount, textOf, textOrNull, timeOf, timeOrNull, bytesOf } from '../row.js';
import type { Sql, SqlParameter } from '../sql.js';
import { IS_ERASING_SQL } from './erasures.js';
import {
  BAD_SIGNATURE,
  HAS_BODY_SQL,
  IS_SOUND_SQL,
  NO_SCOPE,
  ELSEWHERE_SQL,
  INCLUDED_SQL,
  REFUSED_SQL,
  UNCHECKED_SQL,
  VERIFIED_SQL,
} from './webhook-log.js';

const STORED_ENTRY = columns({
  id: uuid,
  connectionScope: uuid,
  rawBody: bytes,
  /** The original hash of the bytes. */
  sha256: bytes,
  /** False if the bytes differ from those stored: their content must not be used. */
  isIntact: boolean,
  /** Why its body was removed on purpose, and what its counters say was in it; null where it is as it came. */
  bodyState: orNull(word(BODY_STATES)),
  removedCounters: orNull(jsonObject),
  /** An erasure has taken a person out of it, and not yet their rows that name it. */
  isErasing: boolean,
  receivedAt: orNull(time),
  /** How it ended, and what went wrong. */
  status: word(ENTRY_STATUSES),
  error: orNull(text),
  /** `file:line`, if it came from a file. */
  origin: orNull(text),
  /** The run that stored it, or last recorded how it ended. */
  runId: orNull(uuid),
  /** The bodies with a bad signature, which must not be applied. */
  refused: texts,
  /** The bodies whose signature fitted a secret. */
  verified: texts,
  /** The chats that `--include` brought in from it, in whichever run. */
  included: texts,
  /** The numbers whose connections stayed behind when the entry was copied; see {@link ELSEWHERE_SQL}. */
  elsewhere: texts,
  /** What it is found by; another program may have changed it. */
  provider: word(PROVIDERS),
  fields: texts,
  phoneNumberIds: texts,
  chatIds: texts,
});

/** A stored entry, read back to be replayed, verified or explained. */
export type StoredEntry = RowOf<typeof STORED_ENTRY>;

/** The columns that are read as they are. */
const PLAIN = 'id, connection_scope, raw_body, sha256, received_at, status, error, origin, run_id, provider';

const SELECTED = `${PLAIN}, fields, phone_number_ids, chat_ids`;

/** What tells whether the bytes are sound, and what is known of removed ones. */
const BODY = 'body_state, body_sha256, body_run_id, counters';
const REMOVED = `body_state, case when body_state is not null then counters end as removed_counters, ${IS_ERASING_SQL} as is_erasing`;

/** Lists that another program may have made null. */
const LISTS = ['fields', 'phone_number_ids', 'chat_ids']
  .map((name) => `to_jsonb(coalesce(${name}, '{}')) as ${name}`)
  .join(', ');

export interface EntrySelection {
  /** Empty: every status. */
  statuses: readonly EntryStatus[];
  since?: number;
  until?: number;
  /** Leaves out entries that failed before then: they were already reported, and would fail again. */
  failedSince?: number;
  /** Stored or processed at or after, whenever received; and those with altered bytes. */
  touchedSince?: number;
  /** Only these. */
  ids?: readonly string[];
  field?: string;
  /** Any of these chat ids. */
  chatIds?: readonly string[];
  /** Only entries with several chat ids: they also name another person, or the same person by another name. */
  severalNames?: true;
  /** Entries of one connection, and pending ones that name none: the candidates that may be assigned to it. */
  connection?: { id: string; phoneNumberId: string | null };
  /** Why an entry is still pending. */
  error?: string;
  /** Only entries with a body, to be applied again. */
  hasBody?: true;
}

/** Whether the raw log has any entry. */
export async function hasStoredEntries(sql: Sql): Promise<boolean> {
  const [row] = await sql.query(`select exists (select from webhook_log) as found`);
  return row?.['found'] === true;
}

/**
 * The next page of stored entries after `afterId`, in storage order: at most `limit`, starting within `maxBytes`, but
 * at least one. Empty at the end.
 */
export async function readEntries(
  sql: Sql,
  selection: EntrySelection,
  afterId: string | null,
  { limit, maxBytes }: { limit: number; maxBytes: number },
): Promise<StoredEntry[]> {
  const { where, parameters } = selectionSql(selection, afterId);
  const rows = await sql.query(
    `select ${PLAIN}, ${LISTS}, refused, verified, included, elsewhere, ${IS_SOUND_SQL} as is_intact, ${REMOVED} from (
       select ${SELECTED}, ${BODY}, refused, verified, included, elsewhere,
         sum(octet_length(raw_body)) over (order by id) - octet_length(raw_body) as bytes_before
       from (select ${SELECTED}, ${BODY}, ${REFUSED_SQL} as refused, ${VERIFIED_SQL} as verified,
         ${INCLUDED_SQL} as included, ${ELSEWHERE_SQL} as elsewhere from webhook_log ${where} order by id limit ${limit}) w
     ) page
     where bytes_before < ${maxBytes} order by id`,
    parameters,
  );
  return rowsOf(STORED_ENTRY, rows);
}

/**
 * Claims entries for this transaction: those still due and not claimed by another run. Several machines can replay
 * pending entries at once, each its own part.
 */
export async function claimEntries(
  tx: Sql,
  ids: readonly string[],
  statuses: readonly EntryStatus[],
): Promise<Set<string>> {
  const rows = await tx.query(
    `select id from webhook_log where id = any($1::uuid[]) and ${hasStatusSql(statuses, '$2')}
     order by id for update skip locked`,
    [arrayLiteral(ids), arrayLiteral(statuses)],
  );
  return new Set(rows.map((row) => textOf(row, 'id')));
}

/** The size of a selection, in bytes of raw bodies: the total for a progress bar. */
export async function measureEntries(
  sql: Sql,
  selection: EntrySelection,
): Promise<{ entries: number; bytes: number }> {
  const { where, parameters } = selectionSql(selection, null);
  const [row] = await sql.query(
    `select count(*)::int as entries, coalesce(sum(octet_length(raw_body)), 0)::text as bytes from webhook_log ${where}`,
    parameters,
  );
  return row === undefined
    ? { entries: 0, bytes: 0 }
    : { entries: Number(row['entries']), bytes: Number(row['bytes']) };
}

/** Failed as a whole, or with a refused body. */
const FAILED_SQL = `(status = 'failed' or status = 'partial' and coalesce(error, '') = '${BAD_SIGNATURE}')`;

/** Whether an entry has one of these statuses, which are the parameter `n`. */
function hasStatusSql(statuses: readonly EntryStatus[], n: string): string {
  const isOne = `status = any(${n}::text[])`;
  return statuses.includes('failed') ? `(${isOne} or ${FAILED_SQL})` : isOne;
}

function selectionSql(
  selection: EntrySelection,
  afterId: string | null,
): { where: string; parameters: SqlParameter[] } {
  const conditions: string[] = [];
  const parameters: SqlParameter[] = [];
  const add = (condition: (n: string) => string, parameter: SqlParameter): void => {
    parameters.push(parameter);
    conditions.push(condition(`$${parameters.length}`));
  };
  if (afterId !== null) add((n) => `id > ${n}::uuid`, afterId);
  if (selection.statuses.length > 0)
    add((n) => hasStatusSql(selection.statuses, n), arrayLiteral(selection.statuses));
  // An entry without a receipt time counts from its storage time.
  if (selection.since !== undefined)
    add((n) => `coalesce(received_at, created_at) >= ${n}::timestamptz`, new Date(selection.since));
  if (selection.until !== undefined)
    add((n) => `coalesce(received_at, created_at) < ${n}::timestamptz`, new Date(selection.until));
  if (selection.failedSince !== undefined) {
    const failedSince = new Date(selection.failedSince);
    add((n) => `(not ${FAILED_SQL} or coalesce(processed_at, created_at) >= ${n}::timestamptz)`, failedSince);
  }
  if (selection.touchedSince !== undefined) {
    const touchedSince = new Date(selection.touchedSince);
    // However old, and whoever changed it: an entry with altered bytes no longer proves anything.
    const isAltered = `not (${IS_SOUND_SQL})`;
    add((n) => `(greatest(created_at, processed_at) >= ${n}::timestamptz or ${isAltered})`, touchedSince);
  }
  if (selection.ids !== undefined) add((n) => `id = any(${n}::uuid[])`, arrayLiteral(selection.ids));
  if (selection.field !== undefined) add((n) => `${n} = any(fields)`, selection.field);
  if (selection.chatIds !== undefined)
    add((n) => `chat_ids && ${n}::text[]`, arrayLiteral(selection.chatIds));
  if (selection.severalNames === true) conditions.push('cardinality(chat_ids) > 1');
  if (selection.hasBody === true) conditions.push(HAS_BODY_SQL);
  if (selection.error !== undefined) add((n) => `error = ${n}`, selection.error);
  if (selection.connection !== undefined) {
    const { id, phoneNumberId } = selection.connection;
    parameters.push(id, phoneNumberId, NO_SCOPE);
    const [own, number, none] = [2, 1, 0].map((back) => `$${parameters.length - back}`);
    conditions.push(
      `(connection_scope = ${own}::uuid or ${number}::text = any(phone_number_ids)
        or (status = 'pending' and connection_scope = ${none}::uuid and phone_number_ids = '{}'))`,
    );
  }
  return { where: conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`, parameters };
}

/** The id of the newest stored entry; null without entries. */
export async function readLastEntryId(sql: Sql): Promise<string | null> {
  const [row] = await sql.query(`select id from webhook_log order by id desc limit 1`);
  return row === undefined ? null : textOrNull(row, 'id');
}

const HEAD_CODECS = {
  id: uuid,
  connectionScope: uuid,
  provider: word(PROVIDERS),
  status: word(ENTRY_STATUSES),
  error: orNull(text),
  origin: orNull(text),
  fields: texts,
  phoneNumberIds: texts,
  receivedAt: orNull(time),
  createdAt: time,
  processedAt: orNull(time),
  attempts: integer,
  runId: orNull(uuid),
  bytes: integer,
};

const ENTRY_HEAD = columns(HEAD_CODECS);

/** A raw entry without its body. Times are ms since 1970. */
export type EntryHead = RowOf<typeof ENTRY_HEAD>;

const LOGGED_ENTRY = columns({
  ...HEAD_CODECS,
  rawBody: bytes,
  sha256: bytes,
  /** False if the bytes differ from those stored. */
  isIntact: boolean,
  /** Why its body was removed on purpose, by which run, and what its counters say was in it. */
  bodyState: orNull(word(BODY_STATES)),
  bodyRunId: orNull(uuid),
  removedCounters: orNull(jsonObject),
  isErasing: boolean,
  refused: texts,
  /** Of these, the bodies that were applied before their signature could be checked. */
  unchecked: texts,
  verified: texts,
  included: texts,
  elsewhere: texts,
  chatIds: texts,
});

export type LoggedEntry = RowOf<typeof LOGGED_ENTRY>;

const HEAD = `w.id, w.connection_scope, w.provider, w.status, w.error, w.origin,
  to_jsonb(coalesce(w.fields, '{}')) as fields, to_jsonb(coalesce(w.phone_number_ids, '{}')) as phone_number_ids,
  w.received_at, w.created_at, w.processed_at, w.attempts, w.run_id, octet_length(w.raw_body) as bytes`;

/** Entries by id, in storage order. */
export async function readLoggedEntries(sql: Sql, ids: readonly string[]): Promise<LoggedEntry[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query(
    `select ${HEAD}, w.raw_body, w.sha256, ${IS_SOUND_SQL} as is_intact, ${REMOVED}, w.body_run_id, ${REFUSED_SQL} as refused, ${UNCHECKED_SQL} as unchecked,
       ${VERIFIED_SQL} as verified, ${INCLUDED_SQL} as included, ${ELSEWHERE_SQL} as elsewhere, to_jsonb(coalesce(w.chat_ids, '{}')) as chat_ids
     from unnest($1::uuid[]) as k (entry_id)
     cross join lateral (select * from webhook_log where id = k.entry_id limit 1) w order by w.id`,
    [arrayLiteral(ids)],
  );
  return rowsOf(LOGGED_ENTRY, rows);
}

/** The same without bodies. */
export async function readEntryHeads(sql: Sql, ids: readonly string[]): Promise<EntryHead[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query(
    `select ${HEAD} from unnest($1::uuid[]) as k (id)
     cross join lateral (select * from webhook_log where id = k.id limit 1) w order by w.id`,
    [arrayLiteral(ids)],
  );
  return rowsOf(ENTRY_HEAD, rows);
}

/** A raw entry with its receipt time (else storage time). */
export interface TimedBody {
  id: string;
  body: Uint8Array;
  at: number;
  isReceived: boolean;
}

/** Raw entries by id, the newest first. */
export async function readBodies(sql: Sql, ids: readonly string[]): Promise<TimedBody[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query(
    `select id, raw_body, received_at, created_at from webhook_log where id = any($1::uuid[])
     order by coalesce(received_at, created_at) desc, id desc`,
    [arrayLiteral(ids)],
  );
  return rows.map((row) => {
    const receivedAt = timeOrNull(row, 'received_at');
    return {
      id: textOf(row, 'id'),
      body: bytesOf(row, 'raw_body'),
      at: receivedAt ?? timeOf(row, 'created_at'),
      isReceived: receivedAt !== null,
    };
  });
}

/** The newest account entries (`account_update`) that have a body, without those that Meta did not sign; null: all of them. */
export async function readAccountUpdateIds(sql: Sql, most: number | null): Promise<string[]> {
  const rows = await sql.query(
    `select id from webhook_log where 'account_update' = any(fields) and error is distinct from '${BAD_SIGNATURE}' and ${HAS_BODY_SQL}
     order by id desc limit $1::int`,
    [most],
  );
  return rows.map((row) => textOf(row, 'id'));
}

/** When these fields last arrived for a number or its account, of those that have since a moment; ms since 1970. */
export async function readFieldsSeen(
  sql: Sql,
  { connectionId, phoneNumberId }: { connectionId: string; phoneNumberId: string | null },
  fields: readonly string[],
  since: number,
): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select seen.field, max(coalesce(w.received_at, w.created_at)) as at from webhook_log w, unnest(w.fields) as seen (field)
     where (w.connection_scope = $1::uuid or w.phone_number_ids @> array[$2::text])
       and seen.field = any($3::text[]) and coalesce(w.received_at, w.created_at) >= $4::timestamptz
     group by 1`,
    [connectionId, phoneNumberId, arrayLiteral(fields), new Date(since)],
  );
  return new Map(rows.map((row) => [textOf(row, 'field'), timeOf(row, 'at')]));
}

/** Entries of these fields about a number that arrived at or after a moment (ms since 1970), in arrival order. */
export async function readEntriesOfFields(
  sql: Sql,
  { connectionId, phoneNumberId }: { connectionId: string; phoneNumberId: string | null },
  fields: readonly string[],
  {
    since,
    after,
    most,
  }: { since: number; /** Id of the last entry read. */ after: string | null; most: number },
): Promise<StoredEntry[]> {
  const rows = await sql.query(
    `select ${PLAIN}, ${LISTS}, ${REFUSED_SQL} as refused, ${VERIFIED_SQL} as verified, ${INCLUDED_SQL} as included, ${ELSEWHERE_SQL} as elsewhere, ${IS_SOUND_SQL} as is_intact, ${REMOVED}
     from webhook_log,
       lateral (select coalesce(max(coalesce(received_at, created_at)), '-infinity') as at from webhook_log where id = $5::uuid) last
     where (connection_scope = $1::uuid or phone_number_ids @> array[$2::text])
       and fields && $3::text[] and coalesce(received_at, created_at) >= $4::timestamptz
       and ($5::uuid is null or (coalesce(received_at, created_at), id) > (last.at, $5::uuid))
     order by coalesce(received_at, created_at), id limit $6::int`,
    [connectionId, phoneNumberId, arrayLiteral(fields), new Date(since), after, most],
  );
  return rowsOf(STORED_ENTRY, rows);
}

/** How many of these entries no replay has imported yet. `since`: ms since 1970. */
export async function countPendingOfFields(
  sql: Sql,
  { connectionId, phoneNumberId }: { connectionId: string; phoneNumberId: string | null },
  fields: readonly string[],
  since: number,
): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from webhook_log
     where (connection_scope = $1::uuid or phone_number_ids @> array[$2::text]) and status = 'pending'
       and fields && $3::text[] and coalesce(received_at, created_at) >= $4::timestamptz`,
    [connectionId, phoneNumberId, arrayLiteral(fields), new Date(since)],
  );
}
