import type { JsonObject } from '../../model/json.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { readUnfinishedRuns, type NewRun } from '../../store/tables/sync-runs.js';
import type { Context } from '../../context.js';
import { inBatch } from '../../ingest/runs/in-batch.js';
import { withRun, type Run, type RunEnd, workOf } from '../../ingest/runs/with-run.js';
import { Account } from './account.js';
import type { BatchOutcome, BatchPlace, MergeRun } from './duplicate-work.js';
import type { DedupeOptions } from './options.js';
import { DUPLICATE_CLASSES, type DedupeResult } from './result.js';
import { DUPLICATE_WORKS } from './works.js';

export interface MergedAll {
  runId: string;
  status: DedupeResult['status'];
  account: Account;
  resumedFrom: string | null;
}

interface Where {
  connections: readonly ConnectionRow[];
  connectionId: string | null;
  startedAt: number;
}

/**
 * Merges every class under one run. A run that was stopped or killed is taken up by the next one of the same kind, which looks
 * again: what was merged is not found again, and what came since is. Its checkpoint says only what kind it was.
 */
export async function mergeAll(ctx: Context, options: DedupeOptions, where: Where): Promise<MergedAll> {
  const classes = DUPLICATE_CLASSES.filter((name) => options.classes.has(name));
  const settings = JSON.stringify({ classes, connection: where.connectionId });
  const resumed = await findStopped(ctx.store.sql, settings);
  const account = new Account(classes, new Map(where.connections.map(({ id, name }) => [id, name])));
  const merger = new Merger(ctx, options, where, account);
  return withRun(
    ctx,
    {
      command: 'dedupe',
      options: options.recordedOptions,
      startedAt: where.startedAt,
      work: workOf('dedupe', {
        connection: where.connectionId,
        classes: classes.length === DUPLICATE_CLASSES.length ? null : classes,
      }),
      resumed,
      failed: (message) => merger.end('failed', message),
    },
    async (run) => {
      // At once: a run that is killed before its first batch is taken up, too.
      await run.checkpoint(ctx.store.sql, { version: 1, settings }, account.counters());
      await merger.run(run);
      const status = merger.status();
      return {
        result: { runId: run.id, status, account: merger.account, resumedFrom: resumed?.runId ?? null },
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
    public account: Account,
  ) {}

  async run(run: Run): Promise<void> {
    const { ctx, where, options } = this;
    const merging: MergeRun = {
      ctx,
      connections: where.connections,
      connectionId: where.connectionId,
      runId: run.id,
      newId: run.newId,
      batchSize: options.batchSize,
      stopped: () => ctx.signal.aborted,
      batch: (at, work) => this.batch(run, at, work),
    };
    for (const work of DUPLICATE_WORKS) {
      if (options.classes.has(work.name) && !ctx.signal.aborted) await work.apply(merging);
    }
  }

  status(): DedupeResult['status'] {
    if (this.ctx.signal.aborted) return 'interrupted';
    // Entries that a merge of leads made due again wait for the next replay.
    return this.account.requeued > 0 ? 'partial' : 'completed';
  }

  end(status: RunEnd['status'], error: string | null = null): RunEnd {
    const { account } = this;
    const merged = this.where.connections.filter(({ id }) => account.doubledOn(id) > 0);
    return {
      status,
      counters: account.counters(),
      verdict: verdictOf(status, account),
      error,
      logs: merged.map(({ id }) => ({
        connectionId: id,
        messagesImported: 0,
        counters: { merged: account.doubledOn(id) } satisfies JsonObject,
      })),
    };
  }

  private async batch(
    run: Run,
    at: BatchPlace,
    work: (tx: Sql) => Promise<BatchOutcome>,
  ): Promise<BatchOutcome> {
    const { ctx, where } = this;
    const organizations = where.connections
      .filter(({ id }) => at.connectionIds.includes(id))
      .map(({ organizationId }) => organizationId);
    const { outcome, account } = await inBatch(ctx, { organizations }, async (tx) => {
      const result = await work(tx);
      const next = this.account.copy();
      next.absorb(result);
      await run.checkpoint(tx, null, next.counters());
      return { outcome: result, account: next };
    });
    this.account = account;
    ctx.emit({ event: 'progress', bytesRead: 0, entries: account.groups(), messages: account.rows() });
    ctx.log.debug({ class: at.class, groups: outcome.groups.length }, 'batch committed');
    return outcome;
  }
}

/** One line for sync_runs. */
function verdictOf(status: string, account: Account): string {
  const parts = account
    .result()
    .classes.filter(({ rows }) => rows > 0)
    .map(({ class: name, groups, rows }) => `${name} ${rows} rows of ${groups} groups`);
  return `${status}: ${parts.length === 0 ? 'nothing to merge' : `merged ${parts.join(', ')}`}`;
}
