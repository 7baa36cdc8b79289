import type { ItemOutcome } from './outcome.js';

/** What became of the message items of the raw log; every item is counted once. */
export interface AuditCounts {
  items: number;
  there: number;
  skipped: number;
  rejected: number;
  missing: number;
  /** Rows that are not what the log says, or with another lead. */
  different: number;
  /** Items whose message is there under both of its names: what `dedupe` merges. */
  doubled: number;
  /** In entries that are pending or failed. */
  pending: number;
  /** The missing items as messages: one that several entries hold is missed once. */
  missingMessages: number;
  /** Amendments that are neither applied nor waiting, and rejects of other items that are on no record. Not among the items. */
  unsettled: number;
}

export function newCounts(): AuditCounts {
  return {
    items: 0,
    there: 0,
    skipped: 0,
    rejected: 0,
    missing: 0,
    different: 0,
    doubled: 0,
    pending: 0,
    missingMessages: 0,
    unsettled: 0,
  };
}

export function addCounts(mine: AuditCounts, theirs: AuditCounts): void {
  mine.items += theirs.items;
  mine.there += theirs.there;
  mine.skipped += theirs.skipped;
  mine.rejected += theirs.rejected;
  mine.missing += theirs.missing;
  mine.different += theirs.different;
  mine.doubled += theirs.doubled;
  mine.pending += theirs.pending;
  mine.missingMessages += theirs.missingMessages;
  mine.unsettled += theirs.unsettled;
}

/** The counter of a message item's outcome; null for what is no outcome of a message. */
export function counterOf(
  kind: ItemOutcome['kind'],
): keyof Omit<AuditCounts, 'items' | 'missingMessages' | 'unsettled'> | null {
  switch (kind) {
    case 'there':
    case 'missing':
    case 'different':
    case 'doubled':
    case 'rejected':
    case 'pending':
      return kind;
    case 'elsewhere':
      return 'different';
    case 'unrecorded':
      return 'missing';
    case 'applied':
    case 'waiting':
    case 'targetless':
    case 'unapplied':
      return null;
  }
}
