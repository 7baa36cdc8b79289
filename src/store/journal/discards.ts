import { ENTRY_STATUSES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import { text, integer, json, word, orNull, type RowOf, columns, rowsOf } from '../columns.js';
import { textOf } from '../row.js';
import { connectionNamesSql } from '../tables/webhook-log.js';
import type { Sql, SqlParameter } from '../sql.js';
import { JOURNALED_TABLES, keyJson, rowJson, WHOLE_ENTRY_JSON } from './journaled-tables.js';
import { putBack } from './put-back.js';

/** Which raw entries to remove: those that match every condition. */
export interface DiscardSelection {
  ids: readonly string[] | null;
  /** A regular expression that must match all of `file:line`. */
  origin: string | null;
  /** Entries that this run stored. */
  runId: string | null;
}

/** Why an entry is kept: rows created from it would lose their source. */
export const KEPT_BECAUSE = ['messages', 'history', 'updates', 'applied', 'in_progress'] as const;

export type KeptBecause = (typeof KEPT_BECAUSE)[number];

const DISCARD_GROUP = columns({
  file: orNull(text),
  /** Names of the entries' connections; phone_number_ids for unknown ones. */
  connection: orNull(text),
  status: word(ENTRY_STATUSES),
  /** Null for entries that may be removed. */
  kept: orNull(word(KEPT_BECAUSE)),
  entries: integer,
  bytes: integer,
  /** Messages created from the entries. */
  messages: integer,
  /** A few of them. */
  samples: json((row, name) => samplesOf(row[name])),
});

/** Entries of one file, connection and reason. */
export type DiscardGroup = RowOf<typeof DISCARD_GROUP>;

const SAMPLES = 3;

/** Entries with an id that begins with `prefix`, at most two. */
export async function findEntryIds(sql: Sql, prefix: string): Promise<string[]> {
  const rows = await sql.query(
    `select id from webhook_log where starts_with(id::text, $1) order by id limit 2`,
    [prefix],
  );
  return rows.map((row) => textOf(row, 'id'));
}

/**
 * The chosen entries with the rows created from each. `run_id` names the last run that processed an entry; for one
 * retried since, its id shows which run stored it: it holds the time by that run's clock, provided no other run was
 * active.
 */
const JUDGED = `
  chosen as (
    select w.id, w.origin, w.status, w.error, w.counters, w.connection_scope, w.phone_number_ids,
      octet_length(w.raw_body) as bytes
    from webhook_log w
    where ($1::uuid[] is null or w.id = any($1::uuid[]))
      and ($2::text is null or w.origin ~ $2)
      and ($3::uuid is null or w.run_id = $3::uuid or exists (
        select from sync_runs r
        join sync_runs last on last.id = w.run_id and last.started_at > coalesce(r.completed_at, r.started_at)
        where r.id = $3::uuid and ${storedDuring('w', 'r')} and not exists (
          select from sync_runs other
          where other.id <> r.id and other.command in ('replay', 'import', 'link') and ${storedDuring('w', 'other')}
        )
      ))
  ),
  brought as (
    select m.batch_id as id, count(*)::int as messages from messages m
    where m.batch_id in (select id from chosen) group by m.batch_id
  ),
  judged as (
    select c.*, coalesce(b.messages, 0) as messages,
      case
        when c.status = 'pending' and c.error in ('unfinished', 'unfinished, requeued', 'requeued') then 'in_progress'
        when b.messages > 0 then 'messages'
        when exists (select from history_chunks h where h.webhook_log_id = c.id) then 'history'
        when exists (select from pending_facts p where p.webhook_log_id = c.id) then 'updates'
        when twin.is_kept then null
        when c.status = 'processed' then 'applied'
        when c.status = 'partial' and items.seen - items.skipped > (
          select count(*) from rejects r where r.webhook_log_id = c.id
        ) then 'applied'
      end as kept
    from chosen c
    left join brought b on b.id = c.id
    -- The same bytes twice, for want of the unique index: nothing is lost with the copy that no row names.
    left join lateral (
      select true as is_kept from webhook_log own
      join webhook_log w on w.connection_scope = own.connection_scope and w.sha256 = own.sha256 and w.raw_body = own.raw_body
      where own.id = c.id and w.id <> c.id and w.status in ('processed', 'partial') and w.id not in (select id from chosen)
      limit 1
    ) twin on true
    cross join lateral (
      select
        coalesce((
          select sum((e.value)::text::bigint) from jsonb_each(c.counters) e
          where jsonb_typeof(e.value) = 'number' and e.key <> 'event'
        ), 0) as seen,
        coalesce((
          select sum((reason.value)::text::bigint)
          from jsonb_each(coalesce(c.counters -> 'skipped', '{}')) kind cross join lateral jsonb_each(kind.value) reason
        ), 0) as skipped
    ) items
  )`;

/** Whether the id of the entry `w` was made while the run `r` was active. */
function storedDuring(w: string, r: string): string {
  const idAt = (time: string, rest: string): string =>
    `(lpad(to_hex((extract(epoch from ${time}) * 1000)::bigint), 12, '0') || '${rest}')::uuid`;
  return `${w}.id >= ${idAt(`${r}.started_at`, '0'.repeat(20))}
    and ${w}.id <= ${idAt(`coalesce(${r}.completed_at, clock_timestamp())`, 'f'.repeat(20))}`;
}

/**
 * Copies of raw entries that no row names, where the unique index is missing; of each entry one is left out. At most `limit`.
 */
export async function readEntryCopies(sql: Sql, limit: number): Promise<string[]> {
  const rows = await sql.query(
    `select id from (
       select w.id, named.is_named,
         row_number() over (partition by w.connection_scope, w.sha256 order by named.is_named desc, w.id) as nth
       from (
         select connection_scope, sha256 from webhook_log
         where status in ('processed', 'partial') group by 1, 2 having count(*) > 1
       ) doubled
       join webhook_log w using (connection_scope, sha256)
       cross join lateral (
         select exists (select from messages m where m.batch_id = w.id)
           or exists (select from history_chunks h where h.webhook_log_id = w.id)
           or exists (select from pending_facts p where p.webhook_log_id = w.id)
           or exists (select from rejects r where r.webhook_log_id = w.id) as is_named
       ) named
     ) copies
     where nth > 1 and not is_named order by id limit $1::int`,
    [limit],
  );
  return rows.map((row) => textOf(row, 'id'));
}

/** Counts of the chosen entries. */
export async function groupDiscards(sql: Sql, selection: DiscardSelection): Promise<DiscardGroup[]> {
  const rows = await sql.query(
    `with ${JUDGED}
     select regexp_replace(j.origin, ':\\d+(\\[\\d+\\])?$', '') as file, named.names as connection, j.status, j.kept,
       count(*)::int as entries, sum(j.bytes)::bigint as bytes, sum(j.messages)::int as messages,
       to_jsonb((array_agg(jsonb_build_object('id', j.id, 'origin', j.origin) order by j.id))[1:${SAMPLES}]) as samples
     from judged j
     cross join lateral (
       select ${connectionNamesSql('j')} as names
     ) named
     group by 1, 2, 3, 4
     order by 1 nulls last, 2 nulls last, 3, 4 nulls first`,
    parametersOf(selection),
  );
  return rowsOf(DISCARD_GROUP, rows);
}

/** The adoptions that stored chosen entries with rows, newest first: undoing the run frees its entries. */
export async function readAdoptionsInUse(sql: Sql, selection: DiscardSelection): Promise<string[]> {
  const rows = await sql.query(
    `with ${JUDGED}
     select r.id from sync_runs r
     where r.options ->> 'adopt' = 'true' and exists (
       select from change_journal e join judged j on e.key ->> 'id' = j.id::text
       where e.run_id = r.id and e.table_name = '${JOURNALED_TABLES.webhook_log.name}' and j.kept is not null
     )
     order by r.started_at desc, r.id desc`,
    parametersOf(selection),
  );
  return rows.map((row) => textOf(row, 'id'));
}

/**
 * Removes the chosen entries without rows, with their rejected items. Journals them under `runId` first, in the
 * caller's transaction. Returns how many of each were removed.
 */
export async function discardEntries(
  tx: Sql,
  runId: string,
  selection: DiscardSelection,
): Promise<{ entries: number; rejects: number }> {
  const { webhook_log, rejects } = JOURNALED_TABLES;
  // Journal entries are compared across sessions: write times in one zone.
  await tx.query(`select set_config('TimeZone', 'UTC', true)`);
  await tx.execute(
    `with ${JUDGED}
     insert into change_journal (run_id, table_name, key, before)
     select $4::uuid, '${webhook_log.name}', ${keyJson(webhook_log)}, ${WHOLE_ENTRY_JSON}
     from judged j join webhook_log t on t.id = j.id where j.kept is null
     order by t.id`,
    [...parametersOf(selection), runId],
  );
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, before)
     select $1::uuid, '${rejects.name}', ${keyJson(rejects)}, ${rowJson(rejects)}
     from change_journal e join rejects t on t.webhook_log_id = (e.key ->> 'id')::uuid
     where e.run_id = $1::uuid and e.table_name = '${webhook_log.name}'
     order by t.id`,
    [runId],
  );
  const gone = await putBack(tx, runId);
  const count = (name: string): number => gone.find(({ table }) => table === name)?.deleted ?? 0;
  return { entries: count(webhook_log.name), rejects: count(rejects.name) };
}

function parametersOf({ ids, origin, runId }: DiscardSelection): SqlParameter[] {
  return [ids === null ? null : arrayLiteral(ids), origin, runId];
}

function samplesOf(value: unknown): { id: string; origin: string | null }[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null || !('id' in one) || typeof one.id !== 'string') return [];
    return [{ id: one.id, origin: 'origin' in one && typeof one.origin === 'string' ? one.origin : null }];
  });
}
