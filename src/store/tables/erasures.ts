import { arrayLiteral } from '../array-literal.js';
import { columns, insertRows, jsonObject, orNull, rowsOf, text, time, uuid, type RowOf } from '../columns.js';
import { bytesOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';

/** The only row of erasure_keys. */
const KEY = 'names';

const ERASURE = columns({
  id: uuid,
  runId: uuid,
  startedAt: time,
  completedAt: orNull(time),
  counts: jsonObject,
});

/** The erasure of a person. Times are ms since 1970. */
export type ErasureRow = RowOf<typeof ERASURE>;

/** The key of the hashes, sealed; null before the first erasure. */
export async function readErasureKey(sql: Sql): Promise<Uint8Array | null> {
  const [row] = await sql.query(`select sealed from erasure_keys where name = $1`, [KEY]);
  return row === undefined ? null : bytesOf(row, 'sealed');
}

/** Puts a sealed key in the place of the one that is there. */
export async function writeErasureKey(tx: Sql, sealed: Uint8Array): Promise<void> {
  await tx.execute(
    `insert into erasure_keys (name, sealed) values ($1, $2) on conflict (name) do update set sealed = excluded.sealed`,
    [KEY, sealed],
  );
}

/** What is left of the names of all erased people. */
export async function readErasedHashes(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(`select name_hash from erased_identities`);
  return new Set(rows.map((row) => textOf(row, 'name_hash')));
}

/** Records the beginning of an erasure, or that another run goes on with it, and the hashes of the person's names. */
export async function beginErasure(
  tx: Sql,
  erasure: Pick<ErasureRow, 'id' | 'runId' | 'startedAt'>,
  hashes: readonly string[],
): Promise<void> {
  await tx.execute(
    `insert into erasures (id, run_id, started_at, counts) values ($1, $2, $3, '{}')
     on conflict (id) do update set run_id = excluded.run_id, completed_at = null`,
    [erasure.id, erasure.runId, new Date(erasure.startedAt)],
  );
  const identity = columns({ nameHash: text, erasureId: uuid });
  await insertRows(
    tx,
    'erased_identities',
    identity,
    hashes.map((nameHash) => ({ nameHash, erasureId: erasure.id })),
    'on conflict (name_hash) do nothing',
  );
}

/**
 * Adds hashes of names to the erasures that have the hash beside each. One of whose person the database has rows under such a name,
 * stored before anything told whose it is, has not ended: the same contact erases these as well.
 */
export async function addErasedNames(
  tx: Sql,
  learned: ReadonlyMap<string, { stored: string; name: string }>,
): Promise<void> {
  if (learned.size === 0) return;
  const hashes = [...learned.keys()];
  const names = [...learned.values()];
  await tx.execute(
    `insert into erased_identities (name_hash, erasure_id)
     select k.learned, i.erasure_id from unnest($1::text[], $2::text[]) as k (learned, known)
     join erased_identities i on i.name_hash = k.known
     on conflict (name_hash) do nothing`,
    [arrayLiteral(hashes), arrayLiteral(names.map(({ stored }) => stored))],
  );
  await tx.execute(
    `update erasures set completed_at = null where completed_at is not null and id in (
       select i.erasure_id from unnest($1::text[], $2::text[]) as k (learned, name)
       join erased_identities i on i.name_hash = k.learned
       where exists (select from lead_identities l where l.value = k.name)
     )`,
    [arrayLiteral(hashes), arrayLiteral(names.map(({ name }) => name))],
  );
}

/** The hashes of these erasures. */
export async function readHashesOf(sql: Sql, erasureIds: readonly string[]): Promise<Set<string>> {
  const rows = await sql.query(`select name_hash from erased_identities where erasure_id = any($1::uuid[])`, [
    arrayLiteral(erasureIds),
  ]);
  return new Set(rows.map((row) => textOf(row, 'name_hash')));
}

/** Adds what is gone to the counts of an erasure; `completedAt` ends it. */
export async function recordErasure(
  tx: Sql,
  id: string,
  gone: Readonly<Record<string, number>>,
  completedAt: number | null = null,
): Promise<void> {
  await tx.execute(
    `update erasures set completed_at = coalesce($3::timestamptz, completed_at),
       counts = (
         select coalesce(jsonb_object_agg(name, rows), '{}') from (
           select name, sum(rows::bigint) as rows
           from (select * from jsonb_each_text(counts) union all select * from jsonb_each_text($2::jsonb)) c (name, rows)
           group by name
         ) s where rows > 0
       )
     where id = $1`,
    [id, JSON.stringify(gone), completedAt === null ? null : new Date(completedAt)],
  );
}

/**
 * SQL: an erasure that has not ended took the person out of the body of a row of webhook_log. Every run of the same erasure counts, as one
 * that was killed is gone on with by another.
 */
export const IS_ERASING_SQL = `case when body_state in ('erased', 'redacted') then exists (
    select from sync_runs r join erasures e on r.command = 'erase' and position(e.id::text in r.work) > 0
    where r.id = body_run_id and e.completed_at is null
  ) else false end`;

/** The erasures of which one of these hashes is, newest first. */
export async function findErasures(sql: Sql, hashes: readonly string[]): Promise<ErasureRow[]> {
  const rows = await sql.query(
    `select id, run_id, started_at, completed_at, counts from erasures
     where id in (select erasure_id from erased_identities where name_hash = any($1::text[])) order by started_at desc`,
    [arrayLiteral(hashes)],
  );
  return rowsOf(ERASURE, rows);
}

/** Forgets that these people were erased; null: anybody. Returns how many they were. */
export async function forgetErasures(tx: Sql, ids: readonly string[] | null): Promise<number> {
  const forgotten = await tx.execute(
    `delete from erasures where $1::uuid[] is null or id = any($1::uuid[])`,
    [ids === null ? null : arrayLiteral(ids)],
  );
  // A key that names nobody is no reason to ask for the secret key.
  await tx.execute(`delete from erasure_keys where not exists (select from erasures)`);
  return forgotten;
}

/** The erasures that have not ended, oldest first: whose command is at work, or was stopped or killed. */
export async function readUnfinishedErasures(sql: Sql): Promise<ErasureRow[]> {
  const rows = await sql.query(
    `select id, run_id, started_at, completed_at, counts from erasures where completed_at is null order by started_at, id`,
  );
  return rowsOf(ERASURE, rows);
}
