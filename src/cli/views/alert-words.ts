import type { AlertCounts, Alert } from '../../audit/alert.js';
import type { ReportResult } from '../../commands/report/types.js';
import type { Severity } from '../../model/enumerations.js';
import type { Mark } from '../ui/document.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { minute } from './report-words.js';

/** What a headline is made of. */
type Judged = Pick<ReportResult, 'alerts' | 'severity' | 'counts' | 'audit'> & {
  /** Absent from what is not about connections. */
  connections?: readonly unknown[];
};

/** Null is that of nothing to look at. */
export function severityMark(severity: Severity | null): Mark {
  switch (severity) {
    case 'loss':
      return 'bad';
    case 'degraded':
      return 'warn';
    case 'note':
    case null:
      return 'good';
  }
}

/** `37 lost, 1 degraded, 2 notes`. */
export function countWords(counts: Omit<AlertCounts, 'acknowledged'>): string {
  return `${formatCount(counts.lost)} lost, ${otherWords(counts)}`;
}

function otherWords({ degraded, notes }: Pick<AlertCounts, 'degraded' | 'notes'>): string {
  return `${formatCount(degraded)} degraded, ${formatAmount(notes, 'note')}`;
}

/** A database without a connection may be the wrong one: nothing in it counts as good (V2). */
export function hasNoConnection({ connections }: Pick<Judged, 'connections'>): boolean {
  return connections?.length === 0;
}

/**
 * What the headline of a report shows: never better than `degraded` where the raw log was not compared, or where there is
 * nothing to judge.
 */
export function headlineSeverity(
  result: Pick<Judged, 'severity' | 'audit' | 'connections'>,
): Severity | null {
  const { severity, audit } = result;
  return (audit === null || hasNoConnection(result)) && severity !== 'loss' ? 'degraded' : severity;
}

/** `37 lost, 1 degraded, 2 notes (4 alerts, 1 acknowledged)`, or `No alerts`. What is lost is counted item by item. */
export function headlineWords(result: Judged): string {
  const { alerts, counts, audit } = result;
  const isUnconnected = hasNoConnection(result);
  if (isUnconnected && alerts.length === 0) return 'Nothing to report: there is no connection';
  const open = alerts.length - counts.acknowledged;
  // That nothing is lost is only for a comparison to say.
  const isCompared = audit !== null || counts.lost > 0;
  const said = open === 0 ? 'No alerts' : isCompared ? countWords(counts) : otherWords(counts);
  const beside = [
    ...(open === 0 ? [] : [formatAmount(open, 'alert')]),
    ...(counts.acknowledged === 0 ? [] : [`${formatCount(counts.acknowledged)} acknowledged`]),
  ].join(', ');
  const unconnected = isUnconnected ? '; there is no connection' : '';
  return `${said}${beside === '' ? '' : ` (${beside})`}${unconnected}${audit === null ? '; the raw log was not compared (--no-audit)' : ''}`;
}

/** `acknowledged by ana on crm-1 until 2026-11-30 00:00 UTC: moved to the new number`. */
export function acknowledgementWords({ acknowledged }: Alert): string | null {
  if (acknowledged === null) return null;
  const { by, host, until, reason } = acknowledged;
  const end = until === null ? '' : ` until ${minute(until)} UTC`;
  return `acknowledged by ${by} on ${host}${end}${reason === null ? '' : `: ${reason}`}`;
}
