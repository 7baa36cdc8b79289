import type { IncludableChat } from '../../model/enumerations.js';

/** The caller holds the run lock (exclusive) while `reconcile` runs; with `dryRun` none is needed. */
export interface ReconcileOptions {
  /** Decode the whole raw log again, instead of what is pending, failed or new since the last night. */
  full: boolean;
  /** Merge doubles of the classes `same_id` and `same_message`; without it they are only counted. */
  apply: boolean;
  /** Write nothing; say what the night would do. */
  dryRun: boolean;
  /** Create connections that entries name and the database does not know (H1). */
  register: boolean;
  tickets: 'auto' | 'none';
  include: ReadonlySet<IncludableChat>;
  /** Rows per transaction. */
  batchSize: number;
  /** For the report's alerts; see ReportOptions. */
  historyMinutes: number;
  silentHours?: number | undefined;
  timeZone: string;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}
