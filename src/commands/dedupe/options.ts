import type { DuplicateClass } from './result.js';

/** The caller holds the run lock while `dedupe` runs: exclusive with `apply`, none is needed for a plan. */
export interface DedupeOptions {
  /** Name of the only connection to look at. */
  connection?: string | undefined;
  classes: ReadonlySet<DuplicateClass>;
  /** Without it nothing is changed. */
  apply: boolean;
  /** Rows per transaction. */
  batchSize: number;
  /** Merge even if more than 5 % of a connection's rows would go. */
  force: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}
