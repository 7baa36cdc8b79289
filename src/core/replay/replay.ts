import type { RunResult } from '../../model/run-result.js';
import { prepareBatch } from '../../store/batch-lock.js';
import type { Sql } from '../../store/sql.js';
import { createIdGenerator } from '../../store/uuid.js';
import { applyBatch, type BatchResult } from '../apply/apply-batch.js';
import type { ApplySettings } from '../apply/work.js';
import type { Context } from '../context.js';
import type { Batch } from '../batch/batch.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import { describeResume, withProblems } from './checkpoint.js';
import { claimBatch } from './claim-batch.js';
import { openDirectory } from './open-directory.js';
import { openInput, openRequeued, type ReplayFeed } from './open-input.js';
import type { ReplayOptions } from './options.js';
import { RunRecorder } from './run-recorder.js';
import { describeConnections } from './run-result.js';
import { Tally } from '../batch/tally.js';

/** How often a batch is tried again after another writer got in its way. */
const BATCH_RETRIES = 20;

/** Thrown to roll a dry run back once everything has been counted. */
class DryRunDone extends Error {
  constructor(readonly result: RunResult) {
    super('dry run');
  }
}

/**
 * Replays raw entries into leads, conversations, messages and tickets, in batches of `batchSize` messages and one
 * transaction each. Idempotent and order-free: any repetition, order or interruption of a log ends in the same database.
 * Throws UserError for what the user can mend; everything about single entries is in the result instead.
 */
export async function replay(ctx: Context, options: ReplayOptions): Promise<RunResult> {
  if (!options.dryRun) return new Replay(ctx, options).run(ctx.store.sql);
  try {
    // One transaction for all: what a later batch finds depends on what the earlier ones wrote.
    return await ctx.store.transaction(async (tx) => {
      throw new DryRunDone(await new Replay(ctx, options).run(tx));
    });
  } catch (error) {
    if (error instanceof DryRunDone) return error.result;
    throw error;
  }
}

class Replay {
  private readonly tally = new Tally();
  private readonly touched = new Set<string>();
  private readonly newId: () => string;
  private readonly recorder: RunRecorder;
  private requeued = 0;
  private stopped: 'interrupted' | 'failed' | null = null;
  private error: string | undefined;

  constructor(
    private readonly ctx: Context,
    private readonly options: ReplayOptions,
  ) {
    this.newId = createIdGenerator(ctx.clock);
    this.recorder = new RunRecorder(ctx, this.newId(), ctx.clock());
  }

  async run(sql: Sql): Promise<RunResult> {
    const { ctx, options, recorder } = this;
    const directory = await openDirectory(sql, options, this.newId);
    const feed = await openInput(ctx, sql, options, directory);
    ctx.emit({
      event: 'run_started',
      runId: recorder.runId,
      command: 'replay',
      dryRun: options.dryRun,
      ...(feed.resume === null ? {} : { resumedFrom: feed.resume.runId }),
    });
    await recorder.start(sql, options.recordedOptions, feed.resume);
    try {
      await this.applyAll(sql, feed, directory);
      if (this.stopped === null) await this.applyRequeued(sql, directory);
    } catch (error) {
      // The next batch may be waiting for a pipe that never ends: unstopped, it would keep the process alive.
      feed.stop();
      this.stopped = 'failed';
      this.error = error instanceof Error ? error.message : String(error);
      await this.finish(sql, feed, directory).catch(() => undefined);
      throw error;
    }
    return this.finish(sql, feed, directory);
  }

  /** While one batch is in the database, the next one is read and decoded. */
  private async applyAll(sql: Sql, feed: ReplayFeed, directory: ConnectionDirectory): Promise<void> {
    const batches = feed.batches();
    let next = await batches.next();
    while (next.done !== true && this.stopped === null) {
      const batch = next.value;
      if (this.options.dryRun) {
        // One transaction is one connection: reading ahead would only queue behind the batch.
        await this.applyOne(sql, feed, directory, batch);
        next = await batches.next();
      } else {
        const [following] = await Promise.all([batches.next(), this.applyOne(sql, feed, directory, batch)]);
        next = following;
      }
      this.checkStop(feed);
    }
    if (this.stopped !== null) await batches.return();
    for (const problem of feed.takeProblems()) this.tally.problem(problem);
    // A source that is stopped just ends, also before its first entry: that is no completion, and must not clear the checkpoint.
    if (this.stopped === null) this.checkStop(feed);
  }

  private async applyOne(
    sql: Sql,
    feed: ReplayFeed,
    directory: ConnectionDirectory,
    batch: Batch,
  ): Promise<void> {
    const settings: ApplySettings = {
      runId: this.recorder.runId,
      tickets: this.options.tickets,
      syncSource: 'webhook',
      clock: this.ctx.clock,
      newId: this.newId,
    };
    const checkpoint = await feed.checkpointAfter(batch, this.tally.entries.read);
    const work = async (tx: Sql): Promise<BatchResult | null> => {
      await prepareBatch(tx, this.ctx.store.backend);
      if (feed.claim !== null && !(await claimBatch(tx, batch, feed.claim))) return null;
      const result = await applyBatch(tx, settings, directory, batch);
      const total = new Tally();
      total.absorb(this.tally);
      total.absorb(result.tally);
      await this.recorder.checkpoint(tx, withProblems(checkpoint, total.problemCount), total);
      return result;
    };
    const outcome = await this.inTransaction(sql, work, BATCH_RETRIES);
    this.settle(feed, directory, batch, outcome);
  }

