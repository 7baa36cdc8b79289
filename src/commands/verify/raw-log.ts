import { fileOfOrigin } from '../../model/raw-entry.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { auditLog } from '../../audit/audit-log.js';
import type { AuditResult } from '../../audit/audit-book.js';
import type { AuditedItem } from '../../audit/audited-item.js';
import { LossTally } from '../../audit/losses.js';
import { amount } from '../../model/amount.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import type { CheckResult } from './result.js';
import { DEDUPE_REMEDY, REPLAY_ALL_REMEDY, replayFileRemedy } from './words.js';

/**
 * The accounting proof: decodes the whole raw log once more and finds every message item of it in the database, exactly once
 * and as it was told, or skipped for a reason, or rejected on record. Memory does not grow with the log.
 */
export const rawLogCheck: Check = {
  name: 'raw_log',
  title: 'every message of the raw log is in the database once, or on record as skipped or rejected',
  async run(view) {
    const recorder = new Recorder(view, 'raw_log');
    const tally = new LossTally();
    const audit = await auditLog({
      ...view,
      item: (item) => {
        tally.add(item);
        return record(recorder, item);
      },
    });
    view.audited?.({ result: audit, losses: tally.byConnection });
    recorder.checked = audit.total.items;
    return resultOf(recorder, audit);
  },
};

async function record(recorder: Recorder, item: AuditedItem): Promise<void> {
  switch (item.outcome) {
    case 'there':
    case 'skipped':
    case 'rejected':
      await recorder.good(item);
      break;
    case 'missing':
      await recorder.finding('+', item);
      break;
    case 'unrecorded':
      await recorder.finding(item.isMessage ? '+' : '*', item);
      break;
    case 'different':
    case 'doubled':
    case 'unapplied':
      await recorder.finding('*', item);
      break;
    case 'entry_damaged':
    case 'entry_failed':
    case 'entry_pending':
    case 'entry_unknown_connection':
      await recorder.finding('!', item);
      break;
    case 'entry_unreadable':
    case 'entry_unrecognized':
      await recorder.note('!', item);
  }
}

function resultOf(recorder: Recorder, audit: AuditResult): CheckResult {
  const { total, open, entries } = audit;
  const sums = listed([
    [total.there, 'in the database'],
    [total.skipped, 'skipped'],
    [total.rejected, 'rejected'],
    [total.missing, 'missing'],
    [total.different + total.doubled, 'different'],
    [total.pending, 'pending'],
  ]);
  const rest = listed([
    [total.unsettled, 'other item is unaccounted for', 'other items are unaccounted for'],
    [
      open.damaged,
      'entry whose bytes are not those that were stored',
      'entries whose bytes are not those that were stored',
    ],
    [open.pending, 'pending entry', 'pending entries'],
    [open.unknownConnection, 'entry of an unknown connection', 'entries of unknown connections'],
    [open.failed, 'failed entry can be read now', 'failed entries can be read now'],
    [open.unreadable, 'unreadable entry', 'unreadable entries'],
    [open.unrecognized, 'unrecognized part', 'unrecognized parts'],
  ]);
  const counted = `${amount(total.items, 'message item')} in ${amount(entries, 'entry', 'entries')}`;
  const summary = sums.length === 0 ? counted : `${counted}: ${sums.join(', ')}`;
  const result = recorder.result([summary, ...rest].join('; '), remedyFor(audit));
  const unaccounted = unaccountedIn(audit);
  return {
    ...result,
    // What waits to be replayed is not lost.
    severity: result.severity === 'loss' && unaccounted === 0 ? 'degraded' : result.severity,
    missing: total.missingMessages,
    unaccounted,
  };
}

function unaccountedIn({ total, open }: AuditResult): number {
  return total.missing + total.different + total.doubled + total.unsettled + open.damaged;
}

function remedyFor(audit: AuditResult): Remedy | null {
  const { total, open } = audit;
  if (open.damaged > 0) return replayFileRemedy(fileOfOrigin(audit.damagedExample?.origin ?? null));
  if (total.missing + total.different + total.unsettled > 0) return REPLAY_ALL_REMEDY;
  // A replay finds the one row and leaves the other.
  if (total.doubled > 0) return DEDUPE_REMEDY;
  if (open.failed > 0) return remedy('replay', ['--failed'], 'tries the failed entries again');
  if (open.pending > 0) return remedy('replay', [], 'applies what is pending');
  if (open.unknownConnection > 0)
    return remedy('replay', ['--register'], 'creates the connections and applies their entries');
  return null;
}

function listed(counts: readonly (readonly [count: number, one: string, many?: string])[]): string[] {
  return counts.flatMap(([count, one, many = one]) => (count === 0 ? [] : [amount(count, one, many)]));
}
