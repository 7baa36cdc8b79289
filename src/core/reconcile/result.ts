import type { RunResult } from '../../model/run-result.js';
import type { DedupeResult } from '../dedupe/result.js';
import type { ReportResult } from '../report/result.js';
import type { VerifyResult } from '../verify/result.js';

/** The figures of the verdict. */
export interface NightFigures {
  connections: number;
  /** Messages of the raw log that were compared with the database. */
  messages: number;
  /** Messages that the night brought into the database. */
  created: number;
  /** Messages of the raw log that are not in the database, and on no record. */
  missing: number;
  /** Rows too many that are still there. */
  doubled: number;
  /** Rows too many that the night merged. */
  merged: number;
  /** Other findings of `verify`. */
  findings: number;
  alerts: number;
}

/** The JSON of `reconcile`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface ReconcileResult {
  schemaVersion: 1;
  command: 'reconcile';
  /** Null for a dry run. */
  runId: string | null;
  status: 'completed' | 'partial' | 'failed' | 'interrupted';
  dryRun: boolean;
  /** One line that says it all. */
  verdict: string;
  figures: NightFigures;
  /** What was checked: everything stored or worked on since then; null for everything there is. */
  since: string | null;
  /** The night before this one, if it did not come to its end: this one has caught it up. */
  caughtUp: { runId: string; startedAt: string; status: string } | null;
  /** Why doubles were only counted although they were to be merged: too many for a night without a person. */
  heldBack?: string;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  /** The steps in their order; null for those that an interruption left out. */
  replay: RunResult | null;
  dedupe: DedupeResult | null;
  verify: VerifyResult | null;
  report: ReportResult | null;
  database: string;
  error?: string;
}
