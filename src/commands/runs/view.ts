import type { JsonObject } from '../../model/json.js';
import type { Remedy } from '../../model/remedy.js';
import type { RunRow } from '../../store/tables/sync-runs.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import { canUndo, undoOf } from './undoable.js';

/** One recorded run. Times are RFC 3339, UTC. */
export interface RunView {
  id: string;
  command: string;
  /** `died`: recorded as running, and its process is gone. */
  status: RunRow['status'] | 'died';
  verdict: string | null;
  error: string | null;
  startedAt: string;
  completedAt: string | null;
  /** So far, for a run at work; null where nobody knows when it ended. */
  durationMs: number | null;
  host: string;
  pid: number;
  /** The run that this one is a step of. */
  parentRunId: string | null;
  /** The stopped run that this one resumed. */
  resumedRunId: string | null;
  /** Of a run that did not complete: the run that made up for it, or that answers for it. */
  coveredBy: string | null;
  /** Of an undo: the run that it undid. */
  undid: string | null;
  /** The undo that put back what it changed; null also where that undo was undone itself. */
  undoneBy: string | null;
  /** Whether `undo` can put back what it changed. */
  canUndo: boolean;
}

/** The JSON of `runs list`, `schemaVersion` 1; fields are only ever added. */
export interface RunList {
  schemaVersion: 1;
  command: 'runs list';
  /** The newest first. */
  runs: RunView[];
  database: string;
}

/** The JSON of `runs show`, `schemaVersion` 1; fields are only ever added. */
export interface RunDetail {
  schemaVersion: 1;
  command: 'runs show';
  run: RunView & {
    /** What the user asked for. */
    options: JsonObject;
    counters: JsonObject | null;
  };
  /** The runs that it started, in their order. */
  steps: RunView[];
  /** The run that resumed it. */
  resumedBy: string | null;
  /** Rows in the journal, by table: what it changed, and `undo` can put back where `canUndo` says so. */
  journal: { table: string; rows: number }[];
  remedies: Remedy[];
  database: string;
}

/** A judged run as it is shown. `now` is in ms since 1970. */
export function viewOf({ row, status }: JudgedRun, undos: readonly RunRow[], now: number): RunView {
  const { startedAt, completedAt } = row;
  const until = status === 'running' ? now : completedAt;
  return {
    id: row.id,
    command: row.command,
    status,
    verdict: row.verdict,
    error: row.error,
    startedAt: new Date(startedAt).toISOString(),
    completedAt: completedAt === null ? null : new Date(completedAt).toISOString(),
    durationMs: until === null ? null : Math.max(0, until - startedAt),
    host: row.host,
    pid: row.pid,
    parentRunId: row.parentRunId,
    resumedRunId: row.resumedRunId,
    coveredBy: row.coveredBy,
    undid: row.undid,
    undoneBy: undoOf(row.id, undos)?.id ?? null,
    canUndo: canUndo(row, undos),
  };
}
