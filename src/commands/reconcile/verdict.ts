import { amount, count } from '../../model/amount.js';
import type { DedupeResult } from '../dedupe/result.js';
import type { CheckResult } from '../verify/types.js';
import type { ReconcileFigures, ReconcileResult } from './types.js';

/** The completed steps of a run. */
export type Steps = Pick<ReconcileResult, 'replay' | 'dedupe' | 'copies' | 'verify' | 'restored' | 'report'>;

export const NO_STEPS: Steps = {
  replay: null,
  dedupe: null,
  copies: null,
  verify: null,
  restored: null,
  report: null,
};

const NO_ALERTS = { lost: 0, degraded: 0, notes: 0, acknowledged: 0 };

/** The combined figures of the steps. Pure. */
export function figuresOf({
  replay,
  dedupe,
  copies,
  verify,
  restored,
  report,
}: Steps): Omit<ReconcileFigures, 'corrected'> {
  const merged = mergedRows(dedupe) + mergedRows(copies);
  const missing = verify?.missing ?? 0;
  const doubled = Math.max(duplicatesLeft({ dedupe }), verify?.doubled ?? 0);
  return {
    connections: report?.connections.length ?? 0,
    messages: verify?.messages ?? 0,
    unchanged: report?.audit?.unchanged ?? 0,
    created: replay?.messages.created ?? 0,
    restored: restored?.messages ?? 0,
    missing,
    doubled,
    merged,
    findings: otherFindings(verify?.checks ?? []),
    alerts: (report?.alerts ?? []).filter(({ acknowledged }) => acknowledged === null).length,
    ...(report?.counts ?? NO_ALERTS),
  };
}

/** Findings not counted elsewhere: losses are counted by their alerts, and pending entries by the replay. */
function otherFindings(checks: readonly CheckResult[]): number {
  return checks
    .filter(({ check, severity }) => severity === 'degraded' && check !== 'raw_log')
    .reduce((sum, { found }) => sum + found, 0);
}

interface VerdictDetails {
  /** Entries that wait. */
  pending: number;
  /** What a run without --dry-run would restore from the raw log. */
  toRestore: number;
  /** What the replay removed because it is about the own number; null if nothing was. */
  removed?: string | null;
  dryRun: boolean;
  error?: string | undefined;
}

/**
 * `Reconciled 3 connections: 1,204 log items compared, 998,000 stored messages unchanged, 0 missing, 0 duplicated; 0
 * lost, 1 degraded, 0 notes`; other nonzero figures follow. Names items and messages separately, because one message
 * can be several items.
 */
export function verdictOf(
  status: ReconcileResult['status'],
  figures: ReconcileFigures,
  { pending, toRestore, removed = null, dryRun, error }: VerdictDetails,
): string {
  if (status === 'interrupted') return 'Interrupted: the next reconcile resumes it';
  if (status === 'failed') return `Not reconciled: ${error ?? 'a step failed'}`;
  const { connections, messages, unchanged, missing, doubled, merged, created, restored, corrected } =
    figures;
  const parts = [
    `${amount(messages, 'log item')} compared`,
    ...(unchanged > 0 ? [`${amount(unchanged, 'stored message')} unchanged`] : []),
    `${count(missing)} missing`,
    `${count(doubled)} duplicated`,
  ];
  const besides = [
    ...(created > 0 ? [`${count(created)} new`] : []),
    ...(restored > 0 ? [`${count(restored)} restored`] : []),
    ...(dryRun && toRestore > 0 ? [`${count(toRestore)} would be restored`] : []),
    ...(merged > 0 ? [`${count(merged)} merged`] : []),
    ...(corrected > 0 ? [`${count(corrected)} corrected`] : []),
    ...(removed === null ? [] : [removed]),
    ...(pending > 0 ? [`${amount(pending, 'entry', 'entries')} pending`] : []),
    ...(figures.acknowledged > 0 ? [`${count(figures.acknowledged)} acknowledged`] : []),
  ];
  const beginning = dryRun ? 'Would reconcile' : 'Reconciled';
  const detail = besides.length === 0 ? '' : ` (${besides.join(', ')})`;
  const alerts = [
    `${count(figures.lost)} lost`,
    `${count(figures.degraded)} degraded`,
    amount(figures.notes, 'note'),
  ];
  return `${beginning} ${amount(connections, 'connection')}: ${parts.join(', ')}; ${alerts.join(', ')}${detail}`;
}

/** Duplicates that dedupe only planned to merge remain; after a merge, verify counts the rest. */
export function duplicatesLeft({ dedupe }: Pick<Steps, 'dedupe'>): number {
  return dedupe === null || dedupe.applied ? 0 : plannedRows(dedupe);
}

function mergedRows(dedupe: DedupeResult | null): number {
  return dedupe?.applied === true ? plannedRows(dedupe) : 0;
}

function plannedRows({ classes }: DedupeResult): number {
  return classes.reduce((sum, { rows }) => sum + rows, 0);
}
