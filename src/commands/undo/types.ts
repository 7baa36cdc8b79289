import type { JsonObject } from '../../model/json.js';

/** The caller holds the run lock, exclusive, while `undo` runs. */
export interface UndoOptions {
  /** The id of the run to undo, or the beginning of it. */
  run: string;
  /** Put back what nobody touched since, column by column, and leave the rest, instead of leaving everything. */
  force: boolean;
  /** Do everything, and roll it back. */
  dryRun: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

/** A row that somebody touched after the run that was to be undone. With `--force`, what was touched stays as it is. */
export interface LeftRow {
  table: string;
  /** The row's primary key. */
  key: JsonObject;
  /** What happened to it since: it was changed, it went, or it came back. */
  how: 'changed' | 'gone' | 'back';
  /** Of a changed row, the columns that were touched: with `--force` the others are put back. */
  columns: string[];
  /** The newest run that has the row in its journal; null where none has: another program, or a replay. */
  by: { runId: string; command: string; at: string } | null;
}

/** The JSON of `undo`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface UndoResult {
  schemaVersion: 1;
  command: 'undo';
  /** The undo's own run, which can be undone as well; null where nothing was changed. */
  runId: string | null;
  undone: { runId: string; command: string; startedAt: string };
  /** `failed`: rows were touched since, and nothing was changed; `partial`: all others were put back (`--force`). */
  status: 'completed' | 'partial' | 'failed';
  dryRun: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  /** Rows put back (with `dryRun`: that would be), by table; what had been removed, changed and made by the undone run. */
  tables: { table: string; inserted: number; updated: number; deleted: number }[];
  rows: number;
  /** Rows touched since. `rows` lists the first of them. */
  left: { found: number; rows: LeftRow[] };
  database: string;
}
