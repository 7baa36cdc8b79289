import type { Sql } from './sql.js';
import type { Backend } from './store.js';

/** Settings of a look over whole tables: a nested loop, which a planner without statistics may choose, would never end. */
export async function prepareLook(tx: Sql): Promise<void> {
  await tx.query(`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`);
}

/** Lets the planner choose again, for what the same transaction looks at besides. */
export async function endLook(tx: Sql): Promise<void> {
  await tx.query(`select set_config('enable_nestloop', 'on', true)`);
}

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

/**
 * Settings of one batch's transaction, gone with it.
 *
 * Planner: every statement of a batch looks up at most some thousand rows by index. A table that was empty a minute ago has
 * no statistics, and the planner would join by scanning all of it, batch after batch.
 *
 * Flush: the commit may return before it is on disk. A power failure may then undo the last batches, rows and checkpoint
 * alike, and the run goes on from before them; the run's last commit is a normal one and covers them all. Only where a server
 * outlives us: the embedded database keeps such commits in our own memory, and a kill would undo megabytes of finished work.
 */
export async function prepareBatch(tx: Sql, backend: Backend): Promise<void> {
  await tx.query(
    `select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true), set_config('synchronous_commit', $1, true)`,
    [backend === 'pglite' ? 'on' : 'off'],
  );
}
