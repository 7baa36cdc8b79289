import type { EntryStatus } from '../../model/enumerations.js';
import { executeBatch, nothingApplied, type Applied, type Execution } from './execute-batch.js';
import type { ApplySettings } from './work.js';
import type { PreparedEntry } from '../batch/batch.js';
import { Batcher } from '../batch/batcher.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import type { Context } from '../../context.js';
import type { Target } from '../runs/with-run.js';

export type { Applied } from './execute-batch.js';

/** How entries go in; the rest is as in a replay. */
interface Application {
  settings: Pick<ApplySettings, 'tickets' | 'syncSource' | 'takesUpWaiting'>;
  directory: ConnectionDirectory;
  /** The statuses in which stored entries are due; null for entries that are new. */
  claim: readonly EntryStatus[] | null;
}

/** What is the same for all entries that one run applies. */
export interface Applier {
  runId: string;
  newId: () => string;
  batchSize: number;
  target: Target;
}

/**
 * Applies prepared entries through the pipeline of a replay: batch by batch, a transaction each, the raw entry with its
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
  const batcher = new Batcher(batchSize);
  for await (const entry of entries) {
    for (const batch of batcher.add(entry, null)) await executeBatch(ctx, execution, batch, applied);
    // What has been read already is still applied: of a page that the phone sent, there is no second copy.
    if (ctx.signal.aborted) break;
  }
  const rest = batcher.rest();
  if (rest !== null) await executeBatch(ctx, execution, rest, applied);
  return applied;
}
