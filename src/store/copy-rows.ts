import type { ArrayElement } from './array-literal.js';
import type { WrittenColumns } from './columns.js';
import type { Sql } from './sql.js';

/** Rows that are put together at a time: the server stores them while the next ones are. */
const ROWS_AT_ONCE = 250;

/**
 * Stores new rows by COPY, which takes a third less of the server's time than an insert of arrays. A conflict fails, and with it the
 * transaction. Returns the number of rows.
 */
export function copyRows<R>(
  copy: NonNullable<Sql['copy']>,
  table: string,
  some: WrittenColumns<R>,
  rows: readonly R[],
): Promise<number> {
  const names = some.map(({ name }) => name).join(', ');
  return copy(`copy ${table} (${names}) from stdin`, linesOf(some, rows));
}

function* linesOf<R>(some: WrittenColumns<R>, rows: readonly R[]): Generator<string> {
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
    let lines = '';
    for (const row of rows.slice(at, at + ROWS_AT_ONCE)) {
      let separator = '';
      for (const { element } of some) {
        lines += separator + fieldOf(element(row));
        separator = '\t';
      }
      lines += '\n';
    }
    yield lines;
  }
}

/** What separates fields and lines, or begins an escape. */
const SPECIAL = /[\\\t\n\r]/;

/**
 * A value in COPY's text format: `\N` is null, and a backslash makes a special character an ordinary one.
 *
 * @example fieldOf('a\tb') // 'a\\tb'
 */
export function fieldOf(value: ArrayElement): string {
  if (value === null || value === undefined) return '\\N';
  if (typeof value === 'string') return SPECIAL.test(value) ? escaped(value) : value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array)
    return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  return String(value);
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r');
}
