import { columnNames, columnValues, unnestParameters, unnestTable, type WrittenColumns } from './columns.js';
import type { Sql } from './sql.js';

/**
 * Inserts rows in one statement, and gives how many it wrote. `conflict`: the `on conflict` clause of the table, which is
 * where its conflict rule is read; without one a conflict throws. No rows, no statement.
 */
export async function insertRows<R>(
  tx: Sql,
  table: string,
  some: WrittenColumns<R>,
  rows: readonly R[],
  conflict = '',
): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into ${table} (${columnNames(some)}) select ${columnValues(some)} from ${unnestTable(some)}
     ${conflict}`,
    unnestParameters(some, rows),
  );
}
