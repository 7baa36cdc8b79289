import type { EntryStatus } from '../../model/enumerations.js';
import type { Sql } from '../../store/sql.js';
import type { Batch } from '../batch/batch.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import { Tally } from '../batch/tally.js';
import type { Context } from '../../context.js';
import { inBatch } from '../runs/in-batch.js';
import type { Target } from '../runs/with-run.js';
import { applyBatch, type BatchResult } from './apply-batch.js';
import { claimBatch } from './claim-batch.js';
import type { ApplySettings } from './work.js';

/** How batches go in; the same for all batches of one feed. */
export interface Execution {
  settings: ApplySettings;
  directory: ConnectionDirectory;
  /** The statuses in which stored entries are due; null for entries that are new. */
  claim: readonly EntryStatus[] | null;
  target: Target;
}

/** What the batches of a run have done so far. */
export interface Applied {
  tally: Tally;
  /** Connections that got something. */
  touched: Set<string>;
  /** Entries that became due again because an id was settled otherwise than before (M9). */
  requeued: number;
  /** Rows that contradict entries which were applied before. */
  contested: Set<string>;
}

export function nothingApplied(): Applied {
  return { tally: new Tally(), touched: new Set(), requeued: 0, contested: new Set() };
}

/**
 * Applies one batch in one transaction and, once that has committed, counts it into `applied`. `alongside` belongs to the
 * same transaction and is given what the run will have done with this batch. False when another run has claimed all of it.
 */
export async function executeBatch(
  ctx: Context,
  { settings, directory, claim, target }: Execution,
  batch: Batch,
  applied: Applied,
  alongside?: (tx: Sql, total: Tally) => Promise<void>,
): Promise<boolean> {
  const result = await inBatch(ctx, { target }, async (tx): Promise<BatchResult | null> => {
    if (claim !== null && !(await claimBatch(tx, batch, claim))) return null;
    const done = await applyBatch(tx, settings, directory, batch);
    await alongside?.(tx, sumOf(applied.tally, done.tally));
    return done;
  });
  if (result === null) return false;
  directory.committed(batch, result.withoutOwnNumber);
  applied.tally.absorb(result.tally);
  applied.requeued += result.requeued;
  for (const id of result.contested) applied.contested.add(id);
  for (const { slice, logId, isDuplicate, rejected } of result.slices) {
    Object.assign(slice.progress, { logId, isDuplicate, rejected });
    for (const { section } of slice.parts) {
      if (section.connection !== null && section.pending === null) applied.touched.add(section.connection.id);
    }
  }
  return true;
}

function sumOf(...parts: readonly Tally[]): Tally {
  const total = new Tally();
  for (const part of parts) total.absorb(part);
  return total;
}
