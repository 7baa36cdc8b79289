import type {
  ComparisonCounts,
  ConnectionKind,
  CrmName,
  Direction,
  MessageSource,
  RequestOutcome,
  RunStatus,
  Severity,
} from '../../model/enumerations.js';
import type { HistorySyncState, ReasonCounts } from '../../model/run-result.js';
import type { Remedy } from '../../model/remedy.js';
import type { AlertCounts, Alert } from '../../audit/alert.js';
import type { Verified } from '../verify/verify.js';

/** When alerts about a connection are raised. */
export interface AlertLimits {
  historyMinutes: number;
  silentHours: number | undefined;
}

const MINUTE = 60_000;

/** Converts typed or programmatic limits from milliseconds. */
export function alertLimitsOf(historyAfterMs: number, silentAfterMs: number | undefined): AlertLimits {
  return {
    historyMinutes: historyAfterMs / MINUTE,
    silentHours: silentAfterMs === undefined ? undefined : silentAfterMs / (60 * MINUTE),
  };
}

export interface ReportOptions {
  /** Name of the only connection to report on. */
  connection?: string | undefined;
  /** Days of the chart, today included. */
  days: number;
  /**
   * A moment of the chart's last day, ms since 1970; absent: today, or the newest day with a message if the days up to
   * today have none.
   */
  until?: number | undefined;
  /** IANA time zone of the days. */
  timeZone: string;
  /** How many recent runs to list. */
  runs: number;
  /** Also count messages by the hour: for the page. */
  hours?: boolean | undefined;
  /** Alert when a connection has no history this long after onboarding. */
  historyMinutes: number;
  /** Alert when no live event came for this long; absent: by the connection's own rhythm. */
  silentHours?: number | undefined;
  /** Compare the whole raw log with the database, item by item. Without it, losses are unknown. */
  audit: boolean;
  /** The result of a verification just run: nothing is compared a second time. */
  verified?: Verified | undefined;
  /** Remaining duplicate rows that a `dedupe` plan has just counted. */
  duplicates?: number | undefined;
}

export interface DayCount {
  /** `YYYY-MM-DD` in the report's zone. */
  day: string;
  inbound: number;
  outbound: number;
  /** True for a day without messages during the connection's life that its rhythm does not explain. */
  gap: boolean;
}

/**
 * `items`: messages that the raw log holds, counted per entry; `saved`: rows that came from it. items - saved = Σ
 * explained + unexplained, always. The reasons: `repeated` (its message was there already), `merged` (the row was
 * merged into another, as journaled), `skipped.<reason>`, `rejected.<reason>` (on record), `pending.<reason>` (the
 * entry waits). `unexplained`: items that are not in the database; if the raw log was not compared, rows that a run
 * stored and that are gone without a journal entry.
 */
export interface Accounts {
  items: number;
  saved: number;
  explained: ReasonCounts;
  unexplained: number;
}

/** How long a connection may be quiet; hours. */
export interface Rhythm {
  /** Since the last live event; null if there never was one. */
  quietHours: number | null;
  /** The usual maximum at this time of the week. Null if there never was a live event. */
  toleratedHours: number | null;
  /** `weeks`: the same hours of earlier weeks; `little`: too few live messages to learn from; `option`: configured. */
  learnedFrom: 'weeks' | 'little' | 'option';
}

/** How many messages failed for one reason. */
export interface DeliveryFailure {
  /** Meta's error code; null if none was sent. */
  code: number | null;
  title: string | null;
  messages: number;
}

export interface MediaFilesReport {
  fetched: number;
  owed: number;
  expired: number;
  denied: number;
  mismatch: number;
  /** Of the stored ones. */
  bytes: number;
  /** When the first owed file expires. */
  nextExpiryAt: string | null;
  /** When a run last fetched the connection's media. */
  lastFetchAt: string | null;
}

export interface ConnectionReport {
  id: string;
  name: string;
  organization: string;
  kind: ConnectionKind;
  phone: string | null;
  historySync: HistorySyncState & { startedAt: string | null; completedAt: string | null };
  /** The newest history request to Meta (`history request`); null if none is on record. */
  historyRequest: HistoryRequestReport | null;
  onboardedAt: string | null;
  /**
   * The basis of `onboardedAt`: what was recorded, the earliest entry, live message or chunk, or when it was added
   * here.
   */
  onboardedBy: 'webhook' | 'evidence' | 'added';
  lastLiveEventAt: string | null;
  lastSyncAt: string | null;
  /** Since when it is archived; null if in use. */
  archivedAt: string | null;
  leads: number;
  conversations: number;
  messages: {
    total: number;
    byDirection: Record<Direction, number>;
    bySource: Record<MessageSource, number>;
    /**
     * Of them, those that only a CRM has (`compare --adopt`), by provider: `crm:evolution`. Absent if there are none.
     */
    byCrm?: Record<string, number>;
    firstAt: string | null;
    lastAt: string | null;
  };
  tickets: { open: number; closed: number };
  /** History media announced but not delivered; `expired`: their 14 days are over. */
  mediaOwed: { waiting: number; expired: number };
  /** The files named by messages, if `media fetch` fetches them; null if it never did. */
  mediaFiles: MediaFilesReport | null;
  /** Failed messages of this connection, by reason: most frequent first. */
  deliveryFailures: DeliveryFailure[];
  accounts: Accounts;
  rhythm: Rhythm;
  /** Facts without their message. */
  pendingFacts: number;
  /** Pending items: messages of pending entries, and facts without their message. */
  pending: number;
  lastDay: LastDay;
  days: DayCount[];
  /** The last of these days, at most 31, by the hour; absent unless `hours` was requested. */
  hours?: DayHours[];
  /** The worst severity of its unacknowledged alerts; null if there is none. */
  severity: Severity | null;
  /** Its alerts, counted like those of the whole report. */
  counts: AlertCounts;
}

