import { ENTRY_STATUSES } from '../../model/enumerations.js';
import type { Nameless } from '../../model/run-result.js';
import type {
  AdoptedGroup,
  PendingFactGroup,
  CreatedByRun,
  EntryGroup,
  FailureGroup,
  LiveRhythm,
  TrafficSlice,
  MessageFigures,
  MessageGroup,
} from '../../store/queries/report.js';
import type { OverdueTarget, PendingContact } from '../../store/queries/contacts-at-risk.js';
import type { OwedHistory } from '../../store/tables/history.js';
import type { MediaCount } from '../../store/tables/media-files.js';
import type { HistoryRequestRow } from '../../store/tables/graph.js';
import type { SavedComparison } from '../../store/tables/saved-comparisons.js';
import { comparisonAlerts, reportComparisons } from './comparisons.js';
import type { AlertAck } from '../../store/tables/alert-acks.js';
import type { ConnectionRow, ConnectionTimes } from '../../store/tables/connections.js';
import type { RejectedItem, RejectGroup } from '../../store/tables/rejects.js';
import type { RunCountRow } from '../../store/tables/sync-runs.js';
import type { Context } from '../../context.js';
import { groupBy } from '../../rules/group-by.js';
import { acknowledge, countAlerts, worstOpen, type Alert } from '../../audit/alert.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import type { Verified } from '../verify/verify.js';
import { accountsOf, auditFigures, goneRows, totalAccounts } from './accounts.js';
import {
  connectionAlerts,
  wholeAlerts,
  type ConnectionFacts,
  type Limits,
  type WholeFacts,
} from './alerts.js';
import { contactsAtRisk } from './contacts-at-risk.js';
import { describeConnection, type ConnectionFigures, type ConnectionParts } from './connection-report.js';
import type { Calendar } from './days.js';
import { ownersOf } from '../../audit/entry-owners.js';
import { increase, ledgersOf, reasonsOf } from './ledger.js';
import { duplicateAlert, findingAlerts, lossAlerts } from '../verify/finding-alerts.js';
import { isSince, standingRemoval, type AccountEvent } from '../../rawlog/account-events.js';
import { countedRuns, reportRun, runPoint } from './runs.js';
import { Traffic } from './traffic.js';
import type { ConnectionReport, ReportOptions, ReportResult } from './types.js';

/** Everything read, from one snapshot of the database. */
export interface ReportData {
  now: number;
  calendar: Calendar;
  /** All connections, and those to report on. */
  connections: readonly ConnectionRow[];
  chosen: readonly ConnectionRow[];
  entries: readonly EntryGroup[];
  /** Whose pending entries may be that name a WABA alone; null without any. */
  unclaimed: Nameless | null;
  times: readonly ConnectionTimes[];
  /** Messages of the raw log marked by another program, by connection. */
  marked: ReadonlyMap<string, number>;
  missingChunks: readonly { connectionId: string; phase: number; chunkOrder: number }[];
  messages: MessageFigures;
  /** The last day, if it is not today because the days up to today hold no message. */
  newestDay: string | null;
  adopted: readonly AdoptedGroup[];
  failures: readonly FailureGroup[];
  rhythms: readonly LiveRhythm[];
  traffic: { bounds: readonly number[]; slices: readonly TrafficSlice[] };
  /** Of the whole database: a lead with conversations on two connections counts once. */
  leads: number;
  people: ReadonlyMap<string, { conversations: number; leads: number }>;
  tickets: readonly { connectionId: string; status: 'open' | 'closed'; count: number }[];
  pendingFacts: readonly PendingFactGroup[];
  rejects: readonly RejectGroup[];
  rejected: readonly RejectedItem[];
  savedFromPending: ReadonlyMap<string, number>;
  created: readonly CreatedByRun[];
  journaled: ReadonlyMap<string, number>;
  accountEvents: readonly AccountEvent[];
  /** The newest ones, and all recorded as running. */
  runs: readonly JudgedRun[];
  runCounts: readonly RunCountRow[];
  /** The newest ones not started by another run. */
  trend: readonly JudgedRun[];
  pendingContacts: readonly PendingContact[];
  overdueTargets: readonly OverdueTarget[];
  acks: readonly AlertAck[];
  saved: readonly SavedComparison[];
  /** Newest first. */
  historyRequests: readonly HistoryRequestRow[];
  owedHistory: readonly OwedHistory[];
  media: readonly MediaCount[];
  /** When each connection's media were last fetched. */
  mediaRuns: readonly { connectionId: string; at: number }[];
  /** Null if the raw log was not compared. */
  verified: Verified | null;
}

