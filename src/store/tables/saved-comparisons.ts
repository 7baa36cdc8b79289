import { CRM_NAMES } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import {
  bytes,
  columnNames,
  columns,
  excluded,
  insertRows,
  jsonObject,
  orNull,
  rowsOf,
  text,
  time,
  word,
  type RowOf,
} from '../columns.js';
import type { Sql } from '../sql.js';

const SAVED_COMPARISON = columns({
  name: text,
  crm: word(CRM_NAMES),
  /** Sealed. */
  url: bytes,
  options: jsonObject,
  comparedAt: orNull(time),
  error: orNull(text),
  result: orNull(jsonObject),
});

/** A CRM compared nightly. Times are ms since 1970. */
export type SavedComparison = RowOf<typeof SAVED_COMPARISON>;

export async function readSavedComparisons(sql: Sql): Promise<SavedComparison[]> {
  return rowsOf(
    SAVED_COMPARISON,
    await sql.query(`select ${columnNames(SAVED_COMPARISON)} from saved_comparisons order by name`),
  );
}

/** Saves one; replaces another with the same name, including its findings. */
export async function saveComparison(sql: Sql, row: SavedComparison): Promise<void> {
  await insertRows(
    sql,
    'saved_comparisons',
    SAVED_COMPARISON,
    [row],
    `on conflict (name) do update set ${excluded(SAVED_COMPARISON)}`,
  );
}

/** Replaces it with the same URL sealed with another key. */
export async function resealComparison(tx: Sql, name: string, url: Uint8Array): Promise<void> {
  await tx.execute(`update saved_comparisons set url = $2 where name = $1`, [name, url]);
}

/** Returns whether one with this name existed. */
export async function deleteSavedComparison(sql: Sql, name: string): Promise<boolean> {
  return (await sql.execute(`delete from saved_comparisons where name = $1`, [name])) > 0;
}

/** Records how a comparison ended, and the connections that it matched; if it failed, what was found before stays. */
export async function recordComparison(
  sql: Sql,
  name: string,
  {
    at,
    error,
    result,
    matched,
  }: { at: number; error: string | null; result: JsonObject | null; matched: readonly string[] | null },
): Promise<void> {
  await sql.execute(
    `update saved_comparisons set compared_at = $2::timestamptz, error = $3, result = coalesce($4::jsonb, result),
       options = case when $5::jsonb is null then options else options || jsonb_build_object('matched', $5::jsonb) end
     where name = $1`,
    [
      name,
      new Date(at).toISOString(),
      error,
      result === null ? null : JSON.stringify(result),
      matched === null ? null : JSON.stringify(matched),
    ],
  );
}
