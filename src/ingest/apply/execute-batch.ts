import type { Context } from '../../context.js';
import type { EntryStatus } from '../../model/enumerations.js';
import type { StoredNames } from '../../rules/erased-people.js';
import type { Sql } from '../../store/sql.js';
import { claimEntries } from '../../store/tables/stored-entries.js';
import { type Batch, type PreparedEntry, Batcher } from '../batch/batch.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import { Tally } from '../batch/tally.js';
import { inBatch } from '../runs/in-batch.js';
import type { Target } from '../runs/with-run.js';
import { storeErasedNames } from './erased-names.js';
import { applyBatch, type BatchResult } from './apply-batch.js';
import type { ApplySettings } from './work.js';

/** How batches are applied; the same for all batches of one feed. */
interface Execution {
  settings: ApplySettings;
  directory: ConnectionDirectory;
  /** The statuses in which stored entries are due; null for new entries. */
  claim: readonly EntryStatus[] | null;
  target: Target;
}

/** What the batches of a run have done so far. */
export interface Applied {
  tally: Tally;
  /** Connections that received something. */
  touched: Set<string>;
  /** Entries due again because an id was settled differently than before (M9). */
  requeued: number;
  /** Rows that contradict entries which were applied before. */
  contested: Set<string>;
  /** Connections whose key ids were restored. */
  withRightKeys: Set<string>;
  /** How often a batch was repeated because of another writer. */
  conflicts: number;
}

export function nothingApplied(): Applied {
  return {
    tally: new Tally(),
    touched: new Set(),
    requeued: 0,
    contested: new Set(),
    withRightKeys: new Set(),
    conflicts: 0,
  };
}

/**
 * Applies one batch in one transaction and, after the commit, counts it into `applied`. `alongside` runs in the same
 * transaction and receives the run's totals including this batch. False if another run has claimed all of it.
 */
export async function executeBatch(
  ctx: Context,
  { settings, directory, claim, target }: Execution,
  batch: Batch,
  applied: Applied,
  alongside?: (tx: Sql, total: Tally) => Promise<void>,
): Promise<boolean> {
  const { erased } = directory;
  let attempts = 0;
  const result = await inBatch(
    ctx,
    { target },
    async (tx): Promise<(BatchResult & { names: StoredNames | null }) | null> => {
      attempts += 1;
      if (claim !== null && !(await claimBatch(tx, batch, claim))) return null;
      // Before the organizations' locks: whoever holds these waits for no other batch's names.
      const names = erased === null ? null : await storeErasedNames(tx, erased, entriesOf(batch));
      const done = await applyBatch(
        tx,
        { ...settings, withRightKeys: applied.withRightKeys },
        directory,
        batch,
      );
      await alongside?.(tx, sumOf(applied.tally, done.tally));
      return { ...done, names };
    },
  );
  applied.conflicts += attempts - 1;
  if (result === null) return false;
  directory.committed(batch, result.withoutOwnNumber);
  if (result.names !== null) erased?.committed(result.names);
  applied.tally.absorb(result.tally);
  applied.requeued += result.requeued;
  for (const id of result.contested) applied.contested.add(id);
  for (const id of result.withRightKeys) applied.withRightKeys.add(id);
  for (const { slice, logId, isDuplicate, rejected } of result.slices) {
    Object.assign(slice.progress, { logId, isDuplicate, rejected });
    for (const { section } of slice.parts) {
      if (section.connection !== null && section.pending === null) applied.touched.add(section.connection.id);
    }
  }
  return true;
}

function entriesOf({ slices }: Batch): PreparedEntry[] {
  return slices.map(({ entry }) => entry);
}

function sumOf(...parts: readonly Tally[]): Tally {
  const total = new Tally();
  for (const part of parts) total.absorb(part);
  return total;
}

/**
 * Claims the batch's entries for this transaction and drops those that another run is processing or has finished. An
 * entry of several slices is claimed by its first and stays `pending` until its last. False if nothing is left.
 */
async function claimBatch(tx: Sql, batch: Batch, statuses: readonly EntryStatus[]): Promise<boolean> {
  const ids = batch.slices.flatMap((slice) => slice.entry.storedId ?? []);
  const claimed = await claimEntries(tx, ids, statuses);
  batch.slices = batch.slices.filter(
    (slice) => slice.entry.storedId !== null && claimed.has(slice.entry.storedId),
  );
  return batch.slices.length > 0;
}

/** How entries are applied; everything else is as in a replay. */
interface Application {
  settings: Pick<ApplySettings, 'tickets' | 'syncSource' | 'takesUpWaiting'>;
  directory: ConnectionDirectory;
  /** The statuses in which stored entries are due; null for new entries. */
  claim: readonly EntryStatus[] | null;
}

/** Shared by all entries that one run applies. */
export interface Applier {
  runId: string;
  newId: () => string;
  batchSize: number;
  target: Target;
}

/**
 * Applies prepared entries through the replay pipeline: batch by batch, a transaction each, the raw entry with its
 * first items. Stops between two batches when the user does.
 */
export async function applyEntries(
  ctx: Context,
  { runId, newId, batchSize, target }: Applier,
  { settings, directory, claim }: Application,
  entries: AsyncIterable<PreparedEntry> | Iterable<PreparedEntry>,
): Promise<Applied> {
  const applied = nothingApplied();
  const execution: Execution = {
    settings: { ...settings, runId, newId, clock: ctx.clock },
    directory,
    claim,
    target,
  };
  const batcher = new Batcher(() => batchSize);
  for await (const entry of entries) {
    for (const batch of batcher.add(entry, null)) await executeBatch(ctx, execution, batch, applied);
    // Entries already read are still applied: a page from the phone has no second copy.
    if (ctx.signal.aborted) break;
  }
  const rest = batcher.rest();
  if (rest !== null) await executeBatch(ctx, execution, rest, applied);
  return applied;
}
