import type { IncludableChat } from '../../model/enumerations.js';
import type { RunResult } from '../../model/run-result.js';
import type { SecretKey } from '../devices/secret-key.js';
import type { DedupeResult } from '../dedupe/result.js';
import type { PruneOptions, PruneResult } from '../prune/types.js';
import type { ReportResult } from '../report/types.js';
import type { VerifyResult } from '../verify/types.js';

/** The caller holds the run lock (exclusive) while `reconcile` runs; `dryRun` needs none. */
export interface ReconcileOptions {
  /** Decode the whole raw log again, instead of what is pending, failed or new since the last reconcile. */
  full: boolean;
  /**
   * Merge duplicates of the classes `same_id` and `same_message`, and rows of the raw log that lost their id; without
   * it, only count them.
   */
  apply: boolean;
  /** Write nothing; report what the run would do. */
  dryRun: boolean;
  /** Create unknown connections that entries name (H1). */
  register: boolean;
  tickets: 'auto' | 'none';
  include: ReadonlySet<IncludableChat>;
  /** Saved comparisons with CRMs to run as well, and the key that opens their URLs. */
  crms?: { names: readonly string[]; secretKey: SecretKey | null } | undefined;
  /** Retention, once all of the log is accounted for; absent: every body stays. */
  prune?: Pick<PruneOptions, 'olderThan' | 'classes'> | undefined;
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
  /** Message items of the raw log compared with the database; a message in several entries counts several times. */
  messages: number;
  /** Messages in the database unchanged since they were last compared. */
  unchanged: number;
  /** Messages that the run added to the database, from due entries. */
  created: number;
  /** Messages that were missing or different, and match the raw log again. */
  restored: number;
  /** Messages in the raw log, not in the database, and on no record. */
  missing: number;
  /** Remaining duplicate rows. */
  doubled: number;
  /** Duplicate rows that the run merged. */
  merged: number;
  /** Connections, conversations, leads and tickets whose derived values the run corrected. */
  corrected: number;
  /** Findings of `verify` that are neither lost nor pending; each check's findings are one `degraded` alert. */
  findings: number;
  /** Unacknowledged alerts. */
  alerts: number;
  /** Lost messages, entries and items; see the severity of alerts. */
  lost: number;
  /** Alerts of this severity. */
  degraded: number;
  notes: number;
  /** Acknowledged alerts of any severity. */
  acknowledged: number;
}

/** What the run replayed because it was missing or different. */
export interface Restored {
  /** The runs that replayed them. */
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
   * Only entries stored or processed since this time were compared with the raw log; everything else is as last
   * compared. Null when all of it was compared.
   */
  since: string | null;
  /** The previous run, if it did not finish: this one has made up for it. */
  caughtUp: { runId: string; startedAt: string; status: string } | null;
  /** Why duplicates were only counted instead of merged: too many without a person. */
  heldBack?: string;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  /** The steps in order; null for those skipped by an interruption. */
  replay: RunResult | null;
  dedupe: DedupeResult | null;
  /**
   * Rows of the raw log that had lost their id, or had another one, merged into their messages. Null if there were
   * none.
   */
  copies: DedupeResult | null;
  /** The final state, after restoring. */
  verify: VerifyResult | null;
  /** Null if nothing needed restoring. */
  restored: Restored | null;
  /** Bodies emptied by the retention; absent without one, and if the log is not accounted for: then every body stays. */
  prune?: PruneResult;
  report: ReportResult | null;
  database: string;
  error?: string;
}
