import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { around } from '../../src/store/transactions.js';

/** Rows of a table that one transaction has read, by whatever plan. */
export interface TableReads {
  table: string;
  rows: number;
}

/** A store that notes what each of its transactions has read. */
export function watchReads(store: Store): { store: Store; reads: TableReads[] } {
  const reads: TableReads[] = [];
  return {
    reads,
    store: {
      ...store,
      transaction: (work, options) =>
        store.transaction(async (tx) => {
          let before: Map<string, number> | undefined;
          // Not before the isolation level is set, which has to be a transaction's first statement.
          const beginsWith = async (text: string): Promise<void> => {
            if (!/^\s*set /i.test(text))
              before ??= new Map((await readsOf(tx)).map(({ table, rows }) => [table, rows]));
          };
          const result = await work(
            around(tx, async (run, text) => {
              await beginsWith(text);
              return run();
            }),
          );
          for (const { table, rows } of await readsOf(tx))
            reads.push({ table, rows: rows - (before?.get(table) ?? 0) });
          return result;
        }, options),
    },
  };
}

/** Counted are also reads of earlier transactions that the session has not reported yet, which it does once a second at most. */
async function readsOf(tx: Sql): Promise<TableReads[]> {
  const rows = await tx.query(
    `select relname::text as table, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int as rows
     from pg_stat_xact_user_tables`,
  );
  return rows.map((row) => ({ table: String(row['table']), rows: Number(row['rows']) }));
}
