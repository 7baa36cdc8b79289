import type { RunResult } from '../../model/run-result.js';
import type { Imported } from './contact-import.js';
import type { ImportOutcome } from './result.js';

/** Whether the contact is as complete as was asked for. */
function isGood(outcome: ImportOutcome): boolean {
  switch (outcome) {
    case 'cache':
    case 'fetched':
    case 'end_of_history':
    case 'empty':
    case 'would_fetch':
      return true;
    case 'silent':
    case 'no_anchor':
    case 'throttled':
    case 'not_linked':
    case 'conflict':
    case 'logged_out':
    case 'offline':
    case 'download_failed':
    case 'interrupted':
      return false;
  }
}

/**
 * How an import ended, in the words of a run: `partial` when pages came before it went wrong, and when something in them was
 * rejected, or an answer left a part out. What the raw log has on record as rejected for long is listed, and no fault of this import.
 */
export function statusOf({ outcome, fetched }: Imported): RunResult['status'] {
  if (outcome === 'interrupted') return 'interrupted';
  const isIncomplete = fetched?.gaps.some(({ filled }) => !filled) === true;
  if (isGood(outcome)) return (fetched?.problems ?? 0) > 0 || isIncomplete ? 'partial' : 'completed';
  return (fetched?.pages.length ?? 0) > 0 ? 'partial' : 'failed';
}

/** Outcomes of imports that were cut short: to type the same command again must be allowed at once. */
const CUT_SHORT: ReadonlySet<ImportOutcome> = new Set(['offline', 'conflict', 'logged_out', 'interrupted']);

/** When the phone was asked, as far as it keeps the next import from asking; null where nothing does. */
export function askedAtOf(outcome: ImportOutcome, askedAt: number | null): number | null {
  return CUT_SHORT.has(outcome) ? null : askedAt;
}
