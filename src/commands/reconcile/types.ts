import type { IncludableChat } from '../../model/enumerations.js';
import type { RunResult } from '../../model/run-result.js';
import type { SecretKey } from '../devices/secret-key.js';
import type { DedupeResult } from '../dedupe/result.js';
import type { ReportResult } from '../report/types.js';
import type { VerifyResult } from '../verify/types.js';

/** The caller holds the run lock (exclusive) while `reconcile` runs; with `dryRun` none is needed. */
export interface ReconcileOptions {
  /** Decode the whole raw log again, instead of what is pending, failed or new since the last reconcile. */
  full: boolean;
  /**
   * Merge duplicates of the classes `same_id` and `same_message`, and rows of the raw log that have lost their id; without it
   * they are only counted.
   */
  apply: boolean;
  /** Write nothing; report what the run would do. */
  dryRun: boolean;
  /** Create connections that entries name and the database does not know (H1). */
  register: boolean;
  tickets: 'auto' | 'none';
  include: ReadonlySet<IncludableChat>;
  /** Saved comparisons with CRMs that are part of the run, and the key that opens their URLs. */
  crms?: { names: readonly string[]; secretKey: SecretKey | null } | undefined;
  /** Rows per transaction. */
  batchSize: number;
  /** For the report's alerts; see ReportOptions. */
  historyMinutes: number;
  silentHours?: number | undefined;
  timeZone: string;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

/** The figures of the verdict. */
export interface ReconcileFigures {
  connections: number;
  /** Message items of the raw log that were compared with the database; a message that several entries hold is several. */
  messages: number;
  /** Messages in the database that are as they were when they were last compared. */
  unchanged: number;
  /** Messages that the run brought into the database, out of entries that were due. */
  created: number;
  /** Messages that were missing or different, and are as the raw log says again. */
  restored: number;
  /** Messages of the raw log that are not in the database, and on no record. */
  missing: number;
  /** Duplicate rows that are still there. */
  doubled: number;
  /** Duplicate rows that the run merged. */
  merged: number;
  /** Findings of `verify` that are neither lost nor pending; each check's are one of the `degraded` alerts. */
  findings: number;
  /** Alerts that nobody has acknowledged. */
  alerts: number;
  /** Messages, entries and items that are lost; see the severity of alerts. */
  lost: number;
  /** Alerts of this severity. */
  degraded: number;
  notes: number;
  /** Alerts of any severity that a person has acknowledged. */
  acknowledged: number;
}

/** What the run replayed because it was missing or different. */
export interface Restored {
  /** The runs that did it. */
  runs: string[];
  entries: number;
  messages: number;
}

/** The JSON of `reconcile`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface ReconcileResult {
  schemaVersion: 1;
  command: 'reconcile';
  /** Null for a dry run. */
  runId: string | null;
  status: 'completed' | 'partial' | 'failed' | 'interrupted';
  dryRun: boolean;
  /** The result in one line. */
  verdict: string;
  figures: ReconcileFigures;
  /**
   * Since when what was stored, worked on or changed was compared with the raw log, entry by entry; everything else is as it
   * was when it last was. Null when all of it was.
   */
  since: string | null;
  /** The run before this one, if it did not come to its end: this one has caught it up. */
  caughtUp: { runId: string; startedAt: string; status: string } | null;
  /** Why duplicates were only counted although they were to be merged: too many without a person. */
  heldBack?: string;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  /** The steps in their order; null for those that an interruption left out. */
  replay: RunResult | null;
  dedupe: DedupeResult | null;
  /** Rows of the raw log that had lost their id, or had another one, merged into their messages. Null when there were none. */
  copies: DedupeResult | null;
  /** As it is at the end, after what was restored. */
  verify: VerifyResult | null;
  /** Null when there was nothing to restore. */
  restored: Restored | null;
  report: ReportResult | null;
  database: string;
  error?: string;
}
