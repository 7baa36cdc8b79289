import type { Sql } from './sql.js';
import type { Store } from './store.js';
import { prepareMessageLookup } from './tables/message-lookup.js';

/**
 * Runs `work` on one moment of the database: whatever others commit meanwhile, every statement sees the same rows, and none
 * can write. Costs the others nothing but dead rows that stay until it ends. On the embedded database it is the one
 * connection: a statement outside of it waits until it ends.
 */
export function inSnapshot<T>(
  store: Store,
  work: (sql: Sql) => Promise<T>,
  {
    findsMessages = false,
  }: {
    /** Looks up every message of the log: see {@link prepareMessageLookup}. */ findsMessages?: boolean;
  } = {},
): Promise<T> {
  return store.transaction(async (tx) => {
    // The first statement: later, PostgreSQL refuses to change what has begun.
    await tx.execute('set transaction isolation level repeatable read');
    if (findsMessages) await prepareMessageLookup(tx);
    await tx.execute('set transaction read only');
    await tx.query(
      // Sorts and hashes of millions of rows spill to disk early with the default of 4 MB. A cursor is read to its end, so
      // the plan with the quickest first row, which the planner prefers for one, is the wrong one.
      `select set_config('work_mem', '64MB', true), set_config('cursor_tuple_fraction', '1', true)`,
    );
    return work(tx);
  });
}
