import type { EntryStatus } from '../../model/enumerations.js';
import type { Sql } from '../../store/sql.js';
import { claimEntries } from '../../store/tables/stored-entries.js';
import type { Batch } from '../batch/batch.js';

/**
 * Takes the batch's entries for this transaction and drops those that another run works on or has finished. An entry of
 * several slices is claimed by its first and held by the `pending` that it keeps until its last. False when nothing is left.
 */
export async function claimBatch(tx: Sql, batch: Batch, statuses: readonly EntryStatus[]): Promise<boolean> {
  const ids = batch.slices.flatMap((slice) => slice.entry.storedId ?? []);
  const claimed = await claimEntries(tx, ids, statuses);
  batch.slices = batch.slices.filter(
    (slice) => slice.entry.storedId !== null && claimed.has(slice.entry.storedId),
  );
  return batch.slices.length > 0;
}
