import { amount, count } from '../amount.js';
import type { NightFigures, ReconcileResult } from './result.js';

/** The steps of a night, as far as they came. */
export type Steps = Pick<ReconcileResult, 'replay' | 'dedupe' | 'verify' | 'report'>;

export const NO_STEPS: Steps = { replay: null, dedupe: null, verify: null, report: null };

/** The figures that the steps give together. Pure. */
export function figuresOf({ replay, dedupe, verify, report }: Steps): NightFigures {
  const planned = (dedupe?.classes ?? []).reduce((sum, { rows }) => sum + rows, 0);
  const merged = dedupe?.applied === true ? planned : 0;
  const missing = verify?.missing ?? 0;
  // What dedupe only planned is still there; what it merged is not, and verify has looked after it.
  const doubled = Math.max(planned - merged, verify?.doubled ?? 0);
  return {
    connections: report?.connections.length ?? 0,
    messages: verify?.messages ?? 0,
    created: replay?.messages.created ?? 0,
    missing,
    doubled,
    merged,
    findings: Math.max(0, (verify?.findings ?? 0) - missing - (verify?.doubled ?? 0)),
    alerts: report?.alerts.length ?? 0,
  };
}

/** `Reconciled 3 connections: 1,204 messages, 0 missing, 0 duplicated, 2 alerts`; what is not zero besides follows. */
export function verdictOf(
  status: ReconcileResult['status'],
  figures: NightFigures,
  { pending, dryRun, error }: { pending: number; dryRun: boolean; error?: string | undefined },
): string {
  if (status === 'interrupted') return 'Interrupted before the end: the next reconcile catches it up';
  if (status === 'failed') return `Not reconciled: ${error ?? 'a step failed'}`;
  const { connections, messages, missing, doubled, merged, findings, alerts, created } = figures;
  const parts = [
    amount(messages, 'message'),
    `${count(missing)} missing`,
    `${count(doubled)} duplicated`,
    amount(alerts, 'alert'),
  ];
  const besides = [
    ...(created > 0 ? [`${count(created)} new`] : []),
    ...(merged > 0 ? [`${count(merged)} merged`] : []),
    ...(pending > 0 ? [`${amount(pending, 'entry', 'entries')} pending`] : []),
    ...(findings > 0 ? [amount(findings, 'other finding')] : []),
  ];
  const beginning = dryRun ? 'Would reconcile' : 'Reconciled';
  const detail = besides.length === 0 ? '' : ` (${besides.join(', ')})`;
  return `${beginning} ${amount(connections, 'connection')}: ${parts.join(', ')}${detail}`;
}