  /** A dry run is inside its one transaction already; nothing in it can be tried again alone. */
  private inTransaction<T>(sql: Sql, work: (tx: Sql) => Promise<T>, retries = 0): Promise<T> {
    return this.options.dryRun ? work(sql) : this.ctx.store.transaction(work, { retries });
  }

  /** The batch has committed: now its counts are true. */
  private settle(
    feed: ReplayFeed,
    directory: ConnectionDirectory,
    batch: Batch,
    outcome: BatchResult | null,
  ): void {
    // Another run has claimed all of it.
    if (outcome === null) return;
    directory.committed(batch);
    this.tally.absorb(outcome.tally);
    this.ctx.log.debug(
      { slices: batch.slices.length, weight: batch.weight, read: this.tally.entries.read },
      'batch committed',
    );
    this.requeued += outcome.requeued;
    for (const { slice, logId, isDuplicate, rejected } of outcome.slices) {
      Object.assign(slice.progress, { logId, isDuplicate, rejected });
      for (const { section } of slice.parts) {
        if (section.connection !== null && section.pending === null) this.touched.add(section.connection.id);
      }
    }
    for (const problem of feed.takeProblems()) this.tally.problem(problem);
    const origin = batch.slices.at(-1)?.entry.origin;
    this.ctx.emit({
      event: 'progress',
      bytesRead: feed.bytesRead(),
      ...(feed.totalBytes === undefined ? {} : { bytesTotal: feed.totalBytes }),
      entries: this.tally.entries.read,
      messages: this.tally.messages.seen,
      ...(origin === undefined ? {} : { origin }),
    });
  }

  private checkStop(feed: ReplayFeed): void {
    const { strict, maxErrors } = this.options;
    if (this.ctx.signal.aborted) this.stopped = 'interrupted';
    else if (strict && this.tally.problemCount > 0) {
      this.stopped = 'failed';
      this.error = 'stopped at the first problem (--strict)';
    } else if (maxErrors !== undefined && this.tally.problemCount > maxErrors) {
      this.stopped = 'failed';
      this.error = `stopped after ${this.tally.problemCount} problems (--max-errors ${maxErrors})`;
    }
    if (this.stopped !== null) feed.stop();
  }

  /**
   * Entries that became due again because ids were settled otherwise than before (M9, I3): of this run, or of one that was
   * killed before it could.
   */
  private async applyRequeued(sql: Sql, directory: ConnectionDirectory): Promise<void> {
    // Whatever this run was asked to look at: what it made due again is its own affair, on any connection.
    const everywhere = directory.unrestricted();
    do {
      this.requeued = 0;
      const feed = await openRequeued(sql, this.options, everywhere);
      if (feed.totalBytes === 0) return;
      await this.applyAll(sql, feed, everywhere);
    } while (this.requeued > 0 && this.stopped === null);
  }

  private async finish(sql: Sql, feed: ReplayFeed, directory: ConnectionDirectory): Promise<RunResult> {
    const { ctx, tally, recorder } = this;
    tally.chatterLines = feed.chatterLines();
    const imbalance = tally.imbalance();
    if (imbalance !== null) {
      this.stopped = 'failed';
      this.error = `the accounts of the run do not balance: ${imbalance}`;
    }
    const lossBefore = (feed.resume?.checkpoint.problems ?? 0) > 0;
    const finishedAt = ctx.clock();
    const result: RunResult = {
      schemaVersion: 1,
      command: 'replay',
      runId: recorder.runId,
      status: this.stopped ?? (tally.hasLoss() || lossBefore ? 'partial' : 'completed'),
      dryRun: this.options.dryRun,
      startedAt: new Date(recorder.startedAt).toISOString(),
      finishedAt: new Date(finishedAt).toISOString(),
      durationMs: finishedAt - recorder.startedAt,
      ...tally.counters(),
      connections: await describeConnections(sql, tally, this.touched, directory.registered),
      problems: tally.problems,
      problemCount: tally.problemCount,
      chatterLines: tally.chatterLines,
      ...(feed.resume === null ? {} : { resumedFrom: describeResume(feed.resume) }),
      database: ctx.store.location,
      ...(this.error === undefined ? {} : { error: this.error }),
    };
    await this.inTransaction(sql, (tx) => recorder.finish(tx, result, tally, this.newId));
    ctx.emit({ event: 'run_finished', runId: recorder.runId, status: result.status });
    // Recorded first: a run that fails loudly must not look as if it were still at work.
    if (imbalance !== null) throw new Error(this.error);
    return result;
  }
}
