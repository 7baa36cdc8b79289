import type { Verified } from '../verify/verify.js';

export interface ReportOptions {
  /** Name of the only connection to report on. */
  connection?: string | undefined;
  /** Days of the chart, today included. */
  days: number;
  /** A moment of the chart's last day, ms since 1970; absent: today. */
  until?: number | undefined;
  /** IANA name of the zone of the days. */
  timeZone: string;
  /** How many of the last runs to list. */
  runs: number;
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
