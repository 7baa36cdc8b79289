import { amount, count } from '../../model/amount.js';
import type { JsonObject } from '../../model/json.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { readUnfinishedRuns, type NewRun } from '../../store/tables/sync-runs.js';
import type { Context } from '../../context.js';
import { inBatch } from '../../ingest/runs/in-batch.js';
import { withRun, type Run, type RunEnd, workOf } from '../../ingest/runs/with-run.js';
import type { BatchOutcome, BatchPlace, MergeRun } from './batches.js';
import { Tally } from './tally.js';
import { type DedupeOptions, type DedupeResult, DUPLICATE_CLASSES } from './result.js';
import { DEDUPE_CLASSES } from './classes.js';

export interface MergedAll {
  runId: string;
  status: DedupeResult['status'];
  tally: Tally;
  resumedFrom: string | null;
}

interface Where {
  connections: readonly ConnectionRow[];
  connectionId: string | null;
  startedAt: number;
}

/**
 * Merges every class under one run. The next run with the same settings resumes a stopped or killed one, and searches
 * again: merged rows no longer match, and new ones do. The checkpoint holds only the settings.
 */
export async function mergeAll(ctx: Context, options: DedupeOptions, where: Where): Promise<MergedAll> {
  const classes = DUPLICATE_CLASSES.filter((name) => options.classes.has(name));
  const only = options.loggedOnly === true ? { loggedOnly: true } : {};
  const settings = JSON.stringify({ classes, connection: where.connectionId, ...only });
  const resumed = await findStopped(ctx.store.sql, settings);
  const tally = new Tally(classes, new Map(where.connections.map(({ id, name }) => [id, name])));
  const merger = new Merger(ctx, options, where, tally);
  return withRun(
    ctx,
    {
      command: 'dedupe',
      options: options.recordedOptions,
      startedAt: where.startedAt,
      work: workOf('dedupe', {
        connection: where.connectionId,
        classes: classes.length === DUPLICATE_CLASSES.length ? null : classes,
        ...only,
      }),
      resumed,
      // With the run itself, so that one killed before its first batch is resumed, too.
      checkpoint: { version: 1, settings },
      failed: (message) => merger.end('failed', message),
    },
    async (run) => {
      await merger.run(run);
      const status = merger.status();
      return {
        result: { runId: run.id, status, tally: merger.tally, resumedFrom: resumed?.runId ?? null },
        end: merger.end(status),
      };
    },
  );
}

async function findStopped(sql: Sql, settings: string): Promise<NewRun['resumed']> {
  const stopped = await readUnfinishedRuns(sql, 'dedupe');
  const same = stopped.find(({ checkpoint }) => checkpoint['settings'] === settings);
  return same === undefined ? null : { runId: same.id, checkpoint: same.checkpoint };
}

class Merger {
  constructor(
    private readonly ctx: Context,
    private readonly options: DedupeOptions,
    private readonly where: Where,
    /** What has been committed so far. */
    public tally: Tally,
  ) {}

  async run(run: Run): Promise<void> {
    const { ctx, where, options } = this;
    const merging: MergeRun = {
      ctx,
      connections: where.connections,
      connectionId: where.connectionId,
      loggedOnly: options.loggedOnly === true,
      runId: run.id,
      batchSize: options.batchSize,
      stopped: () => ctx.signal.aborted,
      batch: (at, work) => this.batch(run, at, work),
    };
    for (const one of DEDUPE_CLASSES) {
      if (options.classes.has(one.name) && !ctx.signal.aborted) await one.apply(merging);
    }
  }

  status(): DedupeResult['status'] {
    if (this.ctx.signal.aborted) return 'interrupted';
    // Entries that a merge of leads set back to pending need a replay.
    return this.tally.requeued > 0 ? 'partial' : 'completed';
  }

  end(status: RunEnd['status'], error: string | null = null): RunEnd {
    const { tally } = this;
    const merged = this.where.connections.filter(({ id }) => tally.deletedOn(id) > 0);
    return {
      status,
      counters: tally.counters(),
      verdict: verdictOf(status, tally),
      error,
      logs: merged.map(({ id }) => ({
        connectionId: id,
        messagesImported: 0,
        counters: { merged: tally.deletedOn(id) } satisfies JsonObject,
      })),
    };
  }

  private async batch(run: Run, at: BatchPlace, work: (tx: Sql) => Promise<BatchOutcome>): Promise<void> {
    const { ctx, where } = this;
    const organizations = where.connections
      .filter(({ id }) => at.connectionIds.includes(id))
      .map(({ organizationId }) => organizationId);
    const { groups, tally } = await inBatch(ctx, { organizations }, async (tx) => {
      const result = await work(tx);
      const next = this.tally.copy();
      next.absorb(result);
      await run.checkpoint(tx, null, next.counters());
      return { groups: result.groups.length, tally: next };
    });
    this.tally = tally;
    ctx.emit({ event: 'progress', bytesRead: 0, entries: tally.groups(), messages: tally.rows() });
    ctx.log.debug({ class: at.class, groups }, 'batch committed');
  }
}

/** One line for sync_runs. */
function verdictOf(status: string, tally: Tally): string {
  const parts = tally
    .result()
    .classes.filter(({ rows }) => rows > 0)
    .map(({ class: name, rows }) => `${count(rows)} ${name}`);
  const merged = amount(tally.rows(), 'duplicate');
  return `${status}: ${parts.length === 0 ? 'no duplicates' : `${merged} merged (${parts.join(', ')})`}`;
}