/** Builds the report from the data read. Pure except for the context's description of the database. */
export function summarize(ctx: Context, options: ReportOptions, data: ReportData): ReportResult {
  const { now, calendar, connections, chosen } = data;
  const audit = data.verified?.audit ?? null;
  const isWhole = options.connection === undefined;
  const ids = new Set(chosen.map(({ id }) => id));
  const byId = new Map(connections.map((row) => [row.id, row]));
  const partsOf = ownersOf(connections);
  const owned = data.entries.map((group) => {
    const owners = partsOf(group).map(([id]) => byId.get(id) ?? null);
    const [owner = null] = owners;
    return { group, connection: owner, owners };
  });
  const entries = owned.filter(
    ({ owners }) => isWhole || owners.some((owner) => owner !== null && ids.has(owner.id)),
  );
  const ledgers = ledgersOf(data.entries, partsOf);
  const gone = goneRows(data.created, data.messages.runRows);
  const groups = groupBy(data.messages.groups, ({ connectionId }) => connectionId);
  const slices = groupBy(data.traffic.slices, ({ connectionId }) => connectionId);
  const facts = chosen.map((row): ConnectionFacts => {
    const own = partsFor(row, groups.get(row.id) ?? [], data);
    const rejects = data.rejects.filter(({ connectionId }) => connectionId === row.id);
    const accounts = accountsOf({
      ledger: ledgers.get(row.id),
      saved: own.groups.reduce((sum, { logged }) => sum + logged, 0),
      savedFromPending: data.savedFromPending.get(row.id) ?? 0,
      rejects,
      gone: gone.get(row.id) ?? 0,
      journaled: data.journaled.get(row.id) ?? 0,
      missing: audit === null ? null : (audit.result.byConnection.get(row.id)?.missing ?? 0),
    });
    const mine = owned.filter(({ owners }) => owners.some((owner) => owner?.id === row.id));
    const lastHistoryAt = most(
      mine
        .filter(({ group }) => group.fields.includes('history'))
        .map(({ group }) => group.lastReceivedAt ?? group.lastStoredAt),
    );
    const report = describeConnection(row, own, {
      now,
      calendar,
      accounts,
      hoursIn: options.hours === true ? options.timeZone : null,
      traffic: new Traffic(data.traffic.bounds, slices.get(row.id) ?? []),
      firstEntryAt: least(mine.map(({ group }) => group.firstReceivedAt)),
      lastHistoryAt,
      ...(options.silentHours === undefined ? {} : { silentHours: options.silentHours }),
    });
    return {
      row,
      times: own.times,
      report,
      lastHistoryAt,
      historyRequests: data.historyRequests.filter(
        (request) => request.connectionId === row.id && isSince(request, own.times.webhookActivatedAt),
      ),
      removal: standingRemoval(row, data.accountEvents, own.times.webhookActivatedAt),
      rejects,
      pendingFacts: own.pendingFacts,
      marked: data.marked.get(row.id) ?? 0,
      owedHistory: data.owedHistory.find(({ connectionId }) => connectionId === row.id),
      media: own.media,
      foreign: own.groups.reduce((sum, { count, logged }) => sum + count - logged, 0),
    };
  });
  const { historyMinutes, silentHours } = options;
  const limits = { now, historyMinutes, silentHours };
  const whole: WholeFacts = {
    ...limits,
    entries,
    connections,
    unclaimed: data.unclaimed,
    runs: data.runs,
    rejects: isWhole ? data.rejects.filter(({ connectionId }) => connectionId === null) : [],
  };
  const rejects = data.rejects.filter(
    ({ connectionId }) => isWhole || (connectionId !== null && ids.has(connectionId)),
  );
  const reports = facts.map(({ report }) => report);
  const comparisons = isWhole ? reportComparisons(data.saved) : [];
  const alerts = acknowledge(
    [
      ...raiseAlerts(facts, whole, limits, data, options.duplicates ?? 0),
      ...comparisonAlerts(comparisons, now),
    ],
    data.acks,
    now,
  );
  return {
    schemaVersion: 1,
    command: 'report',
    generatedAt: new Date(now).toISOString(),
    timeZone: options.timeZone,
    newestDay: data.newestDay,
    connections: reports.map((one) => withAlerts(one, alerts)),
    ...(isWhole
      ? {
          accounts: totalAccounts(
            reports.map(({ accounts }) => accounts),
            ledgers.get(''),
            audit === null ? (gone.get('') ?? 0) : 0,
          ),
        }
      : {}),
    entries: entriesByStatus(entries.map(({ group }) => group)),
    rejects: rejectsByReason(rejects),
    leads: isWhole ? data.leads : reports.reduce((sum, { leads }) => sum + leads, 0),
    pendingFacts: reports.reduce((sum, { pendingFacts }) => sum + pendingFacts, 0),
    rejected: data.rejected.map((item) => ({
      connection:
        item.connectionId === null ? null : (byId.get(item.connectionId)?.name ?? item.connectionId),
      origin: item.origin,
      entry: `log:${item.webhookLogId}`,
      path: item.path,
      subject: item.subject,
      reason: item.reason,
      excerpt: item.excerpt,
      at: new Date(item.at).toISOString(),
    })),
    runs: data.runs.slice(0, options.runs).map(reportRun),
    trend: data.trend.map(runPoint).reverse(),
    ...contactsAtRisk({
      connections,
      only: isWhole ? null : ids,
      losses: audit?.contacts ?? [],
      pending: data.pendingContacts,
      overdue: data.overdueTargets.filter(({ connectionId }) => !isArchived(connectionId, data)),
    }),
    comparisons,
    runCounts: countedRuns(data.runCounts, data.runs),
    alerts,
    severity: worstOpen(alerts),
    counts: countAlerts(alerts),
    audit: audit === null ? null : auditFigures(audit, unchangedIn(data.verified)),
    database: ctx.store.location,
  };
}

