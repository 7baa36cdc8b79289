import type { ConnectionKind, Direction, MessageSource, RunStatus } from '../../model/enumerations.js';
import type { HistorySyncState, ReasonCounts } from '../../model/run-result.js';

export const ALERT_KINDS = [
  'no_history',
  'silent',
  'declined',
  'failed',
  'chunk_missing',
  'partner_removed',
  'rejects',
  'pending_facts',
  'entries_pending',
  'entries_failed',
  'run_died',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export interface Alert {
  kind: AlertKind;
  /** Null for what concerns the whole database. */
  connection: string | null;
  /** Since when, RFC 3339; null if that cannot be told. */
  since: string | null;
  count: number | null;
  /** One sentence for people. */
  message: string;
  /** What to type next; null if only a person can mend it. */
  remedy: string | null;
}

export interface DayCount {
  /** `YYYY-MM-DD` in the report's zone. */
  day: string;
  inbound: number;
  outbound: number;
  /** True for a day without messages inside the connection's life that its own rhythm does not explain. */
  gap: boolean;
}

export interface ConnectionReport {
  id: string;
  name: string;
  organization: string;
  kind: ConnectionKind;
  phone: string | null;
  historySync: HistorySyncState & { startedAt: string | null; completedAt: string | null };
  onboardedAt: string | null;
  lastLiveEventAt: string | null;
  lastSyncAt: string | null;
  leads: number;
  conversations: number;
  messages: {
    total: number;
    byDirection: Record<Direction, number>;
    bySource: Record<MessageSource, number>;
    firstAt: string | null;
    lastAt: string | null;
  };
  tickets: { open: number; closed: number };
  /** History media announced and not delivered; `expired`: their 14 days are over. */
  mediaOwed: { waiting: number; expired: number };
  /**
   * `items`: messages that the raw log holds for this connection, counted per entry; `saved`: rows that came from it.
   * items - saved = Σ explained, by reason (repeated, skipped, rejected, merged, pending, …) + unexplained.
   */
  accounts: { items: number; saved: number; explained: ReasonCounts; unexplained: number };
  days: DayCount[];
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
}

/** The JSON of `report`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface ReportResult {
  schemaVersion: 1;
  command: 'report';
  generatedAt: string;
  /** The zone of `days`. */
  timeZone: string;
  connections: ConnectionReport[];
  /** Entries of the raw log by how they ended. */
  entries: Record<string, number>;
  /** Rejects on record, by reason. */
  rejects: ReasonCounts;
  /** Facts whose message has not come. */
  pendingFacts: number;
  runs: RunReport[];
  alerts: Alert[];
  database: string;
}
