import type { Context } from '../../context.js';
import { judgeRuns, type JudgedRun } from '../../ingest/runs/judge.js';
import { acceptDied, finishRun } from '../../audit/run-remedy.js';
import { ConfigError } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { countJournaled } from '../../store/journal/undo-journal.js';
import {
  readRunCommands,
  readRunsAfter,
  readUndos,
  selectNewestRuns,
  type RunRow,
} from '../../store/tables/sync-runs.js';
import { canUndo, findRun, undoOf } from './find-run.js';
import { rfc3339 } from '../../model/time.js';

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
  /** So far, for a running one; null if its end is unknown. */
  durationMs: number | null;
  host: string;
  pid: number;
  /** The run that this one is a step of. */
  parentRunId: string | null;
  /** The stopped run that this one resumed. */
  resumedRunId: string | null;
  /** For a run that did not complete: the later run that did its work, or the parent run. */
  coveredBy: string | null;
  /** For an undo: the run that it undid. */
  undid: string | null;
  /** The undo that restored its changes; null also if that undo was undone itself. */
  undoneBy: string | null;
  /** Whether `undo` can restore what it changed. */
  canUndo: boolean;
}

/** The JSON of `runs list`, `schemaVersion` 1; fields are only ever added. */
export interface RunList {
  schemaVersion: 1;
  command: 'runs list';
  /** Newest first. */
  runs: RunView[];
  database: string;
}

/** The JSON of `runs show`, `schemaVersion` 1; fields are only ever added. */
export interface RunDetail {
  schemaVersion: 1;
  command: 'runs show';
  run: RunView & {
    /** The user's options. */
    options: JsonObject;
    counters: JsonObject | null;
  };
  /** The runs that it started, in order. */
  steps: RunView[];
  /** The run that resumed it. */
  resumedBy: string | null;
  /** Journaled rows by table: its changes, which `undo` can restore if `canUndo`. */
  journal: { table: string; rows: number }[];
  remedies: Remedy[];
  database: string;
}

/** A judged run in the form shown. `now` is in ms since 1970. */
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
    completedAt: rfc3339(completedAt),
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

/** Commands recorded as runs when they change something. */
const RECORDED = [
  'replay',
  'reconcile',
  'dedupe',
  'verify',
  'undo',
  'raw discard',
  'prune',
  'erase',
  'import',
  'link',
  'media fetch',
] as const;

export interface ListRunsOptions {
  /** Only runs of this command. */
  command?: string | undefined;
  /** Only runs that began at or after this time, ms since 1970. */
  since?: number | undefined;
  /** Only runs that began before this time. */
  until?: number | undefined;
  /** Maximum number, newest first. */
  limit: number;
}

/** Past and current runs, newest first. Changes nothing. Throws ConfigError for a command that is never recorded. */
export async function listRuns(ctx: Context, options: ListRunsOptions): Promise<RunList> {
  const { command, since, until, limit } = options;
  if (command !== undefined) await assertRecorded(ctx, command);
  const rows = await selectNewestRuns(ctx.store.sql, {
    command: command ?? null,
    since: since ?? null,
    until: until ?? null,
    limit,
  });
  return {
    schemaVersion: 1,
    command: 'runs list',
    runs: await viewsOf(ctx, rows, await readUndos(ctx.store.sql)),
    database: ctx.store.location,
  };
}

/**
 * One run with its options, its results and related runs. Changes nothing. Throws ConfigError if
 * `typed` does not match the id, or a prefix of the id, of exactly one run.
 */
export async function showRun(ctx: Context, typed: string): Promise<RunDetail> {
  const { sql } = ctx.store;
  const row = await findRun(sql, typed);
  const undos = await readUndos(sql);
  const after = await readRunsAfter(sql, row.id);
  const [run, ...steps] = await viewsOf(
    ctx,
    [row, ...after.filter(({ parentRunId }) => parentRunId === row.id).reverse()],
    undos,
  );
  if (run === undefined) throw new Error(`run ${row.id} without a view`);
  return {
    schemaVersion: 1,
    command: 'runs show',
    run: { ...run, options: row.options, counters: row.counters },
    steps,
    resumedBy: after.find(({ resumedRunId }) => resumedRunId === row.id)?.id ?? null,
    journal: await countJournaled(sql, row.id),
    remedies: remediesOf(run, row),
    database: ctx.store.location,
  };
}

async function viewsOf(ctx: Context, rows: readonly RunRow[], undos: readonly RunRow[]): Promise<RunView[]> {
  const judged = await judgeRuns(ctx, rows, ctx.store.sql, ctx.store.backend);
  return judged.map((run) => viewOf(run, undos, ctx.clock()));
}

function remediesOf(run: RunView, row: RunRow): Remedy[] {
  if (run.canUndo)
    return [remedy('undo', [run.id, '--dry-run'], 'shows what an undo of this run would restore')];
  const hasStopped = run.status === 'died' || run.status === 'interrupted' || run.status === 'failed';
  const finish = hasStopped && run.coveredBy === null ? finishRun(row, 'finishes the work') : null;
  if (finish !== null) return [finish];
  return run.status === 'died' && run.coveredBy === null ? [acceptDied(row)] : [];
}

async function assertRecorded(ctx: Context, command: string): Promise<void> {
  const known = [...new Set([...RECORDED, ...(await readRunCommands(ctx.store.sql))])];
  if (known.includes(command)) return;
  throw new ConfigError(`'${command}' is not a command that is recorded as a run.`, {
    code: 'unknown_command',
    remedy: `Recorded commands: ${known.join(', ')}.`,
  });
}
