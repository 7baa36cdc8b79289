import type { RunStatus } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import { lockOrganizations, prepareBatch } from '../../store/batch-lock.js';
import type { ConnectionRow } from '../../store/connections.js';
import {
  finishRun,
  insertRun,
  insertSyncLogs,
  readUnfinishedRuns,
  saveCheckpoint,
} from '../../store/runs.js';
import type { Sql } from '../../store/sql.js';
import { createIdGenerator } from '../../store/uuid.js';
import type { Context } from '../context.js';
import { Account } from './account.js';
import type { BatchOutcome, BatchPlace, MergeRun } from './duplicate-work.js';
import type { DedupeOptions } from './options.js';
import { DUPLICATE_CLASSES, type DedupeResult } from './result.js';
import { DUPLICATE_WORKS } from './works.js';

/** How often a batch is tried again after another writer got in its way. */
const BATCH_RETRIES = 20;

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
 * anew: what was merged is not found again, and what came meanwhile is. Its checkpoint says how far it had come.
 */
export async function mergeAll(ctx: Context, options: DedupeOptions, where: Where): Promise<MergedAll> {
  return new Merger(ctx, options, where).run();
}

class Merger {
  private account: Account;
  private readonly newId: () => string;
  private readonly runId: string;
  private readonly settings: string;

  constructor(
    private readonly ctx: Context,
    private readonly options: DedupeOptions,
    private readonly where: Where,
  ) {
    this.newId = createIdGenerator(ctx.clock);
    this.runId = this.newId();
    const classes = DUPLICATE_CLASSES.filter((name) => options.classes.has(name));
    this.account = new Account(classes, new Map(where.connections.map(({ id, name }) => [id, name])));
    this.settings = JSON.stringify({ classes, connection: where.connectionId });
  }

  async run(): Promise<MergedAll> {
    const { ctx, runId, where, options } = this;
    const { sql } = ctx.store;
    const resumed = await this.findStopped(sql);
    await insertRun(sql, {
      id: runId,
      command: 'dedupe',
      options: options.recordedOptions,
      host: ctx.host,
      pid: ctx.pid,
      startedAt: where.startedAt,
      // From the start: a run that is killed before its first batch is taken up, too.
      resumed,
    });
    await saveCheckpoint(sql, runId, this.checkpoint(null), this.account.counters());
    ctx.emit({
      event: 'run_started',
      runId,
      command: 'dedupe',
      dryRun: false,
      ...(resumed === null ? {} : { resumedFrom: resumed.runId }),
    });
    try {
      const run: MergeRun = {
        ctx,
        connections: where.connections,
        connectionId: where.connectionId,
        runId,
        newId: this.newId,
        batchSize: options.batchSize,
        stopped: () => ctx.signal.aborted,
        batch: (at, work) => this.batch(at, work),
      };
      for (const work of DUPLICATE_WORKS) {
        if (options.classes.has(work.name) && !ctx.signal.aborted) await work.apply(run);
      }
    } catch (error) {
      await this.finish('failed', error instanceof Error ? error.message : String(error)).catch(
        () => undefined,
      );
      throw error;
    }
    // Entries that a merge of leads made due again wait for the next replay.
    const done = this.account.requeued > 0 ? 'partial' : 'completed';
    const status = ctx.signal.aborted ? 'interrupted' : done;
    await this.finish(status, null);
    return { runId, status, account: this.account, resumedFrom: resumed?.runId ?? null };
  }

  private async findStopped(sql: Sql): Promise<Parameters<typeof insertRun>[1]['resumed']> {
    const stopped = await readUnfinishedRuns(sql, 'dedupe');
    const same = stopped.find(({ checkpoint }) => checkpoint['settings'] === this.settings);
    return same === undefined ? null : { runId: same.id, checkpoint: same.checkpoint };
  }

  private async batch(at: BatchPlace, work: (tx: Sql) => Promise<BatchOutcome>): Promise<BatchOutcome> {
    const { ctx, where } = this;
    const organizations = where.connections
      .filter(({ id }) => at.connectionIds.includes(id))
      .map(({ organizationId }) => organizationId);
    const { outcome, account } = await ctx.store.transaction(
      async (tx) => {
        await prepareBatch(tx, ctx.store.backend);
        await lockOrganizations(tx, [...new Set(organizations)]);
        const result = await work(tx);
        const next = this.account.copy();
        next.absorb(result);
        await saveCheckpoint(tx, this.runId, this.checkpoint(at), next.counters());
        return { outcome: result, account: next };
      },
      { retries: BATCH_RETRIES },
    );
    this.account = account;
    ctx.emit({ event: 'progress', bytesRead: 0, entries: account.groups(), messages: account.rows() });
    ctx.log.debug({ class: at.class, groups: outcome.groups.length }, 'batch committed');
    return outcome;
  }

  /** What the run was asked for, and how far it has come. */
  private checkpoint(at: BatchPlace | null): JsonObject {
    return {
      version: 1,
      settings: this.settings,
      ...(at === null ? {} : { class: at.class, cursor: [...at.cursor] }),
    };
  }

  private async finish(status: Exclude<RunStatus, 'running'>, error: string | null): Promise<void> {
    const { ctx, runId, account, where } = this;
    const completedAt = ctx.clock();
    await ctx.store.transaction(async (tx) => {
      await insertSyncLogs(
        tx,
        where.connections
          .filter(({ id }) => account.doubledOn(id) > 0)
          .map(({ id }) => ({
            id: this.newId(),
            runId,
            connectionId: id,
            leadId: null,
            syncType: 'batch',
            messagesImported: 0,
            counters: { merged: account.doubledOn(id) },
            status,
            startedAt: where.startedAt,
            completedAt,
          })),
      );
      await finishRun(tx, {
        id: runId,
        status,
        counters: account.counters(),
        verdict: verdictOf(status, account),
        completedAt,
        error,
        clearCheckpoint: status === 'completed' || status === 'partial',
      });
    });
    ctx.emit({ event: 'run_finished', runId, status });
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
