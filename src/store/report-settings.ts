import type { Sql } from './sql.js';

/**
 * Runs one statement that groups a whole table into a few rows, inside the caller's transaction. The table is hashed: one
 * that was empty a minute ago has no statistics, and the planner would sort millions of rows on disk, or follow an index
 * through all of them, to group them into ten. Where a server has workers to spare, two of them halve the time.
 */
export async function groupingByHash<T>(tx: Sql, work: () => Promise<T>): Promise<T> {
  await setPlanner(tx, 'off', '2');
  const result = await work();
  await setPlanner(tx, 'on', '0');
  return result;
}

async function setPlanner(tx: Sql, ordered: 'on' | 'off', workers: '0' | '2'): Promise<void> {
  await tx.query(
    `select set_config('enable_sort', $1, true), set_config('enable_incremental_sort', $1, true),
       set_config('enable_indexscan', $1, true), set_config('max_parallel_workers_per_gather', $2, true)`,
    [ordered, workers],
  );
}
