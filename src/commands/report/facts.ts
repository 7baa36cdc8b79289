import type { PendingFactGroup } from '../../store/queries/report-connections.js';
import type { EntryGroup } from '../../store/queries/report-log.js';
import type { ConnectionRow, ConnectionTimes } from '../../store/tables/connections.js';
import type { RejectGroup } from '../../store/tables/rejects.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import type { AccountEvent } from './removals.js';
import type { ConnectionReport } from './result.js';

/** What is known about one connection when its alerts are decided. */
export interface ConnectionFacts {
  row: ConnectionRow;
  times: ConnectionTimes;
  report: ConnectionReport;
  /** When the last entry of its history came, chunk or error; ms since 1970. */
  lastHistoryAt: number | null;
  removal: AccountEvent | null;
  rejects: readonly RejectGroup[];
  pendingFacts: PendingFactGroup | undefined;
}

/** What is known about the database as a whole. */
export interface WholeFacts {
  /** All entries, or those of the one connection that was asked for, with whose they are (null: nobody's). */
  entries: readonly { group: EntryGroup; connection: ConnectionRow | null }[];
  /** Every connection there is. */
  connections: readonly ConnectionRow[];
  runs: readonly JudgedRun[];
  /** Rejects of items that no connection takes. */
  rejects: readonly RejectGroup[];
  now: number;
  /** What happened before, ms since 1970, is in the figures and gives no alert any more. */
  recentSince: number;
  /** Days since then. */
  days: number;
}
