import { arrayLiteral, byteArrayLiteral } from './array-literal.js';
import type { SqlParameter } from './sql.js';

type Scalar = string | number | boolean | Date | null;

/**
 * One column of a set-based statement: rows travel as one array per column and become a table again with `unnest`, so a
 * batch costs one round trip and one plan whatever its size.
 */
export type Column<R> =
  | {
      name: string;
      type: 'uuid' | 'text' | 'integer' | 'boolean' | 'timestamptz' | 'jsonb';
      of: (row: R) => Scalar;
    }
  | { name: string; type: 'bytea'; of: (row: R) => Uint8Array };

/** `unnest($1::uuid[], $2::text[]) as r (id, name)`; parameters are numbered from `first`. */
export function unnestTable<R>(columns: readonly Column<R>[], first = 1): string {
  const arrays = columns.map((column, index) => `$${first + index}::${column.type}[]`).join(', ');
  return `unnest(${arrays}) as r (${columnNames(columns)})`;
}

/**
 * The same, joined to the rows of `table` that have these ids, for `update … from … where table.id = r.found_id`. The fence
 * (`offset 0`) makes it one look-up by primary key per row: left free, the planner of a table without statistics scans the
 * table, or one of its partial indexes, for every batch.
 */
export function unnestFound<R>(
  table: string,
  columns: readonly Column<R>[],
  {
    first = 1,
    condition = 'true',
  }: { first?: number; /** What else must hold for the row of the table. */ condition?: string } = {},
): string {
  return `(select found.id as found_id, r.* from ${unnestTable(columns, first)}
           cross join lateral (select id from ${table} where id = r.id and ${condition} offset 0) found) r`;
}

export function columnNames<R>(columns: readonly Column<R>[]): string {
  return columns.map((column) => column.name).join(', ');
}

/** The parameters that {@link unnestTable} stands for. */
export function unnestParameters<R>(columns: readonly Column<R>[], rows: readonly R[]): SqlParameter[] {
  return columns.map((column) =>
    column.type === 'bytea' ? byteArrayLiteral(rows.map(column.of)) : arrayLiteral(rows.map(column.of)),
  );
}

/** A nullable time in ms as what the driver wants. */
export function time(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
