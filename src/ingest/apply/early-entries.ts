import { insertEntries, type RawLogRow } from '../../store/tables/webhook-log.js';
import { assertWritten, underWay } from '../../store/transactions.js';
import type { Batch } from '../batch/batch.js';
import type { KnownState } from './collect-items.js';
import type { BatchWork } from './work.js';
import { endOf, rawLogRow } from './write-entries.js';

/**
 * The batch's new raw entries, stored before their messages are merged: the database has nothing else to do while this thread merges.
 * How an entry ends is known only afterwards; `writeEntries` corrects the few that end otherwise than foreseen here.
 */
export class EarlyEntries {
  /** The rows as they are stored, by entry key. */
  readonly rows = new Map<string, RawLogRow>();
  private storing: Promise<void> = Promise.resolve();

  constructor(
    private readonly work: BatchWork,
    private readonly batch: Batch,
    private readonly known: ReadonlyMap<string, KnownState>,
  ) {}

  /** Sends the rows; comes back once they have left, and not when they are stored. */
  async begin(): Promise<void> {
    for (const slice of this.batch.slices) {
      const { entry, progress } = slice;
      const state = this.known.get(entry.key);
      if (state === undefined || state.isStored) continue;
      const rejected = progress.rejected + (this.work.rejectedBySlice.get(slice) ?? 0);
      const ended = endOf(slice, state, rejected);
      const row = this.rows.get(entry.key);
      // The same bytes twice in one batch are one row; the later one sets the outcome.
      if (row === undefined) this.rows.set(entry.key, rawLogRow(this.work, entry, state.id, ended));
      else Object.assign(row, ended);
    }
    if (this.rows.size === 0) return;
    const { part } = await underWay(this.store());
    this.storing = part;
  }

  /**
   * Waits until the rows are stored. To be called however the batch ends: a statement that is sent after the rollback would be outside
   * of the transaction.
   */
  stored(): Promise<void> {
    return this.storing;
  }

  private async store(): Promise<void> {
    assertWritten('raw entries', this.rows.size, await insertEntries(this.work.tx, [...this.rows.values()]));
  }
}
