import type { Context } from '../../context.js';
import type { RunStatus } from '../../model/enumerations.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import type { Sql } from '../../store/sql.js';
import { touchConnections } from '../../store/tables/connections.js';
import { insertSyncLogs } from '../../store/tables/sync-logs.js';
import { finishRun, insertRun, saveCheckpoint, type NewRun } from '../../store/tables/sync-runs.js';
import { createIdGenerator } from '../../store/uuid.js';
import { recordedObject, recordedOptions, recordedText, type WhoIsErased } from './recorded-names.js';

/** Where a run writes: the database, or an enclosing transaction. */
export interface Target {
  sql: Sql;
  /** The transaction is rolled back at the end. */
  dryRun: boolean;
}

/** What a run is, before it begins. */
interface RunSpec {
  command: string;
  /** For sync_runs.options: what the user asked for, without secrets. */
  options: JsonObject;
  /** Who was erased: options, work, checkpoints and errors are on record without their names (F2). */
  erased?: WhoIsErased;
  /** Where to record the run; absent: the database. Null records nothing. */
  target?: Target | null;
  /** The run's task; equal for runs with the same one. A later one that completes makes up for a dead one. */
  work?: string | null;
  /** When the work began, if before it was recorded. */
  startedAt?: number;
  /** The stopped run that this one resumes. */
  resumed?: NewRun['resumed'];
  /** What is on record with the run from the start, for the next one to resume it. */
  checkpoint?: JsonObject;
  /** False for a command that shows its own progress. */
  announced?: boolean;
  /** How the run ends when its work throws; absent: without counters. */
  failed?: (message: string, error: unknown, run: Run) => RunEnd | Promise<RunEnd>;
}

/** An active run. */
export interface Run {
  readonly id: string;
  readonly startedAt: number;
  readonly newId: () => string;
  /** Inside a batch's transaction: its counters and the resume position, if new. */
  checkpoint(tx: Sql, checkpoint: JsonObject | null, counters: JsonObject): Promise<void>;
}

/** How a run ended. */
export interface RunEnd {
  status: Exclude<RunStatus, 'running'>;
  counters: JsonObject;
  /** One line for people. */
  verdict: string;
  error?: string | null;
  /** What the run did on each connection; one sync_log each. */
  logs?: readonly { connectionId: string; messagesImported: number; counters: JsonObject }[];
  /** Connections synchronized as of now. */
  synced?: readonly string[];
}

/** What the work of a run gives back. */
export interface Ended<T> {
  result: T;
  end: RunEnd;
}

/**
 * Records `work` as a run: opened before it begins, closed with its verdict when it ends, and closed as failed when it
 * throws. A run that completes, even partially, leaves no checkpoint; any other keeps its own for the next run.
 */
export async function withRun<T>(
  ctx: Context,
  spec: RunSpec,
  work: (run: Run) => Promise<Ended<T>>,
): Promise<T> {
  const recorder = new Recorder(ctx, spec);
  await recorder.begin();
  let ended: Ended<T>;
  try {
    ended = await work(recorder);
  } catch (error) {
    await recorder.fail(error);
    throw error;
  }
  await recorder.end(ended.end);
  return ended.result;
}

class Recorder implements Run {
  readonly newId: () => string;
  readonly id: string;
  readonly startedAt: number;
  private readonly target: Target | null;
  private readonly erased: WhoIsErased;

  constructor(
    private readonly ctx: Context,
    private readonly spec: RunSpec,
  ) {
    this.newId = createIdGenerator(ctx.clock);
    this.id = this.newId();
    this.startedAt = spec.startedAt ?? ctx.clock();
    this.erased = spec.erased ?? null;
    this.target = spec.target === undefined ? { sql: ctx.store.sql, dryRun: false } : spec.target;
  }

  async begin(): Promise<void> {
    const { ctx, spec, target } = this;
    const { command, options, resumed = null, checkpoint = null, work = null } = spec;
    if (target !== null) {
      await ctx.store.assertSpace();
      const { id, startedAt } = this;
      const { host, pid } = ctx;
      const parentRunId = ctx.parentRunId ?? null;
      await insertRun(target.sql, {
        id,
        command,
        options: recordedOptions(options, this.erased),
        host,
        pid,
        startedAt,
        parentRunId,
        work: work === null ? null : recordedText(work, this.erased),
        resumed,
        checkpoint: checkpoint === null ? null : recordedObject(checkpoint, this.erased),
      });
    }
    if (spec.announced === false) return;
    ctx.emit({
      event: 'run_started',
      runId: this.id,
      command,
      dryRun: target?.dryRun ?? true,
      ...(resumed === null ? {} : { resumedFrom: resumed.runId }),
    });
  }

  async checkpoint(tx: Sql, checkpoint: JsonObject | null, counters: JsonObject): Promise<void> {
    if (this.target === null) return;
    const recorded = checkpoint === null ? null : recordedObject(checkpoint, this.erased);
    await saveCheckpoint(tx, this.id, recorded, counters);
  }

  async end(end: RunEnd): Promise<void> {
    const { ctx, spec, target } = this;
    if (target !== null) {
      if (this.isPartOfTransaction()) await this.record(target.sql, end);
      else await ctx.store.transaction((tx) => this.record(tx, end));
    }
    if (spec.announced !== false) ctx.emit({ event: 'run_finished', runId: this.id, status: end.status });
  }

  /** The work's error counts: an error in recording it must not hide it. */
  async fail(error: unknown): Promise<void> {
    // That transaction is rolled back, and the start of the run with it.
    if (this.isPartOfTransaction()) return;
    const message = error instanceof Error ? error.message : String(error);
    try {
      const end = (await this.spec.failed?.(message, error, this)) ?? {
        status: 'failed',
        counters: {},
        verdict: 'failed',
        error: message,
      };
      await this.end(end);
    } catch {
      return;
    }
  }

  private isPartOfTransaction(): boolean {
    return this.target !== null && this.target.sql !== this.ctx.store.sql;
  }

  private async record(tx: Sql, end: RunEnd): Promise<void> {
    const { id: runId, startedAt } = this;
    const { status, counters, verdict, error = null, logs = [], synced = [] } = end;
    const completedAt = this.ctx.clock();
    await insertSyncLogs(
      tx,
      logs.map((log) => ({
        ...log,
        id: this.newId(),
        runId,
        leadId: null,
        syncType: 'batch' as const,
        status,
        startedAt,
        completedAt,
      })),
    );
    await touchConnections(tx, synced, completedAt);
    await finishRun(tx, {
      id: runId,
      status,
      counters,
      verdict: recordedText(verdict, this.erased),
      completedAt,
      error: error === null ? null : recordedText(error, this.erased),
      clearCheckpoint: status === 'completed' || status === 'partial',
    });
  }
}

/** The scope of a run's work; absent or empty values do not restrict it. */
type Narrowing = Readonly<Record<string, JsonValue | undefined>>;

/**
 * A run's task, for sync_runs.work: equal for runs with the same task, however typed. `<kind> {}` covers everything, so
 * it makes up for every narrower one of its kind; see src/store/tables/sync-runs.ts.
 */
export function workOf(kind: string, narrowing: Narrowing): string {
  const narrow = Object.entries(narrowing)
    .filter(
      ([, value]) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `${kind} ${JSON.stringify(Object.fromEntries(narrow))}`;
}
