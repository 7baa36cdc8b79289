import type { ItemOutcome } from './outcome.js';

/** Outcomes of the raw log's message items; every item is counted once. */
export interface AuditCounts {
  items: number;
  there: number;
  skipped: number;
  rejected: number;
  missing: number;
  /** Rows that differ from the log, or are with another lead. */
  different: number;
  /** Items whose message exists under both of its names: `dedupe` merges them. */
  doubled: number;
  /** In entries that are pending or failed. */
  pending: number;
  /** In entries whose body was removed on purpose: their counters are all that is known of them. */
  pruned: number;
  /** Missing items as messages: one in several entries is missing once. */
  missingMessages: number;
  /** Different and doubled items as rows: one named by several entries or updates is one. */
  differentRows: number;
  doubledRows: number;
  /** Rows that lack an update, updates found nowhere, rejects of other items without a record. Not among the items. */
  unsettled: number;
  /** Rows that their entry does not hold; those that `dedupe` merges into their message. Not items of the log. */
  unfounded: number;
  unfoundedCopies: number;
  /** Those held by another entry: a replay links them to it. */
  unfoundedHeld: number;
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
    pruned: 0,
    missingMessages: 0,
    differentRows: 0,
    doubledRows: 0,
    unsettled: 0,
    unfounded: 0,
    unfoundedCopies: 0,
    unfoundedHeld: 0,
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
  mine.pruned += theirs.pruned;
  mine.missingMessages += theirs.missingMessages;
  mine.differentRows += theirs.differentRows;
  mine.doubledRows += theirs.doubledRows;
  mine.unsettled += theirs.unsettled;
  mine.unfounded += theirs.unfounded;
  mine.unfoundedCopies += theirs.unfoundedCopies;
  mine.unfoundedHeld += theirs.unfoundedHeld;
}

/** The counter for a message item's outcome; null for other outcomes. */
export function counterOf(
  kind: ItemOutcome['kind'],
):
  | keyof Omit<
      AuditCounts,
      | 'items'
      | 'pruned'
      | 'missingMessages'
      | 'differentRows'
      | 'doubledRows'
      | 'unsettled'
      | 'unfounded'
      | 'unfoundedCopies'
      | 'unfoundedHeld'
    >
  | null {
  switch (kind) {
    case 'there':
    case 'missing':
    case 'different':
    case 'doubled':
    case 'rejected':
    case 'pending':
      return kind;
    case 'overruled':
      return 'skipped';
    case 'elsewhere':
    case 'leadless':
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
