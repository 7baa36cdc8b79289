import type { EntryStatus } from '../../model/enumerations.js';
import type { SkipReason, Subject } from '../../model/facts.js';

/** How many entries that wait are remembered one by one; a run without `--register` may leave millions. */
const REMEMBERED = 10_000;

/** How one copy of an entry was counted that waits for its connection. */
export interface WaitingEntry {
  origin: string;
  isDuplicate: boolean;
  reason: SkipReason;
  /** Items of sections that wait. */
  items: ReadonlyMap<Subject, number>;
}

/** How an entry ended when it, or another copy of it, was counted later. */
export interface Resumed {
  ended: EntryStatus;
  /** The stored entry itself was taken up again, so one copy is counted twice. */
  isRecount: boolean;
}

/** The entries that a run left waiting, by id; the same entry may stand in a log several times. Bounded: the rest counts twice. */
export class WaitingEntries {
  private readonly byId = new Map<string, WaitingEntry[]>();

  add(logId: string, entry: WaitingEntry): void {
    const copies = this.byId.get(logId);
    if (copies !== undefined) copies.push(entry);
    else if (this.byId.size < REMEMBERED) this.byId.set(logId, [entry]);
  }

  all(): Iterable<[logId: string, copies: readonly WaitingEntry[]]> {
    return this.byId;
  }

  /** Takes out the copies whose counts are not true any more: one that is counted anew, and all of an entry that waits no more. */
  take(
    logId: string,
    { ended, isRecount }: Resumed,
  ): { recounted: WaitingEntry | null; settled: WaitingEntry[] } {
    const copies = this.byId.get(logId) ?? [];
    const recounted = isRecount ? (copies.shift() ?? null) : null;
    const settled = ended === 'pending' ? [] : copies.splice(0);
    if (copies.length === 0) this.byId.delete(logId);
    return { recounted, settled };
  }
}
