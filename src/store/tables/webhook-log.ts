import { BODY_STATES, ENTRY_STATUSES, PROVIDERS } from '../../model/enumerations.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import {
  uuid,
  text,
  boolean,
  bytes,
  longBytes,
  time,
  texts,
  jsonObject,
  word,
  orNull,
  type RowOf,
  columns,
  without,
  rowsOf,
  assignments,
  unnestFound,
  unnestParameters,
  insertRows,
} from '../columns.js';
import { ID_FITS_SQL } from '../entry-id.js';
import { textOf, timeOrNull } from '../row.js';
import type { Sql } from '../sql.js';

/** What the bytes of a row should hash to: a body that was removed on purpose is empty, or what was left of it. */
const DUE_HASH_SQL = `(case when body_state is null then sha256
  when body_state = 'redacted' then coalesce(body_sha256, ''::bytea) else sha256(''::bytea) end)`;

/** SQL: the names of an entry's connections, in order; phone_number_ids where none is known. `entry`: the alias of its row. */
export function connectionNamesSql(entry: string): string {
  return `coalesce(
    (select string_agg(n.name, ', ' order by n.name) from connections n
     where n.id = ${entry}.connection_scope or n.phone_number_id = any(${entry}.phone_number_ids)),
    nullif(array_to_string(${entry}.phone_number_ids, ', '), '')
  )`;
}

/** Whether a row's bytes are what they should be: the words of the index `webhook_log_altered`. */
export const IS_INTACT_SQL = `(sha256(raw_body) = ${DUE_HASH_SQL} and ${ID_FITS_SQL})`;

/** What a run that removes bodies calls itself in the journal: it journals how many, not what they were. */
export const REMOVED_BODIES = 'raw_bodies';

/** The same, and if its body was removed on purpose, by a run that did remove bodies: anybody can write the state. */
export const IS_SOUND_SQL = `(${IS_INTACT_SQL} and (body_state is null or exists (
  select from change_journal j where j.run_id = body_run_id and j.table_name = '${REMOVED_BODIES}')))`;

/** Whether anything is left of a row's body. */
export const HAS_BODY_SQL = `(body_state is null or body_state = 'redacted')`;

/** Why an entry with a wrongly signed body failed or is partial. */
export const BAD_SIGNATURE = 'bad_signature';

/**
 * The bodies of an entry that must not be applied, because their signature was wrong: their paths in its counters,
 * which only another verdict rewrites; `$` for all of them.
 */
export const REFUSED_SQL = `case when jsonb_typeof(counters -> 'refused') = 'array'
    then to_jsonb(array(select jsonb_array_elements_text(counters -> 'refused')))
    when error = '${BAD_SIGNATURE}' then '["$"]'::jsonb else '[]'::jsonb end`;

/** Of the refused bodies, those that were applied before anybody could check their signature: their paths in the counters. */
export const UNCHECKED_SQL = `coalesce(counters -> 'unchecked', '[]'::jsonb)`;

/** The bodies whose signature fitted a secret, whichever run had it: no other secret makes them bad again. Their paths. */
export const VERIFIED_SQL = `coalesce(counters -> 'verified', '[]'::jsonb)`;

/** The chats that `--include` brought in from an entry, whichever run it was: their kinds in its counters. */
export const INCLUDED_SQL = `coalesce(counters -> 'include', '[]'::jsonb)`;

/**
 * The phone_number_ids whose connections stayed behind when a backup of a part was made of this entry: what it says of them waits for
 * nothing, unless such a connection is made here.
 */
export const ELSEWHERE_SQL = `coalesce(counters -> 'elsewhere', '[]'::jsonb)`;

/** The scope of entries that name their connection themselves (Meta's). */
export const NO_SCOPE = '00000000-0000-0000-0000-000000000000';

/** What an entry's bytes determine. */
const RESTORED = {
  id: uuid,
  provider: word(PROVIDERS),
  rawBody: longBytes,
  fields: texts,
  phoneNumberIds: texts,
  chatIds: texts,
};

