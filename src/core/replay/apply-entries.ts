import { prepareBatch } from '../../store/batch-lock.js';
import type { EntryStatus } from '../../model/enumerations.js';
import type { Sql } from '../../store/sql.js';
import { applyBatch, type BatchResult } from '../apply/apply-batch.js';
import type { ApplySettings } from '../apply/work.js';
import type { Batch, PreparedEntry } from '../batch/batch.js';
import { Batcher } from '../batch/batcher.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import { Tally } from '../batch/tally.js';
import type { Context } from '../context.js';
import { claimBatch } from './claim-batch.js';

/** How often a batch is tried again after another writer got in its way. */
const BATCH_RETRIES = 20;

/** How entries go in; the rest is as in a replay. */
export interface Application {
  settings: Pick<ApplySettings, 'tickets' | 'syncSource'>;
  directory: ConnectionDirectory;
  /** The statuses in which stored entries are due; null for entries that are new. */
  claim: readonly EntryStatus[] | null;
}

/** Where entries go: the database, or for a dry run the one transaction that is rolled back. */
export interface Target {
  sql: Sql;
  dryRun: boolean;
}

/** What is the same for all entries that one run applies. */
export interface Applier {
  runId: string;
  newId: () => string;
  batchSize: number;
  target: Target;
}

export interface Applied {
  tally: Tally;
  /** Connections that got something. */
  touched: Set<string>;
  /** Entries that became due again because an id was settled otherwise than before (M9). */
  requeued: number;
}

/**
 * Applies prepared entries through the pipeline of a replay: batch by batch, a transaction each, the raw entry with its
 * first items. Stops between two batches when the user does.
 */
export async function applyEntries(
  ctx: Context,
  applier: Applier,
  { settings, directory, claim }: Application,
  entries: AsyncIterable<PreparedEntry> | Iterable<PreparedEntry>,
): Promise<Applied> {
  const { runId, newId, batchSize, target } = applier;
  const applied: Applied = { tally: new Tally(), touched: new Set(), requeued: 0 };
  const full: ApplySettings = { ...settings, runId, newId, clock: ctx.clock };
  const batcher = new Batcher(batchSize);

  async function apply(batch: Batch): Promise<void> {
    const work = async (tx: Sql): Promise<BatchResult | null> => {
      await prepareBatch(tx, ctx.store.backend);
      if (claim !== null && !(await claimBatch(tx, batch, claim))) return null;
      return applyBatch(tx, full, directory, batch);
    };
    const result = target.dryRun
      ? await work(target.sql)
      : await ctx.store.transaction(work, { retries: BATCH_RETRIES });
    if (result !== null) settle(directory, batch, result, applied);
  }

  for await (const entry of entries) {
    for (const batch of batcher.add(entry, null)) await apply(batch);
    // What has been read already is still applied: of a page that the phone sent, there is no second copy.
    if (ctx.signal.aborted) break;
  }
  const rest = batcher.rest();
  if (rest !== null) await apply(rest);
  return applied;
}

/** The batch has committed: now its counts are true. */
function settle(directory: ConnectionDirectory, batch: Batch, result: BatchResult, applied: Applied): void {
  directory.committed(batch);
  applied.tally.absorb(result.tally);
  applied.requeued += result.requeued;
  for (const { slice, logId, isDuplicate, rejected } of result.slices) {
    Object.assign(slice.progress, { logId, isDuplicate, rejected });
    for (const { section } of slice.parts) {
      if (section.connection !== null && section.pending === null) applied.touched.add(section.connection.id);
    }
  }
}
