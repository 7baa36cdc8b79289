import { arrayLiteral, byteArrayLiteral } from '../array-literal.js';
import { textOf, integerOf, booleanOf } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';

/** How many stored entries are about one of these names, counted up to `most`. */
export async function countEntriesAbout(sql: Sql, names: readonly string[], most: number): Promise<number> {
  const rows = await sql.query(`select id from webhook_log where chat_ids && $1::text[] limit ${most}`, [
    arrayLiteral(names),
  ]);
  return rows.length;
}

/** An entry that was found, before it is read. */
export interface FoundEntry {
  id: string;
  bytes: number;
}

/** Entries about one of these names, the newest first; with `patterns`, only those that hold one of them. */
export async function findEntriesAbout(
  sql: Sql,
  names: readonly string[],
  { limit, patterns }: { limit: number; patterns?: readonly Uint8Array[] },
): Promise<FoundEntry[]> {
  if (names.length === 0) return [];
  // The fence: to give the newest first, a planner walks the primary key of millions rather than ask the index of names.
  const rows = await sql.query(
    `select id, octet_length(raw_body) as bytes from (
       select id, raw_body from webhook_log w where chat_ids && $1::text[] offset 0
     ) w
     ${patterns === undefined ? '' : `where ${holds('$2')}`} order by id desc limit ${limit}`,
    patterns === undefined ? [arrayLiteral(names)] : [arrayLiteral(names), byteArrayLiteral(patterns)],
  );
  return rows.map(foundOf);
}

/**
 * Entries that hold one of `patterns` among those that were stored just before or after `anchor`: a message's statuses name
 * nobody, so no index finds them, but they come soon after it. At most `entries` are looked at, and `maxBytes` of them.
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
    [anchor, byteArrayLiteral(patterns)],
  );
  return rows.map(foundOf);
}

/** One page of a search of the whole log. */
export interface ScannedPage {
  looked: number;
  /** Where the next page goes on; null at the end of the log. */
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
    entries,
    maxBytes,
  }: { patterns: readonly Uint8Array[]; since?: number; entries: number; maxBytes: number },
): Promise<ScannedPage> {
  const rows = await sql.query(
    `select id, bytes,
       case when $3::timestamptz is null or coalesce(received_at, created_at) >= $3::timestamptz
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
    [before, byteArrayLiteral(patterns), since === undefined ? null : new Date(since)],
  );
  return {
    looked: rows.length,
    last: rows.length === 0 ? null : textOf(rows[rows.length - 1] ?? {}, 'id'),
    found: rows.filter((row) => booleanOf(row, 'hit')).map(foundOf),
  };
}

/**
 * Entries that nobody understood and that hold one of the patterns: no index knows whom they are about. Those with broken
 * JSON are found by the index of what is not done; the strange ones among the `recent` newest entries.
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
    [byteArrayLiteral(patterns)],
  );
  return rows.map(foundOf);
}

/** Entries that were first seen at this place (`file:line`). Reads the whole log, but no bodies. */
export async function findEntriesByOrigin(sql: Sql, origin: string): Promise<FoundEntry[]> {
  const rows = await sql.query(
    `select id, octet_length(raw_body) as bytes from webhook_log
     where origin = $1 or (right(origin, length($1) + 1) = '/' || $1) order by id limit 50`,
    [origin],
  );
  return rows.map(foundOf);
}

/** `position` of a bytea is the byte search of PostgreSQL and PGlite alike. */
function holds(parameter: string): string {
  return `exists (select from unnest(${parameter}::bytea[]) as p (pattern) where position(p.pattern in w.raw_body) > 0)`;
}

function foundOf(row: SqlRow): FoundEntry {
  return { id: textOf(row, 'id'), bytes: integerOf(row, 'bytes') };
}
