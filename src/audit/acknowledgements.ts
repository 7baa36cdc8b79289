import { compareSeverity, isAtLeast, worstSeverity, type Severity } from '../model/enumerations.js';
import type { AlertAck } from '../store/tables/alert-acks.js';
import { ALERT_KINDS, type Alert } from './alert.js';

/**
 * The alerts with their acknowledgements, in the order in which to look at them: the worst first, and what was acknowledged
 * last. An acknowledgement ends at its time, and when the alert is about something else than it was then.
 */
export function acknowledge(raised: readonly Alert[], acks: readonly AlertAck[], now: number): Alert[] {
  const byId = new Map(acks.map((ack) => [ack.alertId, ack]));
  return raised
    .map((alert) => {
      const ack = byId.get(alert.id);
      if (ack?.state !== alert.state || (ack.until !== null && ack.until <= now)) return alert;
      const { ackedBy, host, ackedAt, until, reason } = ack;
      return {
        ...alert,
        acknowledged: {
          by: ackedBy,
          host,
          at: new Date(ackedAt).toISOString(),
          until: until === null ? null : new Date(until).toISOString(),
          reason,
        },
      };
    })
    .sort(
      (a, b) =>
        Number(a.acknowledged !== null) - Number(b.acknowledged !== null) ||
        compareSeverity(a.severity, b.severity) ||
        ALERT_KINDS.indexOf(a.kind) - ALERT_KINDS.indexOf(b.kind) ||
        (a.connection ?? '').localeCompare(b.connection ?? '', 'en'),
    );
}

/** How many alerts there are of each severity. What was lost is counted item by item, everything else alert by alert. */
export interface AlertCounts {
  /** Messages, entries and items that are lost. */
  lost: number;
  degraded: number;
  notes: number;
  /** Of any severity; they are in none of the other figures. */
  acknowledged: number;
}

export function countAlerts(alerts: readonly Alert[]): AlertCounts {
  const open = openAlerts(alerts);
  const of = (severity: Severity): Alert[] => open.filter((alert) => alert.severity === severity);
  return {
    lost: of('loss').reduce((sum, { count }) => sum + (count ?? 1), 0),
    degraded: of('degraded').length,
    notes: of('note').length,
    acknowledged: alerts.length - open.length,
  };
}

/** The worst severity that nobody has acknowledged; null where there is none. */
export function worstOpen(alerts: readonly Alert[]): Severity | null {
  return worstSeverity(openAlerts(alerts).map(({ severity }) => severity));
}

/** Whether something as bad as `threshold` has not been acknowledged. */
export function hasOpen(alerts: readonly Alert[], threshold: Severity): boolean {
  const worst = worstOpen(alerts);
  return worst !== null && isAtLeast(worst, threshold);
}

function openAlerts(alerts: readonly Alert[]): Alert[] {
  return alerts.filter(({ acknowledged }) => acknowledged === null);
}
