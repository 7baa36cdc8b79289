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

/** The limits from milliseconds, as they are typed and as a program gives them. */
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
  /** A moment of the chart's last day, ms since 1970; absent: today, or the newest day with a message where the days up to today have none. */
  until?: number | undefined;
  /** IANA name of the zone of the days. */
  timeZone: string;
  /** How many of the last runs to list. */
  runs: number;
  /** Count messages by the hour, too: for the page. */
  hours?: boolean | undefined;
  /** Alert when a connection has no history so long after onboarding. */
  historyMinutes: number;
  /** Alert when no live event came for so long; absent: by the connection's own rhythm. */
  silentHours?: number | undefined;
  /** Compare the whole raw log with the database, item by item. Without it, nothing can be said about losses. */
  audit: boolean;
  /** What a verification has just found out: nothing is compared a second time. */
  verified?: Verified | undefined;
  /** Duplicate rows that a plan of `dedupe` has just counted, and that are still there. */
  duplicates?: number | undefined;
}

export interface DayCount {
  /** `YYYY-MM-DD` in the report's zone. */
  day: string;
  inbound: number;
  outbound: number;
  /** True for a day without messages inside the connection's life that its own rhythm does not explain. */
  gap: boolean;
}

/**
 * `items`: messages that the raw log holds, counted per entry; `saved`: rows that came from it.
 * items - saved = Σ explained + unexplained, always. The reasons: `repeated` (its message was there already), `merged` (the
 * row was merged into another, the journal has it), `skipped.<reason>`, `rejected.<reason>` (on record), `pending.<reason>`
 * (the entry waits). `unexplained`: items that are not in the database; where the raw log was not compared, rows that a run
 * has stored and that are gone, with nothing in the journal.
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
  /** So long is usual, at this time of the week. Null if there never was a live event. */
  toleratedHours: number | null;
  /** `weeks`: the same hours of earlier weeks; `little`: too few live messages to learn from; `option`: it was asked for. */
  learnedFrom: 'weeks' | 'little' | 'option';
}

/** How many messages failed for one reason. */
export interface DeliveryFailure {
  /** Meta's error code; null where none was sent. */
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
  /** Of those that are here. */
  bytes: number;
  /** When the first file that is owed expires. */
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
  /** The newest request that Meta send its history (`history request`); null where none is on record. */
  historyRequest: HistoryRequestReport | null;
  onboardedAt: string | null;
  /** What `onboardedAt` rests on: what was recorded, the earliest entry, live message or chunk, or when it was added here. */
  onboardedBy: 'webhook' | 'evidence' | 'added';
  lastLiveEventAt: string | null;
  lastSyncAt: string | null;
  /** Since when nothing is expected of it any more; null if it is in use. */
  archivedAt: string | null;
  leads: number;
  conversations: number;
  messages: {
    total: number;
    byDirection: Record<Direction, number>;
    bySource: Record<MessageSource, number>;
    /** Of them, those that only a CRM has (`compare --adopt`), by provider: `crm:evolution`. Absent where there are none. */
    byCrm?: Record<string, number>;
    firstAt: string | null;
    lastAt: string | null;
  };
  tickets: { open: number; closed: number };
  /** History media announced and not delivered; `expired`: their 14 days are over. */
  mediaOwed: { waiting: number; expired: number };
  /** The files that messages name, where `media fetch` fetches them; null where it never has. */
  mediaFiles: MediaFilesReport | null;
  /** Messages of this connection that failed, by why: the most frequent first. */
  deliveryFailures: DeliveryFailure[];
  accounts: Accounts;
  rhythm: Rhythm;
  /** Facts whose message has not come. */
  pendingFacts: number;
  /** What is to be applied later: messages of pending entries, and facts whose message has not come. */
  pending: number;
  lastDay: LastDay;
  days: DayCount[];
  /** The last of these days, at most 31, by the hour; absent unless `hours` was asked for. */
  hours?: DayHours[];
  /** The worst severity of its alerts that nobody has acknowledged; null where there is none. */
  severity: Severity | null;
  /** Its alerts, counted as those of the whole report are. */
  counts: AlertCounts;
}

/** A request of history, and whether anything came of it. Times are RFC 3339. */
export interface HistoryRequestReport {
  requestedAt: string;
  /** Meta's name of it, for its support. */
  requestId: string | null;
  outcome: RequestOutcome;
  /** Accepted, and nothing of the history has come since. */
  isWaiting: boolean;
}

/** A day of a connection by the hours of the zone's clocks. */
export interface DayHours {
  day: string;
  /** Messages from midnight on, 24 figures. */
  hours: number[];
  /** Hours without messages in which some were to be expected. */
  gaps: number[];
}

