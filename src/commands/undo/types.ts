import type { JsonObject } from '../../model/json.js';

/** The caller holds the run lock, exclusive, while `undo` runs. */
export interface UndoOptions {
  /** The id of the run to undo, or a prefix. */
  run: string;
  /** Restore what has not changed since, column by column, and keep the rest, instead of changing nothing. */
  force: boolean;
  /** Do everything, then roll back. */
  dryRun: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

/** A row changed after the run to undo. With `--force`, the changed columns stay. */
export interface LeftRow {
  table: string;
  /** The row's primary key. */
  key: JsonObject;
  /** What happened to it since: changed, deleted (`gone`), or reinserted (`back`). */
  how: 'changed' | 'gone' | 'back';
  /** For a changed row, the changed columns: `--force` restores the others. */
  columns: string[];
  /** The newest run that journaled the row; null if none did: another program, or a replay. */
  by: { runId: string; command: string; at: string } | null;
}

/** The JSON of `undo`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface UndoResult {
  schemaVersion: 1;
  command: 'undo';
  /** The undo's own run, which can itself be undone; null if nothing changed. */
  runId: string | null;
  undone: { runId: string; command: string; startedAt: string };
  /** `failed`: rows have changed since, so nothing was restored; `partial`: all others were restored (`--force`). */
  status: 'completed' | 'partial' | 'failed';
  dryRun: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  /**
   * Restored rows (with `dryRun`: those that would be), by table: what the undone run had deleted, changed and
   * inserted.
   */
  tables: { table: string; inserted: number; updated: number; deleted: number }[];
  rows: number;
  /** Rows changed since. `rows` lists the first of them. */
  left: { found: number; rows: LeftRow[] };
  database: string;
}