/** A history request, and whether anything came of it. Times are RFC 3339. */
export interface HistoryRequestReport {
  requestedAt: string;
  /** Meta's name for it, for its support. */
  requestId: string | null;
  outcome: RequestOutcome;
  /** Accepted, but no history has arrived since. */
  isWaiting: boolean;
}

/** A day of a connection by local hours. */
export interface DayHours {
  day: string;
  /** Messages from midnight, 24 figures. */
  hours: number[];
  /** Hours without messages in which some were expected. */
  gaps: number[];
}

/** The findings of the last comparison with a CRM's tables. */
export interface ComparisonReport {
  /** Its saved name. */
  name: string;
  crm: CrmName;
  /** When it was last attempted, RFC 3339; null: never. */
  comparedAt: string | null;
  /** Why the last attempt failed; null if it did not. */
  error: string | null;
  /** Messages and rows by class in the last completed comparison; null before the first. */
  counts: ComparisonCounts | null;
  /** Connections with messages that it did not compare: the CRM has nothing that matches them. */
  absent: { connection: string; messages: number }[];
  /** Connections that it compared before, and that the CRM no longer has. */
  gone: string[];
}

/** A contact with an incomplete conversation. */
export interface ContactAtRisk {
  /** Null if unknown. */
  connection: string | null;
  /** A phone, else a LID or a BSUID. */
  contact: string;
  /** Messages of the raw log that are missing, different or duplicated, and unapplied updates. */
  lost: number;
  /** Entries and updates pending for more than a day. */
  pending: number;
  /** The oldest of these: since when it is pending, the time of a lost message; null if unknown. */
  since: string | null;
  remedy: Remedy;
}

/** A run not started by another, as one point of a trend. */
export interface RunPoint {
  id: string;
  command: string;
  status: RunReport['status'];
  verdict: string | null;
  startedAt: string;
  /** Null while it runs, and for a dead one. */
  durationMs: number | null;
  /** Messages created or restored; null for commands that create none. */
  messages: number | null;
  /** Messages, entries and items lost at its end; null for commands that do not check. */
  lost: number | null;
  /** Findings and alerts at its end that are no loss; null for commands that do not check. */
  degraded: number | null;
  /** Duplicate rows found; null for commands that do not check. */
  duplicates: number | null;
}

/** The messages of the last 24 hours before the report. */
export interface LastDay {
  messages: number;
  /** The median of the same 24 hours of up to four earlier weeks; null for a connection younger than a week. */
  usual: number | null;
}

/** All runs of one command with the same outcome. */
export interface RunCount {
  command: string;
  status: RunReport['status'];
  runs: number;
  /** When the newest of them started. */
  lastStartedAt: string;
}

export interface RunReport {
  id: string;
  command: string;
  /** `died`: recorded as running, but its process is gone. */
  status: RunStatus | 'died';
  verdict: string | null;
  startedAt: string;
  completedAt: string | null;
  host: string;
  error: string | null;
  /** Its message counters; null for runs without them. */
  messages: { seen: number; created: number; updated: number } | null;
}

/** One rejected item, with its location. */
export interface RejectSample {
  connection: string | null;
  /** `file:line` where the entry was first seen. */
  origin: string | null;
  /** `log:<id>`: the form that `explain` accepts. */
  entry: string;
  path: string;
  subject: string;
  reason: string;
  excerpt: string;
  at: string;
}

/**
 * Result of comparing the raw log with the database, item by item. Messages are counted once, items as often as
 * received.
 */
export interface AuditFigures {
  /** Entries and message items that were decoded and compared. */
  entries: number;
  items: number;
  missing: number;
  different: number;
  /** Statuses, edits and the like missing from their message. */
  unapplied: number;
  doubled: number;
  /** Rows that their raw entry does not hold. */
  unfounded: number;
  /** Raw entries whose bytes differ from those stored. */
  damaged: number;
  /** Messages not compared again: unchanged since they last were. */
  unchanged: number;
}

/** The JSON of `report`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface ReportResult {
  schemaVersion: 1;
  command: 'report';
  generatedAt: string;
  /** The zone of `days`. */
  timeZone: string;
  /** The last of `days`, if it is the newest day with a message because the days up to today have none; else null. */
  newestDay: string | null;
  connections: ConnectionReport[];
  /** Entries of the raw log by outcome. */
  entries: Record<string, number>;
  /** Rejects on record, by reason. */
  rejects: ReasonCounts;
  /** All leads: one with conversations on two connections appears under both, but counts once here. */
  leads: number;
  /** Facts without their message. */
  pendingFacts: number;
  /** The newest rejects, at most 20. */
  rejected: RejectSample[];
  /** For the whole raw log, including entries without a connection. Absent when one connection was requested. */
  accounts?: Accounts;
  runs: RunReport[];
  /** The last 60 runs not started by another, oldest first. */
  trend: RunPoint[];
  /** Worst first, at most 50. */
  contactsAtRisk: ContactAtRisk[];
  contactsAtRiskTotal: number;
  /** CRMs compared nightly. */
  comparisons: ComparisonReport[];
  /** All runs, by command and outcome. */
  runCounts: RunCount[];
  /** Worst first; acknowledged ones last. */
  alerts: Alert[];
  /** The worst unacknowledged severity; null if there is none. */
  severity: Severity | null;
  counts: AlertCounts;
  /** Null if the raw log was not compared (--no-audit): losses are then unknown. */
  audit: AuditFigures | null;
  database: string;
}
