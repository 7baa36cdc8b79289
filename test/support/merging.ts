import { randomUUID } from 'node:crypto';
import { journaled, type JournalScope } from '../../src/store/journal/journal.js';
import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { insertRun } from '../../src/store/tables/sync-runs.js';

/** A run of dedupe that does `work` in one batch, or one more batch of the run `runId`. Gives the run's id. */
export async function merge(
  store: Store,
  scope: JournalScope,
  work: (tx: Sql) => Promise<unknown>,
  runId?: string,
): Promise<string> {
  const id = runId ?? randomUUID();
  await store.transaction(async (tx) => {
    if (runId === undefined) {
      const run = {
        id,
        command: 'dedupe',
        options: {},
        host: 'h',
        pid: 1,
        startedAt: Date.now(),
        resumed: null,
      };
      await insertRun(tx, run);
    }
    await journaled(tx, id, scope, () => work(tx));
  });
  return id;
}
