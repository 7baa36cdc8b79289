import { acknowledge, worstOpen, type Alert } from '../../audit/alert.js';
import { ownersOf } from '../../audit/entry-owners.js';
import type { LogAudit } from '../../audit/losses.js';
import { readUnclaimed } from '../../audit/unclaimed-waba.js';
import { mediaAlerts, pendingAlerts, pendingFactAlert } from '../../audit/waiting-alerts.js';
import { worstSeverity } from '../../model/enumerations.js';
import { OVERDUE_MS } from '../../rules/amendments.js';
import { readEntryGroups, readPendingFactGroups } from '../../store/queries/report.js';
import { readAlertAcks, type AlertAck } from '../../store/tables/alert-acks.js';
import { readConnections, readConnectionTimes, type ConnectionRow } from '../../store/tables/connections.js';
import { ALL_MEDIA, countMedia } from '../../store/tables/media-files.js';
import type { VerifyView } from './check.js';
import { findingAlerts, lossAlerts } from './finding-alerts.js';
import type { CheckName, CheckResult } from './types.js';

/** A check's acknowledged findings, and the worst severity of the rest. */
export interface Accepted {
  acknowledged: number;
  severity: CheckResult['severity'];
  /** As in {@link CheckResult}. */
  lost?: number;
}

/** The checks that apply acknowledgements to their findings themselves. */
const BY_ITSELF: ReadonlySet<CheckName> = new Set(['rejects', 'history_ledger']);

/**
 * Which findings are acknowledged. Uses the alerts that `report` raises for the same findings, so that one
 * acknowledgement covers both, and ends for both.
 */
export async function readAccepted(
  view: VerifyView,
  checks: readonly CheckResult[],
  audit: LogAudit | null,
): Promise<Map<CheckName, Accepted>> {
  const { sql, now } = view;
  const acks = await readAlertAcks(sql);
  const accepted = new Map<CheckName, Accepted>();
  if (acks.length === 0) return accepted;
  for (const result of checks) {
    if (result.status === 'ok' || BY_ITSELF.has(result.check)) continue;
    if (result.status === 'note' && result.check !== 'ticket_rules') continue;
    const own =
      result.check === 'raw_log'
        ? await acceptedOfLog(view, result, checks, audit, acks)
        : acceptedOf(result, await alertsOf(view, result, audit), acks, now);
    if (own !== null) accepted.set(result.check, own);
  }
  const unfounded = isAccepted(lossesIn(view, audit, checks), acks, now, 'messages_unfounded');
  const renamed = unfounded ? renamedIn(audit) : 0;
  const duplicates = checks.find(({ check }) => check === 'duplicate_ids');
  // Rows that the audit reports as not held by their entry are accepted as that.
  if (renamed > 0 && duplicates?.status === 'findings') {
    const others = accepted.get('duplicate_ids')?.acknowledged ?? 0;
    const acknowledged = Math.min(duplicates.found, others + renamed);
    const { found, severity } = duplicates;
    accepted.set('duplicate_ids', {
      acknowledged,
      severity: acknowledged === found ? null : severity,
    });
  }
  return accepted;
}

/** A result minus its acknowledged findings: if that is all of them, only a note is left. */
export function withAccepted(result: CheckResult, accepted: Accepted | undefined): CheckResult {
  if (accepted === undefined) return result;
  const { acknowledged, severity, lost } = accepted;
  const open = result.found - acknowledged;
  const summary = `${result.summary}; ${acknowledged.toLocaleString('en-US')} acknowledged`;
  return open > 0
    ? { ...result, severity, found: open, acknowledged, summary, ...(lost === undefined ? {} : { lost }) }
    : { ...result, status: 'note', severity: null, found: acknowledged, acknowledged, summary };
}

function acceptedOf(
  { found, severity }: CheckResult,
  raised: readonly Alert[],
  acks: readonly AlertAck[],
  now: number,
): Accepted | null {
  const judged = acknowledge(raised, acks, now);
  const acknowledged = Math.min(found, countOf(judged.filter(isAcknowledged)));
  if (acknowledged === 0) return null;
  return { acknowledged, severity: acknowledged === found ? null : severity };
}