const RESTORED_ENTRY = columns({
  ...RESTORED,
  /** Only what it is found by is restored: its body was removed on purpose, and stays so. */
  keepsBody: boolean,
});

/** What restores a stored entry with altered bytes: the bytes, and the contacts and fields they name. */
export type RestoredEntry = RowOf<typeof RESTORED_ENTRY>;

const COLUMNS = columns({
  ...RESTORED,
  connectionScope: uuid,
  sha256: bytes,
  receivedAt: orNull(time),
  status: word(ENTRY_STATUSES),
  error: orNull(text),
  origin: orNull(text),
  counters: orNull(jsonObject),
  runId: uuid,
  processedAt: orNull(time),
});

/** A raw entry as it goes into webhook_log. */
export type RawLogRow = RowOf<typeof COLUMNS>;

const KNOWN_ENTRY = columns({
  id: uuid,
  connectionScope: uuid,
  /** Hex. */
  sha256: text,
  status: word(ENTRY_STATUSES),
  /** False if its bytes differ from those stored. */
  isIntact: boolean,
  /** Why its body was removed on purpose. */
  bodyState: orNull(word(BODY_STATES)),
  /** Pending although applied before: its rows may have to go. */
  isRequeued: boolean,
  /** The run whose options decide how it is read. */
  runId: orNull(uuid),
  /** The bodies that must not be applied. */
  refused: texts,
  /** Of these, the ones that were applied before. */
  unchecked: texts,
  /** The bodies whose signature fitted a secret. */
  verified: texts,
  /** The chats that earlier runs brought in from it. */
  included: texts,
  elsewhere: texts,
  /** What its counters say of a body from which erased people were taken. */
  erasedCounters: orNull(jsonObject),
  /** What it is found by; another program may have changed it. */
  provider: word(PROVIDERS),
  fields: texts,
  phoneNumberIds: texts,
  chatIds: texts,
});

/** What is already stored of a repeated entry. */
type KnownEntry = RowOf<typeof KNOWN_ENTRY>;

const ENDED = { id: uuid, status: word(ENTRY_STATUSES), error: orNull(text) };

const ENDED_COLUMNS = columns(ENDED);

const OUTCOME_COLUMNS = columns({
  ...ENDED,
  counters: orNull(jsonObject),
  processedAt: time,
  /** It keeps naming the run that stored it: that run's options decide how it is decoded. */
  keepsRun: boolean,
});

/** How a previously stored entry ended this time. */
export type EntryOutcome = RowOf<typeof OUTCOME_COLUMNS>;

export async function readKnownEntries(
  tx: Sql,
  keys: readonly { connectionScope: string; sha256: Uint8Array }[],
): Promise<KnownEntry[]> {
  if (keys.length === 0) return [];
  const rows = await tx.query(
    `select w.id, w.connection_scope, encode(w.sha256, 'hex') as sha256, w.status, w.is_intact, w.body_state, w.is_requeued, w.run_id, w.refused, w.unchecked, w.verified, w.included, w.elsewhere, w.erased_counters,
       w.provider, to_jsonb(coalesce(w.fields, '{}')) as fields,
       to_jsonb(coalesce(w.phone_number_ids, '{}')) as phone_number_ids, to_jsonb(coalesce(w.chat_ids, '{}')) as chat_ids
     from unnest($1::uuid[], $2::bytea[]) as k (connection_scope, sha256)
     cross join lateral (
       select id, connection_scope, sha256, status, run_id, ${IS_SOUND_SQL} as is_intact, body_state,
         status = 'pending' and error is not distinct from $3 as is_requeued, ${REFUSED_SQL} as refused,
         ${UNCHECKED_SQL} as unchecked, ${VERIFIED_SQL} as verified, ${INCLUDED_SQL} as included, ${ELSEWHERE_SQL} as elsewhere,
         case when body_state in ('erased', 'redacted') then counters end as erased_counters, provider, fields, phone_number_ids, chat_ids
       from webhook_log
       where connection_scope = k.connection_scope and sha256 = k.sha256 limit 1
     ) w`,
    [...arraysOf(keys, 'connectionScope', 'sha256'), REQUEUED],
  );
  return rowsOf(KNOWN_ENTRY, rows);
}