/** What the last comparison with a CRM's own tables found. */
export interface ComparisonReport {
  /** As it was saved. */
  name: string;
  crm: CrmName;
  /** When it was last tried, RFC 3339; null: never. */
  comparedAt: string | null;
  /** Why the last one failed; null when it did not. */
  error: string | null;
  /** How many messages and rows the last one that ended found in each class; null before the first. */
  counts: ComparisonCounts | null;
}

/** A contact whose conversation is not whole. */
export interface ContactAtRisk {
  /** Null where it is not known which one. */
  connection: string | null;
  /** A phone, else a LID or a BSUID. */
  contact: string;
  /** Messages of the raw log that are missing, different or doubled, and updates that are not applied. */
  lost: number;
  /** Entries and updates that have been pending for more than a day. */
  pending: number;
  /** Since when the oldest of these is pending. */
  since: string | null;
  remedy: Remedy;
}

/** A run that no other run started, as one point of a trend. */
export interface RunPoint {
  id: string;
  command: string;
  status: RunReport['status'];
  verdict: string | null;
  startedAt: string;
  /** Null while it runs, and for one that died. */
  durationMs: number | null;
  /** Messages that it created or restored; null for commands that bring none. */
  messages: number | null;
  /** Messages, entries and items that were lost at its end; null for commands that do not look. */
  lost: number | null;
  /** Duplicate rows that it found; null for commands that do not look. */
  duplicates: number | null;
}

/** The messages of the 24 hours before the report. */
export interface LastDay {
  messages: number;
  /** The median of the same 24 hours of up to four earlier weeks; null for a connection younger than a week. */
  usual: number | null;
}

/** All runs of one command that ended in one way. */
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
  /** `died`: recorded as running, by a process that is no more. */
  status: RunStatus | 'died';
  verdict: string | null;
  startedAt: string;
  completedAt: string | null;
  host: string;
  error: string | null;
  /** What it did with messages; null for runs that keep no such counters. */
  messages: { seen: number; created: number; updated: number } | null;
}

/** One item that was rejected, with where it stands. */
export interface RejectSample {
  connection: string | null;
  /** `file:line` where the entry was first seen. */
  origin: string | null;
  /** `log:<id>`: what `explain` takes. */
  entry: string;
  path: string;
  subject: string;
  reason: string;
  excerpt: string;
  at: string;
}

/** What comparing the raw log with the database, item by item, has found. Messages are counted once, items as often as they came. */
export interface AuditFigures {
  /** Entries and message items that were decoded and compared. */
  entries: number;
  items: number;
  missing: number;
  different: number;
  /** Statuses, edits and the like that are not in their message. */
  unapplied: number;
  doubled: number;
  /** Rows whose raw entry does not hold them. */
  unfounded: number;
  /** Raw entries whose bytes are not those that were stored. */
  damaged: number;
  /** Messages that were not compared again: they are as they were when they last were. */
  unchanged: number;
}

/** The JSON of `report`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface ReportResult {
  schemaVersion: 1;
  command: 'report';
  generatedAt: string;
  /** The zone of `days`. */
  timeZone: string;
  /** The last of `days`, where that is the newest day with a message because the days up to today have none; else null. */
  newestDay: string | null;
  connections: ConnectionReport[];
  /** Entries of the raw log by how they ended. */
  entries: Record<string, number>;
  /** Rejects on record, by reason. */
  rejects: ReasonCounts;
  /** Leads in all: one with conversations on two connections is a lead of both, and counts once here. */
  leads: number;
  /** Facts whose message has not come. */
  pendingFacts: number;
  /** The newest rejects, at most 20. */
  rejected: RejectSample[];
  /** Of the whole raw log, entries that no connection takes included. Absent when one connection was asked for. */
  accounts?: Accounts;
  runs: RunReport[];
  /** The last 60 runs that no other run started, the oldest first. */
  trend: RunPoint[];
  /** The worst first, at most 50. */
  contactsAtRisk: ContactAtRisk[];
  contactsAtRiskTotal: number;
  /** CRMs that are compared every night. */
  comparisons: ComparisonReport[];
  /** All runs there are, by command and by how they ended. */
  runCounts: RunCount[];
  /** The worst first; those that were acknowledged last. */
  alerts: Alert[];
  /** The worst severity that nobody has acknowledged; null where there is none. */
  severity: Severity | null;
  counts: AlertCounts;
  /** Null where the raw log was not compared (--no-audit): then nothing is said about losses. */
  audit: AuditFigures | null;
  database: string;
}
