import type { JsonObject, JsonValue } from '../model/json.js';
import { isStorable } from '../model/moment.js';
import type { Sql, SqlParameter, SqlRow } from './sql.js';

/**
 * Narrow readers of database rows. A column that does not match the schema is a bug (or an altered database), so they
 * throw at once instead of passing on a wrong value.
 *
 * A column of the right type can still hold what no reader takes, because other programs write here, too: a time outside of what
 * a Date can hold (`infinity`), or JSON of another shape. One such row must not end every command. It reads as absent, or, where
 * a value is required, as one that no message has: the epoch, an object without keys. `verify` names the row
 * (src/store/checks/malformed.ts).
 */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw unexpected(column, 'text', value);
  return value;
}

export function textOrNull(row: SqlRow, column: string): string | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  if (typeof value !== 'string') throw unexpected(column, 'text', value);
  return value;
}

/** Whether a value read from a timestamptz column is a time. The drivers give `infinity` as a number, or as an invalid Date. */
export function isTime(value: unknown): value is Date {
  return value instanceof Date && isStorable(value.getTime());
}

/** Milliseconds since 1970 of a timestamptz column. */
export function timeOf(row: SqlRow, column: string): number {
  const value = row[column];
  if (isTime(value)) return value.getTime();
  if (value instanceof Date || typeof value === 'number') return 0;
  throw unexpected(column, 'timestamp', value);
}

export function timeOrNull(row: SqlRow, column: string): number | null {
  const value = row[column];
  if (value === null || value === undefined) return null;
  const ms = timeOf(row, column);
  return isTime(value) ? ms : null;
}

export function integerOf(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'number') throw unexpected(column, 'integer', value);
  return value;
}

/** The number returned as `count` by a one-row query. */
export async function readCount(
  sql: Sql,
  query: string,
  parameters: readonly SqlParameter[] = [],
): Promise<number> {
  const [row] = await sql.query(query, parameters);
  return row === undefined ? 0 : integerOf(row, 'count');
}

export function integerOrNull(row: SqlRow, column: string): number | null {
  const value = row[column];
  return value === null || value === undefined ? null : integerOf(row, column);
}

export function booleanOf(row: SqlRow, column: string): boolean {
  const value = row[column];
  if (typeof value !== 'boolean') throw unexpected(column, 'boolean', value);
  return value;
}

export function bytesOf(row: SqlRow, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw unexpected(column, 'bytes', value);
  return value;
}

/** The texts of an array, PostgreSQL's or JSON's. */
export function textsOf(row: SqlRow, column: string): string[] {
  const value = row[column];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** One word of an enumeration; the database's check constraints hold the same list. */
export function wordOf<W extends string>(row: SqlRow, column: string, words: readonly W[]): W {
  const value = row[column];
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) throw unexpected(column, words.join('|'), value);
  return word;
}

/** A jsonb column that holds an object, or null; null for any other shape. */
export function jsonObjectOrNull(row: SqlRow, column: string): JsonObject | null {
  const value = row[column];
  return isJsonObject(value) ? value : null;
}

/** Of a column whose other shapes must not be taken for nothing. */
export function exactObjectOf(row: SqlRow, column: string): JsonObject {
  const value = row[column];
  if (!isJsonObject(value)) throw unexpected(column, 'json object', value);
  return value;
}

/** jsonb returns valid JSON by construction, so checking the outermost type is enough. */
export function isJsonObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function unexpected(column: string, wanted: string, value: unknown): TypeError {
  return new TypeError(`column ${column}: expected ${wanted}, got ${value === null ? 'null' : typeof value}`);
}