/** What is wrong with a connection, in the whole report's figures. */
function withAlerts(figures: ConnectionFigures, alerts: readonly Alert[]): ConnectionReport {
  const own = alerts.filter(({ connectionId }) => connectionId === figures.id);
  return { ...figures, severity: worstOpen(own), counts: countAlerts(own) };
}

function raiseAlerts(
  facts: readonly ConnectionFacts[],
  whole: WholeFacts,
  limits: Limits,
  { verified, connections }: ReportData,
  duplicates: number,
): Alert[] {
  const raised = [...facts.flatMap((one) => connectionAlerts(one, limits)), ...wholeAlerts(whole)];
  if (verified === null) return raised;
  const { checks } = verified;
  const losses = verified.audit === null ? [] : lossAlerts(verified.audit, connections, checks);
  const renamed = verified.audit?.result.total.unfoundedCopies ?? 0;
  return [
    ...raised,
    ...losses,
    ...duplicateAlert(verified, duplicates),
    ...findingAlerts(checks, raised, renamed),
  ];
}

/** Nothing is expected of an archived connection. */
function isArchived(connectionId: string, { times }: ReportData): boolean {
  return times.some(({ id, archivedAt }) => id === connectionId && archivedAt !== null);
}

function unchangedIn(verified: Verified | null): number {
  const unproven = verified?.proof?.unproven;
  return unproven?.kind === 'new' ? unproven.unchanged : 0;
}

function partsFor(row: ConnectionRow, groups: readonly MessageGroup[], data: ReportData): ConnectionParts {
  const times = data.times.find(({ id }) => id === row.id);
  if (times === undefined) throw new Error(`connection without its times: ${row.id}`);
  const tickets = data.tickets.filter(({ connectionId }) => connectionId === row.id);
  return {
    times,
    groups,
    adopted: data.adopted.filter(({ connectionId }) => connectionId === row.id),
    failures: data.failures.filter(({ connectionId }) => connectionId === row.id),
    rhythm: data.rhythms.find(({ connectionId }) => connectionId === row.id),
    people: data.people.get(row.id) ?? { conversations: 0, leads: 0 },
    tickets: {
      open: tickets.find(({ status }) => status === 'open')?.count ?? 0,
      closed: tickets.find(({ status }) => status === 'closed')?.count ?? 0,
    },
    pendingFacts: data.pendingFacts.find(({ connectionId }) => connectionId === row.id),
    missingChunks: data.missingChunks
      .filter(({ connectionId }) => connectionId === row.id)
      .map(({ phase, chunkOrder }) => `${phase}/${chunkOrder}`),
    missingFiles: data.owedHistory.find(({ connectionId }) => connectionId === row.id)?.files ?? 0,
    media: data.media.filter(({ connectionId }) => connectionId === row.id),
    lastMediaFetchAt: data.mediaRuns.find(({ connectionId }) => connectionId === row.id)?.at ?? null,
    historyRequest: data.historyRequests.find(
      ({ connectionId, syncType }) => connectionId === row.id && syncType === 'history',
    ),
  };
}

function entriesByStatus(groups: readonly EntryGroup[]): Record<string, number> {
  return Object.fromEntries(
    ENTRY_STATUSES.map((status) => [
      status,
      groups.filter((group) => group.status === status).reduce((sum, { count }) => sum + count, 0),
    ]),
  );
}

function rejectsByReason(groups: readonly RejectGroup[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { reason, count } of groups) increase(counts, reason, count);
  return reasonsOf(counts);
}

function least(times: readonly (number | null)[]): number | null {
  return times.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null);
}

function most(times: readonly (number | null)[]): number | null {
  return times.reduce((a, b) => (a === null ? b : b === null ? a : Math.max(a, b)), null);
}