/** Losses are counted by their alerts; the other findings are waiting entries. */
async function acceptedOfLog(
  view: VerifyView,
  result: CheckResult,
  checks: readonly CheckResult[],
  audit: LogAudit | null,
  acks: readonly AlertAck[],
): Promise<Accepted | null> {
  const raised = lossesIn(view, audit, checks);
  const losses = acknowledge(raised, acks, view.now);
  const waiting = result.found - countOf(raised);
  const pending = acknowledge(waiting === 0 ? [] : await waitingAlerts(view), acks, view.now);
  const openWaiting = pending.some((alert) => !isAcknowledged(alert))
    ? Math.max(1, waiting - countOf(pending.filter(isAcknowledged)))
    : pending.length === 0
      ? waiting
      : 0;
  const acknowledged = countOf(losses.filter(isAcknowledged)) + waiting - openWaiting;
  if (acknowledged === 0) return null;
  const severities = [worstOpen(losses), openWaiting === 0 ? null : ('degraded' as const)];
  return {
    acknowledged,
    severity: worstSeverity(severities.flatMap((severity) => severity ?? [])),
    lost: countOf(losses.filter((alert) => alert.severity === 'loss' && !isAcknowledged(alert))),
  };
}

async function waitingAlerts(view: VerifyView): Promise<Alert[]> {
  const all = await readConnections(view.sql);
  const byId = new Map(all.map((row) => [row.id, row]));
  const mine = new Set(view.connections.map(({ id }) => id));
  const partsOf = ownersOf(all);
  const entries = (await readEntryGroups(view.sql, null)).flatMap((group) => {
    const owners = partsOf(group).map(([id]): ConnectionRow | null => byId.get(id) ?? null);
    const isMine = !view.restricted || owners.some((owner) => owner !== null && mine.has(owner.id));
    return isMine ? [{ group, connection: owners[0] ?? null }] : [];
  });
  const unclaimed = await readUnclaimed(view.sql, all);
  return pendingAlerts({ entries, connections: all, unclaimed, isAtWork: false });
}

/** The alerts that `report` raises for a check's findings. */
async function alertsOf(view: VerifyView, result: CheckResult, audit: LogAudit | null): Promise<Alert[]> {
  const { sql, now } = view;
  const specific: Alert[] = [];
  if (result.check === 'pending_facts') {
    const groups = await readPendingFactGroups(sql, now - OVERDUE_MS);
    for (const row of await inUse(view))
      specific.push(
        ...pendingFactAlert(
          row,
          groups.find(({ connectionId }) => connectionId === row.id),
        ),
      );
  }
  if (result.check === 'media_owed') {
    const media = await countMedia(sql, ALL_MEDIA, now);
    for (const row of await inUse(view))
      specific.push(
        ...mediaAlerts(
          row,
          media.filter(({ connectionId }) => connectionId === row.id),
        ),
      );
  }
  return specific.length > 0 ? specific : findingAlerts([result], [], renamedIn(audit));
}

/** Nothing is expected of an archived connection: no alert is about it. */
async function inUse({ sql, connections }: VerifyView): Promise<ConnectionRow[]> {
  const times = await readConnectionTimes(sql);
  const archived = new Set(times.flatMap(({ id, archivedAt }) => (archivedAt === null ? [] : id)));
  return connections.filter(({ id }) => !archived.has(id));
}

function lossesIn(view: VerifyView, audit: LogAudit | null, checks: readonly CheckResult[]): Alert[] {
  return audit === null ? [] : lossAlerts(audit, view.connections, checks);
}

function renamedIn(audit: LogAudit | null): number {
  return audit?.result.total.unfoundedCopies ?? 0;
}

function isAccepted(
  raised: readonly Alert[],
  acks: readonly AlertAck[],
  now: number,
  kind: Alert['kind'],
): boolean {
  const own = acknowledge(raised, acks, now).filter((alert) => alert.kind === kind);
  return own.length > 0 && own.every(isAcknowledged);
}

function isAcknowledged({ acknowledged }: Alert): boolean {
  return acknowledged !== null;
}

function countOf(alerts: readonly Alert[]): number {
  return alerts.reduce((sum, { count }) => sum + (count ?? 1), 0);
}