/** When stored entries were received (ms since 1970; null if unknown), by the hex of their hash. Leaves out what is not stored. */
export async function readReceiptTimes(
  sql: Sql,
  keys: readonly { connectionScope: string; sha256: Uint8Array }[],
): Promise<Map<string, number | null>> {
  if (keys.length === 0) return new Map();
  const rows = await sql.query(
    `select encode(w.sha256, 'hex') as sha256, w.received_at
     from unnest($1::uuid[], $2::bytea[]) as k (connection_scope, sha256)
     cross join lateral (
       select sha256, received_at from webhook_log
       where connection_scope = k.connection_scope and sha256 = k.sha256 limit 1
     ) w`,
    arraysOf(keys, 'connectionScope', 'sha256'),
  );
  return new Map(rows.map((row) => [textOf(row, 'sha256'), timeOrNull(row, 'received_at')]));
}

/** Stores entries; skips one stored meanwhile by another run, and the count shows it. */
export async function insertEntries(tx: Sql, rows: readonly RawLogRow[]): Promise<number> {
  return insertRows(
    tx,
    'webhook_log',
    COLUMNS,
    rows,
    `order by r.id
     on conflict (connection_scope, sha256) do nothing`,
    { attempts: '1' },
  );
}

/** Corrects how entries end that this transaction has stored: what they hold was rejected since. */
export async function correctEntries(tx: Sql, rows: readonly RawLogRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `update webhook_log set status = r.status, error = r.error
     from ${unnestFound('webhook_log', ENDED_COLUMNS)} where webhook_log.id = r.found_id`,
    unnestParameters(ENDED_COLUMNS, rows),
  );
}

/** Restores the original bytes of entries; their hash, by which they were found, is already correct. */
export async function restoreEntries(tx: Sql, rows: readonly RestoredEntry[]): Promise<number> {
  if (rows.length === 0) return 0;
  await takeBackRemovals(
    tx,
    rows.flatMap(({ id, keepsBody }) => (keepsBody ? [] : id)),
  );
  const kept = (column: string, otherwise: string): string =>
    `${column} = case when r.keeps_body then webhook_log.${column} else ${otherwise} end`;
  return tx.execute(
    `update webhook_log set ${assignments(without(RESTORED_ENTRY, 'id', 'rawBody', 'keepsBody'))},
       ${kept('raw_body', 'r.raw_body')}, ${kept('body_state', 'null')}, ${kept('body_sha256', 'null')},
       ${kept('body_run_id', 'null')}, ${kept('body_messages', 'null')}
     from ${unnestFound('webhook_log', RESTORED_ENTRY)} where webhook_log.id = r.found_id`,
    unnestParameters(RESTORED_ENTRY, rows),
  );
}

