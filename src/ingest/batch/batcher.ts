import type { Position } from '../../model/raw-entry.js';
import { newBatch, sliceEntry, type Batch, type PreparedEntry } from './batch.js';

/** A batch holds at most this many raw bytes, whatever its messages: 3 MB webhooks with one message each exist. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;

/** Gathers prepared entries into batches; entries larger than a batch are cut. */
export class Batcher {
  private current = newBatch();

  constructor(private readonly size: number) {}

  /** Adds an entry; gives the batches that are full now, in order. */
  add(entry: PreparedEntry, after: Position | null): Batch[] {
    const full: Batch[] = [];
    for (const { slice, weight } of sliceEntry(entry, this.size, after)) {
      // An entry without items still costs a row of the raw log.
      const cost = Math.max(1, weight);
      const bytes = slice.isFirst ? entry.bytes.byteLength : 0;
      const { slices, weight: held, bytes: heldBytes } = this.current;
      if (slices.length > 0 && (held + cost > this.size || heldBytes + bytes > MAX_BATCH_BYTES))
        full.push(this.take());
      this.current.slices.push(slice);
      this.current.weight += cost;
      this.current.bytes += bytes;
    }
    return full;
  }

  /** What is left at the end. */
  rest(): Batch | null {
    return this.current.slices.length === 0 ? null : this.take();
  }

  private take(): Batch {
    const batch = this.current;
    this.current = newBatch();
    return batch;
  }
}
