import { arrayLiteral } from '../array-literal.js';
import { columns, insertRows, jsonObject, orNull, rowsOf, text, time, uuid, type RowOf } from '../columns.js';
import { bytesOf, integerOf, textOf } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';

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

/** What is wrong with the record of who was erased; whoever it concerns is not recognized when they come again. */
export interface ErasureDamage {
  /** Hashes without the key that they were made with. */
  keyless: number;
  /** Hashes in a form that no name has. */
  malformed: number;
  /** Erasures without any hash. */
  nameless: number;
}

export async function readErasureDamage(sql: Sql): Promise<ErasureDamage> {
  const [row] = await sql.query(
    `select (select count(*)::int from erased_identities where not exists (select from erasure_keys where name = $1)) as keyless,
       (select count(*)::int from erased_identities where name_hash !~ '^[0-9a-f]{64}$') as malformed,
       (select count(*)::int from erasures e where not exists (select from erased_identities i where i.erasure_id = e.id)) as nameless`,
    [KEY],
  );
  if (row === undefined) throw new Error('a select of counts gave no row');
  return {
    keyless: integerOf(row, 'keyless'),
    malformed: integerOf(row, 'malformed'),
    nameless: integerOf(row, 'nameless'),
  };
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

/** The transaction that last wrote the key: each one that adds hashes does. */
const VERSION = 'xmin::text as version';

function versionIn([row]: readonly SqlRow[]): string {
  return row === undefined ? '' : textOf(row, 'version');
}

/**
 * Holds the hashes of all erased people as they are until the transaction ends: beside others that read, or alone, to add to them. Returns
 * their version, which is another one after each addition.
 */
export async function holdErasedHashes(tx: Sql, to: 'read' | 'add'): Promise<string> {
  const lock = to === 'read' ? 'share' : 'no key update';
  return versionIn(await tx.query(`select ${VERSION} from erasure_keys where name = $1 for ${lock}`, [KEY]));
}

/** The version of the hashes of all erased people, as {@link holdErasedHashes} tells it. */
export async function readErasedVersion(sql: Sql): Promise<string> {
  return versionIn(await sql.query(`select ${VERSION} from erasure_keys where name = $1`, [KEY]));
}

/** Adds hashes of names to the erasures that have the hash beside each. Returns the version of the hashes with these. */
export async function addErasedNames(tx: Sql, learned: ReadonlyMap<string, string>): Promise<string> {
  await tx.execute(
    `insert into erased_identities (name_hash, erasure_id)
     select k.learned, i.erasure_id from unnest($1::text[], $2::text[]) as k (learned, known)
     join erased_identities i on i.name_hash = k.known
     on conflict (name_hash) do nothing`,
    [arrayLiteral([...learned.keys()]), arrayLiteral([...learned.values()])],
  );
  return versionIn(
    await tx.query(`update erasure_keys set sealed = sealed where name = $1 returning ${VERSION}`, [KEY]),
  );
}

/**
 * The erasures of which one of these hashes is have not ended: there may be rows under a name that is new. Returns those that had, with
 * when, in ms since 1970.
 */
export async function reopenErasures(tx: Sql, hashes: readonly string[]): Promise<Map<string, number>> {
  const rows = await tx.query(
    `with ended as materialized (
       select id, completed_at from erasures where completed_at is not null
         and id in (select erasure_id from erased_identities where name_hash = any($1::text[]))
     )
     update erasures e set completed_at = null from ended where e.id = ended.id
     returning e.id, ended.completed_at as ended_at`,
    [arrayLiteral(hashes)],
  );
  return new Map(rowsOf(columns({ id: uuid, endedAt: time }), rows).map(({ id, endedAt }) => [id, endedAt]));
}

/** Ends erasures at these times, in ms since 1970. */
export async function endErasures(tx: Sql, ended: ReadonlyMap<string, number>): Promise<void> {
  if (ended.size === 0) return;
  await tx.execute(
    `update erasures e set completed_at = k.ended_at
     from unnest($1::uuid[], $2::timestamptz[]) as k (id, ended_at) where e.id = k.id`,
    [
      arrayLiteral([...ended.keys()]),
      arrayLiteral([...ended.values()].map((ms) => new Date(ms).toISOString())),
    ],
  );
}

/** The hashes of these erasures, each with the erasure that it is of. */
export async function readHashesOf(sql: Sql, erasureIds: readonly string[]): Promise<Map<string, string>> {
  const rows = await sql.query(
    `select name_hash, erasure_id from erased_identities where erasure_id = any($1::uuid[])`,
    [arrayLiteral(erasureIds)],
  );
  return new Map(rows.map((row) => [textOf(row, 'name_hash'), textOf(row, 'erasure_id')]));
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
 * that was killed is gone on with by another; and so may a run that applied the entry meanwhile.
 */
export const IS_ERASING_SQL = `case when body_state in ('erased', 'redacted') then exists (
    select from sync_runs r join erasures e on r.command <> 'erase' or position(e.id::text in r.work) > 0
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