/** A body that has come back is no longer one that a run removed: the run must not account for another in its place. */
export async function takeBackRemovals(tx: Sql, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, before)
     select w.body_run_id, '${REMOVED_BODIES}', jsonb_build_object('first', min(w.id::text), 'last', max(w.id::text)),
       jsonb_build_object('state', w.body_state, 'rows', -count(*))
     from webhook_log w
     where w.id = any($1::uuid[]) and w.body_state is not null and exists (
       select from change_journal j where j.run_id = w.body_run_id and j.table_name = '${REMOVED_BODIES}'
     )
     group by w.body_run_id, w.body_state`,
    [arrayLiteral(ids)],
  );
}

/** Which of these entries are gone from the raw log. */
export async function findGoneEntries(tx: Sql, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.query(
    `select k.id from unnest($1::uuid[]) as k (id)
     left join lateral (select true as is_there from webhook_log where id = k.id limit 1) w on true
     where w.is_there is null`,
    [arrayLiteral(ids)],
  );
  return new Set(rows.map((row) => textOf(row, 'id')));
}

/** Records another attempt at entries that were not finished, or that ended differently this time. */
export async function updateEntries(tx: Sql, runId: string, rows: readonly EntryOutcome[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `update webhook_log set
       status = case when webhook_log.error = $2 then 'pending' else r.status end,
       error = case when webhook_log.error = $2 then $3 else r.error end,
       counters = r.counters, processed_at = r.processed_at,
       attempts = webhook_log.attempts + 1,
       run_id = case when r.keeps_run then webhook_log.run_id else $1::uuid end
     from ${unnestFound('webhook_log', OUTCOME_COLUMNS, { first: 4 })}
     where webhook_log.id = r.found_id`,
    [runId, UNFINISHED_REQUEUED, REQUEUED, ...unnestParameters(OUTCOME_COLUMNS, rows)],
  );
}

/** Why a processed entry is pending again; every run settles these at its end. */
export const REQUEUED = 'requeued';

/** Why an entry with missing messages is pending: it is larger than a batch. */
export const UNFINISHED = 'unfinished';

/** The same, and due again once it is finished. */
const UNFINISHED_REQUEUED = 'unfinished, requeued';

/** Makes an entry due again; one with missing messages becomes due when it is finished. */
const REQUEUE_SQL = `status = 'pending', error = case error when $2 then $3 else $4 end`;

const REQUEUE_PARAMETERS = [UNFINISHED, UNFINISHED_REQUEUED, REQUEUED] as const;

/** The condition for entries to become due again by contact: pending ones need nothing. */
const WAS_APPLIED = `(status in ('processed', 'partial') or error = $2)`;

/** Makes the entries that match `condition` due again; `$1` is the array of `values`. Returns their number. */
async function requeue(tx: Sql, condition: string, values: readonly string[]): Promise<number> {
  if (values.length === 0) return 0;
  // Nothing can be read again from a body that is gone: what it said stays as it was applied.
  return tx.execute(`update webhook_log set ${REQUEUE_SQL} where ${HAS_BODY_SQL} and (${condition})`, [
    arrayLiteral(values),
    ...REQUEUE_PARAMETERS,
  ]);
}

/** Makes entries due again. Returns their number. */
export function requeueEntries(tx: Sql, ids: readonly string[]): Promise<number> {
  return requeue(tx, `id = any($1::uuid[])`, ids);
}

/**
 * Makes every entry about these leads due again: one of their messages lost its id (M9), and only decoding shows which
 * entries had it. Rare, and harmless for everything else in them. Returns the number of entries.
 */
export function requeueEntriesOf(tx: Sql, leadIds: readonly string[]): Promise<number> {
  const names = `(select array_agg(i.value) from lead_identities i where i.lead_id = any($1::uuid[]))`;
  return requeue(tx, `chat_ids && ${names} and ${WAS_APPLIED}`, leadIds);
}

/**
 * Makes what phones have exported of these leads due again, of some fields: another message took the place of one of theirs, or no longer
 * does. Returns the number of entries.
 */
export function requeueExportsOf(
  tx: Sql,
  leadIds: readonly string[],
  field: 'whatsapp_chat_exporter' | 'crm:chat-export',
): Promise<number> {
  const names = `(select array_agg(i.value) from lead_identities i where i.lead_id = any($1::uuid[]))`;
  // Asked before anything is searched.
  const isStored =
    field === 'crm:chat-export' ? `and exists (select from sync_runs where options ? 'adopt')` : '';
  return requeue(
    tx,
    `chat_ids && ${names} and '${field}' = any(fields) ${isStored} and ${WAS_APPLIED}`,
    leadIds,
  );
}

/** Makes every entry that names one of these people due again, by any name. Returns the number of entries. */
export function requeueEntriesNaming(tx: Sql, names: readonly string[]): Promise<number> {
  return requeue(tx, `chat_ids && $1::text[] and ${WAS_APPLIED}`, names);
}

/** Makes every entry with statuses of these numbers, or of no number, due again. Reads the whole raw log. */
export function requeueStatuses(tx: Sql, phoneNumberIds: readonly string[]): Promise<number> {
  const ofNumbers = `(phone_number_ids && $1::text[] or phone_number_ids = '{}')`;
  return requeue(tx, `${ofNumbers} and counters ? 'status' and ${WAS_APPLIED}`, phoneNumberIds);
}

/** Makes the entries of these numbers due again; optionally only some fields. Reads the whole raw log. */
export function requeueEntriesOfNumbers(
  tx: Sql,
  phoneNumberIds: readonly string[],
  fields: readonly string[],
): Promise<number> {
  const ofFields =
    fields.length === 0 ? '' : `and fields && array[${fields.map((name) => `'${name}'`).join(', ')}]`;
  return requeue(tx, `phone_number_ids && $1::text[] ${ofFields} and ${WAS_APPLIED}`, phoneNumberIds);
}

/**
 * Makes entries that wait for a connection due again once one is known: those that name it, and those without a number
 * that may belong to its WABA. Returns the number of entries.
 */
export async function requeueWaiting(tx: Sql, phoneNumberIds: readonly string[]): Promise<number> {
  return tx.execute(
    `update webhook_log set error = $2
     where status = 'pending' and error = 'unknown_connection' and provider = 'meta'
       and (phone_number_ids = '{}' or phone_number_ids && $1::text[])`,
    [arrayLiteral(phoneNumberIds), REQUEUED],
  );
}

/**
 * Makes entries due again that name this WABA and no number, and so were filed under its only number: it now has
 * another, and it is unknown which one an entry is about. Those with a connection given to their run stay. Returns the
 * number of entries.
 */
export async function requeueUnnumbered(tx: Sql, wabaId: string): Promise<number> {
  return tx.execute(
    `update webhook_log w set ${REQUEUE_SQL}
     where provider = 'meta' and phone_number_ids = '{}' and ${WAS_APPLIED}
       and position(convert_to($1, 'UTF8') in raw_body) > 0
       and 1 < (select count(*) from connections where waba_id = $1 or $1 = any(waba_ids))
       and not exists (
         select from sync_runs r where r.id = w.run_id and r.options ?| array['connection', 'connectionId']
       )`,
    [wabaId, ...REQUEUE_PARAMETERS],
  );
}

/** Ids of connections with applied entries that may name them by a WABA alone. Reads the entries without a number. */
export async function readConnectionsOfUnnumbered(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(
    `select c.id from connections c
     where exists (
       select from webhook_log w, unnest(array_append(c.waba_ids, c.waba_id)) waba
       where w.provider = 'meta' and w.phone_number_ids = '{}' and w.status in ('processed', 'partial')
         and position(convert_to(waba, 'UTF8') in w.raw_body) > 0
     )`,
  );
  return new Set(rows.map((row) => textOf(row, 'id')));
}

/**
 * Marks entries with one contact's part applied: items about other people are still due, and later searches for entries
 * besides an answer can skip them.
 */
export async function markNarrowed(
  sql: Sql,
  runId: string,
  entries: readonly { connectionScope: string; sha256: Uint8Array }[],
): Promise<void> {
  if (entries.length === 0) return;
  await sql.execute(
    `update webhook_log w set error = 'other_contact', run_id = $3::uuid
     from unnest($1::uuid[], $2::bytea[]) as k (connection_scope, sha256)
     where w.connection_scope = k.connection_scope and w.sha256 = k.sha256
       and w.status = 'pending' and w.error is null`,
    [...arraysOf(entries, 'connectionScope', 'sha256'), runId],
  );
}
