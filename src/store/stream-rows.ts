import { createHash } from 'node:crypto';
import { rowsOf, type Columns } from './columns.js';
import type { Sql, SqlParameter, SqlRow } from './sql.js';

const PAGE = 1000;

/**
 * The rows of a query, a page at a time, through a cursor: inside a transaction only. Memory stays flat whatever the number of
 * rows, and the query runs once, where keyset pages would sort or group once per page.
 */
export async function* streamRows(
  tx: Sql,
  query: string,
  parameters: readonly SqlParameter[] = [],
  pageSize = PAGE,
): AsyncGenerator<SqlRow[], void, undefined> {
  // Named by the query: `fetch` is prepared once per session, and must go on giving the columns that it gave.
  const name = `wa_${createHash('sha256').update(query).digest('hex').slice(0, 24)}`;
  await tx.execute(`declare ${name} no scroll cursor for ${query}`, parameters);
  // Left early or by an error, the cursor goes with its transaction; closing it then would only hide the error.
  for (;;) {
    const rows = await tx.query(`fetch forward ${pageSize} from ${name}`);
    if (rows.length > 0) yield rows;
    if (rows.length < pageSize) break;
  }
  await tx.execute(`close ${name}`);
}

/** The same, with every row read. */
export async function* streamRowsOf<R>(
  tx: Sql,
  columns: Columns<R>,
  query: string,
  parameters: readonly SqlParameter[] = [],
  pageSize = PAGE,
): AsyncGenerator<R[], void, undefined> {
  for await (const page of streamRows(tx, query, parameters, pageSize)) yield rowsOf(columns, page);
}
