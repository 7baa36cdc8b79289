import { contentOf } from '../../inputs/input-identity.js';
import type { Context } from '../../context.js';
import { namelessOf } from '../../audit/alert.js';
import { readUnclaimed } from '../../audit/unclaimed-waba.js';
import { executeBatch, nothingApplied, type Applied } from '../../ingest/apply/execute-batch.js';
import { distrustChangedMessages } from '../../ingest/apply/heal-messages.js';
import type { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { BatchSize, type Batch } from '../../ingest/batch/batch.js';
import { type Tally, newMessageCounts } from '../../ingest/batch/tally.js';
import { rehearse } from '../../ingest/runs/in-batch.js';
import { withRun, type Run, type RunEnd, type Target, workOf } from '../../ingest/runs/with-run.js';
import { amount, count } from '../../model/amount.js';
import type { Provider } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import { ownNumberWords, type RunResult, type ConnectionResult } from '../../model/run-result.js';
import type { Sql } from '../../store/sql.js';
import { readConnections } from '../../store/tables/connections.js';
import { readMissingChunks } from '../../store/tables/history.js';
import { readCopiedRows } from '../../store/queries/duplicates.js';
import { createIdGenerator } from '../../store/uuid.js';
import type { WhoIsErased } from '../../ingest/runs/recorded-names.js';
import { findErased } from '../contacts/erased-people.js';
import { describeResume, resumablePaths, toJson, withProblems } from './checkpoint.js';
import { endReopened, openDirectory } from './open-directory.js';
import { openInput, openRequeued, type ReplayFeed } from './open-input.js';
import type { ReplayOptions } from './options.js';

/** At most this many contested rows are collected before they are checked. */
const CONTESTED = 20_000;

/**
 * Replays raw entries into leads, conversations, messages and tickets, in batches of `batchSize` messages and one
 * transaction each. Idempotent and order-free: any repetition, order or interruption of a log ends in the same
 * database. Throws UserError for what the user can fix; problems with single entries go into the result.
 */
export async function replay(ctx: Context, options: ReplayOptions): Promise<RunResult> {
  // A dry run is one transaction: later batches depend on what earlier ones wrote.
  const result = options.dryRun
    ? await rehearse(ctx.store, (sql) => replayInto(ctx, options, { sql, dryRun: true }))
    : await replayInto(ctx, options, { sql: ctx.store.sql, dryRun: false });
  // Recorded first: a run that fails loudly must not look as if it were still running.
  if (result.imbalance !== null) throw new Error(result.imbalance);
  return result.run;
}

interface Replayed {
  run: RunResult;
  /** Why the counters of the run cannot be right. */
  imbalance: string | null;
}

async function replayInto(ctx: Context, options: ReplayOptions, target: Target): Promise<Replayed> {
  const newId = createIdGenerator(ctx.clock);
  const directory = await openDirectory(
    target.sql,
    options,
    newId,
    ctx,
    options.input.kind === 'log' ? 'stored' : 'outside',
  );
  const feed = await openInput(ctx, target.sql, options, directory);
  const { resume } = feed;
  const resumed = resume === null ? null : { runId: resume.runId, checkpoint: toJson(resume.checkpoint) };
  const work = new Replay(ctx, options, target, directory, feed);
  const { input } = options;
  // If this run dies, a replay of the same content under another name makes up for it.
  const content =
    input.kind === 'paths' && !target.dryRun ? await contentOf(input.inputs, ctx.signal) : undefined;
  return withRun(
    ctx,
    {
      command: 'replay',
      // By id: a connection may be renamed, and entries that name none stay bound to the run's choice.
      options: {
        ...options.recordedOptions,
        ...(directory.fixedId === null ? {} : { connectionId: directory.fixedId }),
        ...(content === undefined ? {} : { content }),
      },
      target,
      erased: await whoIsErased(ctx, target.sql, options, directory),
      work: replayWork(options),
      resumed,
      failed: (message, _, run) => work.fail(run, message),
    },
    async (run) => {
      await work.run(run);
      const result = await work.finish(run);
      return { result, end: work.endOf(result) };
    },
  );
}

/** Whom the run may not name on record: stored entries have lost these people, but somebody may ask for one of them. */
function whoIsErased(
  ctx: Context,
  sql: Sql,
  { input, recordedOptions }: ReplayOptions,
  { erased }: ConnectionDirectory,
): Promise<WhoIsErased> | WhoIsErased {
  return input.kind === 'log' && recordedOptions['contact'] !== undefined
    ? findErased(sql, ctx.secretKey)
    : erased;
}

/** The run's task; null if its input cannot be named. */
function replayWork({ input, connection, tickets, include }: ReplayOptions): string | null {
  const how = { connection, tickets: tickets === 'auto' ? null : tickets, include: [...include].sort() };
  if (input.kind === 'log') {
    const { since, until, field, contact, ids } = input;
    // Contacts are private; single entries belong to the parent run.
    return contact === undefined && ids === undefined
      ? workOf(`log ${input.which}`, { ...how, since, until, field })
      : null;
  }
  if (input.kind === 'rows') return null;
  const paths = resumablePaths(input.inputs);
  return paths === null ? null : workOf('files', { ...how, paths });
}

class Replay {
  private readonly applied: Applied = nothingApplied();
  private readonly tally: Tally = this.applied.tally;
  private stopped: 'interrupted' | 'failed' | null = null;
  private error: string | undefined;

  constructor(
    private readonly ctx: Context,
    private readonly options: ReplayOptions,
    private readonly target: Target,
    private readonly directory: ConnectionDirectory,
    private readonly feed: ReplayFeed,
  ) {}

  async run(run: Run): Promise<void> {
    try {
      await this.applyAll(run, this.feed, this.directory);
      if (this.stopped === null) await this.distrustContested();
      if (this.stopped === null) await this.applyRequeued(run);
      if (this.stopped === null) await this.rectifyCopies();
      await endReopened(this.ctx, this.directory.erased, this.target);
    } catch (error) {
      // The next batch may be waiting for a pipe that never ends: unless stopped, it would keep the process alive.
      this.feed.stop();
      throw error;
    }
  }

  /** How the run ends when its work throws. */
  async fail(run: Run, message: string): Promise<RunEnd> {
    this.stopped = 'failed';
    this.error = message;
    return this.endOf(await this.finish(run));
  }

  endOf({ run }: Replayed): RunEnd {
    return endOf(run, this.tally);
  }

  /** While the database writes one batch, the next one is read and decoded. */
  private async applyAll(run: Run, feed: ReplayFeed, directory: ConnectionDirectory): Promise<void> {
    const size = new BatchSize(this.options.batchSize);
    const batches = feed.batches(size);
    let next = await batches.next();
    while (next.done !== true && this.stopped === null) {
      const ahead = new ReadAhead(batches);
      // One transaction is one connection: reading ahead would only queue behind the batch.
      const meanwhile = feed.isStored && this.options.dryRun ? undefined : ahead.startSoon;
      const before = this.applied.conflicts;
      await this.applyOne(run, feed, directory, next.value, meanwhile);
      size.committed(this.applied.conflicts - before);
      next = await ahead.result();
      if (this.applied.contested.size >= CONTESTED) await this.distrustContested();
      this.checkStop(feed);
    }
    if (this.stopped !== null) await batches.return();
    for (const problem of feed.takeProblems()) this.tally.problem(problem);
    // A stopped source just ends, even before its first entry: that is not completion, and must not clear the
    // checkpoint.
    if (this.stopped === null) this.checkStop(feed);
  }

  private async applyOne(
    run: Run,
    feed: ReplayFeed,
    directory: ConnectionDirectory,
    batch: Batch,
    meanwhile: (() => void) | undefined,
  ): Promise<void> {
    const { ctx, tally, target } = this;
    const checkpoint = await feed.checkpointAfter(batch, tally.entries.read);
    const settings = {
      runId: run.id,
      tickets: this.options.tickets,
      syncSource: 'webhook',
      isUndoable: this.options.isUndoable ?? false,
      clock: ctx.clock,
      newId: run.newId,
      ...(meanwhile === undefined ? {} : { meanwhile }),
    } as const;
    const execution = { settings, directory, claim: feed.claim, target };
    // Rows and checkpoint commit together. Inside a large entry there is no new one: the run resumes from the previous
    // one.
    const alongside = (tx: Sql, total: Tally): Promise<void> => {
      const reached = withProblems(checkpoint, total.problemCount);
      return run.checkpoint(tx, reached === null ? null : toJson(reached), countersOf(total));
    };
    if (!(await executeBatch(ctx, execution, batch, this.applied, alongside))) return;
    const { slices, weight } = batch;
    ctx.log.debug({ slices: slices.length, weight, read: tally.entries.read }, 'batch committed');
    for (const problem of feed.takeProblems()) tally.problem(problem);
    const origin = slices.at(-1)?.entry.origin;
    ctx.emit({
      event: 'progress',
      bytesRead: feed.bytesRead(),
      ...(feed.totalBytes === undefined ? {} : { bytesTotal: feed.totalBytes }),
      entries: tally.entries.read,
      messages: tally.messages.seen,
      ...(origin === undefined ? {} : { origin }),
    });
  }

  private checkStop(feed: ReplayFeed): void {
    const { strict, maxErrors } = this.options;
    if (this.ctx.signal.aborted) this.stopped = 'interrupted';
    else if (strict && this.tally.problemCount > 0) {
      this.stopped = 'failed';
      this.error = 'stopped at the first problem (strict)';
    } else if (maxErrors !== undefined && this.tally.problemCount > maxErrors) {
      this.stopped = 'failed';
      this.error = `stopped after ${amount(this.tally.problemCount, 'problem')} (at most ${maxErrors} allowed)`;
    }
    if (this.stopped !== null) feed.stop();
  }

  /** What the raw log does not explain is due again. */
  private async distrustContested(): Promise<void> {
    const rowIds = [...this.applied.contested];
    this.applied.contested.clear();
    await distrustChangedMessages(this.ctx, this.target, rowIds);
  }

  /** A batch reads one row of an id: its copies get the content of the log here, so that `dedupe` can merge them. */
  private async rectifyCopies(): Promise<void> {
    const { input } = this.options;
    if (input.kind !== 'log' || input.which !== 'all') return;
    const rowIds = (await readCopiedRows(this.target.sql)).map(({ id }) => id);
    await distrustChangedMessages(this.ctx, this.target, rowIds, { areCopies: true });
  }

  /**
   * Entries due again because ids were settled differently than before (M9, I3): by this run, or by one killed before
   * it could process them.
   */
  private async applyRequeued(run: Run): Promise<void> {
    // Whatever the run's scope: what it made due again is its own responsibility, on any connection.
    const everywhere = this.directory.unrestricted();
    do {
      this.applied.requeued = 0;
      const feed = await openRequeued(this.ctx, this.target.sql, this.options, everywhere);
      if (feed.totalBytes === 0) return;
      await this.applyAll(run, feed, everywhere);
    } while (this.applied.requeued > 0 && this.stopped === null);
  }

  async finish(run: Run): Promise<Replayed> {
    const { ctx, tally, feed, applied } = this;
    const { resume } = feed;
    tally.chatterLines = feed.chatterLines();
    const imbalance = tally.imbalance();
    if (imbalance !== null) {
      this.stopped = 'failed';
      this.error = `the counters of the run do not add up: ${imbalance}`;
    }
    const lossBefore = (resume?.checkpoint.problems ?? 0) > 0;
    const finishedAt = ctx.clock();
    const result: RunResult = {
      schemaVersion: 1,
      command: 'replay',
      runId: run.id,
      status: this.stopped ?? (tally.hasLoss() || lossBefore ? 'partial' : 'completed'),
      dryRun: this.options.dryRun,
      startedAt: new Date(run.startedAt).toISOString(),
      finishedAt: new Date(finishedAt).toISOString(),
      durationMs: finishedAt - run.startedAt,
      ...tally.counters(),
      connections: await describeConnections(
        this.target.sql,
        tally,
        applied.touched,
        this.directory.registered,
      ),
      problems: tally.problems,
      problemCount: tally.problemCount,
      chatterLines: tally.chatterLines,
      ...(tally.nameless.size === 0 ? {} : await this.ownersOfNameless(tally.nameless)),
      ...(ctx.appSecrets === undefined ? {} : { signatures: tally.signatures }),
      ...(resume === null ? {} : { resumedFrom: describeResume(resume) }),
      database: ctx.store.location,
      ...(this.error === undefined ? {} : { error: this.error }),
    };
    return { run: result, imbalance: imbalance === null ? null : (this.error ?? imbalance) };
  }
  /** The connections that the pending entries may be of which name none. */
  private async ownersOfNameless(
    providers: ReadonlySet<Provider>,
  ): Promise<Pick<RunResult, 'candidates' | 'waba'>> {
    const { sql } = this.target;
    const connections = await readConnections(sql);
    const unclaimed = await readUnclaimed(sql, connections);
    const { candidates, waba } = namelessOf(connections, providers, unclaimed);
    return { candidates: [...candidates], ...(waba === undefined ? {} : { waba }) };
  }
}

/** Takes the next batch once, at the latest when its result is asked for. */
class ReadAhead {
  private reading: Promise<IteratorResult<Batch, void>> | undefined;

  constructor(private readonly batches: AsyncGenerator<Batch, void, undefined>) {}

  /** After the statement that is being sent has left: decoding keeps this thread busy. */
  readonly startSoon = (): void => {
    setImmediate(() => {
      // Whoever asks for the result gets the error; a batch that failed meanwhile has one of its own.
      this.result().catch(() => undefined);
    });
  };

  result(): Promise<IteratorResult<Batch, void>> {
    return (this.reading ??= this.batches.next());
  }
}

/** The connections that a run touched, with their current history state. */
async function describeConnections(
  sql: Sql,
  tally: Tally,
  touched: ReadonlySet<string>,
  registered: ReadonlySet<string>,
): Promise<ConnectionResult[]> {
  const missing = await readMissingChunks(sql, [...touched]);
  const rows = await readConnections(sql);
  return rows
    .filter((row) => touched.has(row.id))
    .map((row) => ({
      id: row.id,
      name: row.name,
      registered: registered.has(row.id),
      historySync: {
        status: row.historySyncStatus,
        phase: row.historySyncPhase,
        chunkOrder: row.historySyncChunkOrder,
        progress: row.historySyncProgress,
        missingChunks: missing
          .filter((chunk) => chunk.connectionId === row.id)
          .map((chunk) => `${chunk.phase}/${chunk.chunkOrder}`),
        ...(row.historySyncError === null ? {} : { error: row.historySyncError }),
      },
      messages: tally.byConnection.get(row.id) ?? newMessageCounts(),
    }));
}

/** Records a replay: its counters, and one sync_log per connection. */
function endOf(result: RunResult, tally: Tally): RunEnd {
  return {
    status: result.status,
    counters: countersOf(tally),
    verdict: verdictOf(result),
    error: result.error ?? null,
    logs: result.connections.map(({ id, messages }) => ({
      connectionId: id,
      messagesImported: messages.created,
      counters: jsonOf(messages),
    })),
    synced: result.connections.map(({ id }) => id),
  };
}

/** The counters of a run as sync_runs keeps them. */
function countersOf(tally: Tally): JsonObject {
  return jsonOf(tally.counters());
}

/** Counters are numbers in objects: JSON by construction. */
function jsonOf(value: object): JsonObject {
  const entries = Object.entries(value).map(
    ([key, part]: [string, unknown]): [string, JsonObject | number] => [
      key,
      typeof part === 'number' ? part : typeof part === 'object' && part !== null ? jsonOf(part) : 0,
    ],
  );
  return Object.fromEntries(entries);
}

/** One line for sync_runs and the log. */
function verdictOf({ status, entries, messages, problemCount, ownNumberRemoved }: RunResult): string {
  const removed = ownNumberWords(ownNumberRemoved);
  return (
    `${status}: ${amount(entries.read, 'entry', 'entries')}, ${amount(messages.created, 'message')} created, ` +
    `${count(messages.updated)} updated, ${count(messages.unchanged)} unchanged, ${amount(problemCount, 'problem')}` +
    (removed === null ? '' : `; ${removed}`)
  );
}
