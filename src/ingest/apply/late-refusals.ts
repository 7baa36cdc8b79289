import { ALL_BODIES } from '../../rules/signatures.js';
import { deletePendingFactsOf } from '../../store/tables/amendments.js';
import type { Sql } from '../../store/sql.js';
import type { Batch, PreparedEntry } from '../batch/batch.js';
import type { KnownState } from './collect-items.js';

/** Bodies whose signature this run is the first to find bad. */
export function newlyRefused({ refused }: PreparedEntry, { refused: before }: KnownState): string[] {
  return before.includes(ALL_BODIES) ? [] : refused.filter((path) => !before.includes(path));
}

/** Whether this run is the first to find that the signature of a body is right. */
export function newlyVerified({ verified }: PreparedEntry, { verified: before }: KnownState): boolean {
  return verified.some((path) => !before.includes(path));
}

/** The refused bodies that were applied before anybody could check their signature: what they brought is still there. */
export function uncheckedIn(entry: PreparedEntry, state: KnownState): string[] {
  const late = wasApplied(state) ? newlyRefused(entry, state) : [];
  return [...state.unchecked.filter((path) => entry.refused.includes(path)), ...late];
}

export function wasApplied({ status, isRequeued }: KnownState): boolean {
  return status === 'processed' || status === 'partial' || isRequeued;
}

/**
 * Removes the updates that entries with a bad signature have left to wait for their message: they must not change one that comes
 * later. What the other bodies of these entries left comes back with this same replay.
 */
export async function withdrawUpdates(
  tx: Sql,
  { slices }: Batch,
  known: ReadonlyMap<string, KnownState>,
): Promise<void> {
  const logIds = slices.flatMap(({ entry, isFirst }) => {
    const state = known.get(entry.key);
    const isLate = isFirst && state?.isStored === true && newlyRefused(entry, state).length > 0;
    return isLate ? [state.id] : [];
  });
  await deletePendingFactsOf(tx, logIds);
}
