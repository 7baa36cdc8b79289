import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Context } from '../../context.js';
import { type Batch, Batcher, type BatchSize } from '../../ingest/batch/batch.js';
import type { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { prepareEntry, type StoredAs } from '../../ingest/batch/prepare-entry.js';
import { isRunAlive } from '../../ingest/runs/judge.js';
import { recordedText } from '../../ingest/runs/recorded-names.js';
import { openFileSource } from '../../inputs/file-source.js';
import type { EntryStatus } from '../../model/enumerations.js';
import {
  formatOrigin,
  type Position,
  type RawEntry,
  type SourceProblem,
  type SourceItem,
} from '../../model/raw-entry.js';
import type { Problem } from '../../model/run-result.js';
import { RawLog, rawEntryOf } from '../../rawlog/raw-log.js';
import type { Sql } from '../../store/sql.js';
import { type EntrySelection, measureEntries } from '../../store/tables/stored-entries.js';
import { REQUEUED } from '../../store/tables/webhook-log.js';
import { refuseErased, resolveContact } from '../contacts/resolve-contact.js';
import { CheckpointKeeper, findResumePoint, type Checkpoint, type ResumePoint } from './checkpoint.js';
import type { LogSelection, ReplayOptions } from './options.js';

/**
 * Messages in one batch of a dry run, at least. Its batches share one transaction, which cannot clear row versions of
 * earlier batches: every foreign-key check walks through all of them. Measured with batches of 1000, a dry run took 2.5
 * times as long as the run itself, with these 1.2 times.
 */
const DRY_RUN_BATCH = 5_000;

/** Decoded in a few milliseconds. Then an answer of the database is looked at, so that it gets its next statement. */
const BYTES_OF_A_TURN = 64 * 1024;

/** A stream of batches, with what the run must know about their source. */
export interface ReplayFeed {
  totalBytes: number | undefined;
  bytesRead(): number;
  batches(size: BatchSize): AsyncGenerator<Batch, void, undefined>;
  /** Its batches come from the database: one transaction cannot read the next while writing another. */
  isStored: boolean;
  /** Problems with the inputs themselves since the last call. */
  takeProblems(): Problem[];
  /** Where to resume once the batch is stored; null if the input cannot be resumed. */
  checkpointAfter(batch: Batch, entriesRead: number): Promise<Checkpoint | null>;
  /** Entries of webhook_log claimed batch by batch, and the statuses in which they are due. */
  claim: readonly EntryStatus[] | null;
  /** The stopped run that this one resumes. */
  resume: ResumePoint | null;
  chatterLines(): number;
  stop(): void;
}

interface FeedItem {
  entry: RawEntry;
  storedAs: StoredAs | null;
  after: Position | null;
}

/** Opens the run's input: files and stdin, or a part of webhook_log. */
export async function openInput(
  ctx: Context,
  sql: Sql,
  options: ReplayOptions,
  directory: ConnectionDirectory,
): Promise<ReplayFeed> {
  if (options.input.kind === 'log') {
    const selection = await selectionOf(ctx, sql, options, options.input);
    return openLog(ctx, sql, options, directory, selection, options.input.which !== 'all');
  }
  if (options.input.kind === 'rows') return openRows(ctx, options, options.input.entries, directory);
  return openPaths(ctx, sql, options, options.input, directory);
}

/** The entries made due again by this run's merges. */
export function openRequeued(
  ctx: Context,
  sql: Sql,
  options: ReplayOptions,
  directory: ConnectionDirectory,
): Promise<ReplayFeed> {
  return openLog(ctx, sql, options, directory, { statuses: ['pending'], error: REQUEUED }, true);
}

async function openPaths(
  ctx: Context,
  sql: Sql,
  options: ReplayOptions,
  input: Extract<ReplayOptions['input'], { kind: 'paths' }>,
  directory: ConnectionDirectory,
): Promise<ReplayFeed> {
  const settings = JSON.stringify([
    options.connection ?? null,
    options.register,
    options.tickets,
    [...options.include].sort(),
  ]);
  const resume =
    options.resume && !options.dryRun
      ? await findResumePoint(
          sql,
          input.inputs,
          settings,
          (run) => isRunAlive(ctx, run, sql),
          (text) => recordedText(text, directory.erased),
        )
      : null;
  const stopping = new AbortController();
  const source = openFileSource(input.inputs, {
    stdin: input.stdin,
    signal: AbortSignal.any([ctx.signal, stopping.signal]),
    maxEntryBytes: input.maxEntryBytes,
    onPassedOver: input.onPassedOver,
    ...(resume === null ? {} : { resume: resume.checkpoint.position }),
  });
  const problems: Problem[] = [];
  const keeper = new CheckpointKeeper(
    input.inputs,
    settings,
    resume?.checkpoint ?? { entries: 0, problems: 0 },
  );

  async function* items(): AsyncGenerator<FeedItem> {
    for await (const item of source.items()) {
      if (item.kind === 'problem') problems.push(problemOf(item.problem));
      else yield { entry: item.entry, storedAs: null, after: item.after ?? null };
    }
  }
  return {
    totalBytes: source.totalBytes,
    bytesRead: () => source.bytesRead(),
    batches: (size) => gather(ctx, items(), options, directory, size),
    isStored: false,
    takeProblems: () => problems.splice(0),
    checkpointAfter: (batch, entriesRead) => keeper.after(batch, entriesRead),
    claim: null,
    resume,
    chatterLines: () => source.skippedLines(),
    stop: () => {
      stopping.abort();
    },
  };
}

function openRows(
  ctx: Context,
  options: ReplayOptions,
  entries: AsyncIterable<RawEntry>,
  directory: ConnectionDirectory,
): ReplayFeed {
  let stopped = false;
  let bytes = 0;
  async function* items(): AsyncGenerator<FeedItem> {
    for await (const entry of entries) {
      if (stopped) return;
      bytes += entry.bytes.byteLength;
      yield { entry, storedAs: null, after: null };
    }
  }
  return {
    totalBytes: undefined,
    bytesRead: () => bytes,
    batches: (size) => gather(ctx, items(), options, directory, size),
    isStored: false,
    takeProblems: () => [],
    checkpointAfter: () => Promise.resolve(null),
    claim: null,
    resume: null,
    chatterLines: () => 0,
    stop: () => {
      stopped = true;
    },
  };
}

async function openLog(
  ctx: Context,
  sql: Sql,
  options: ReplayOptions,
  directory: ConnectionDirectory,
  selection: EntrySelection,
  claims: boolean,
): Promise<ReplayFeed> {
  const source = await LogSource.open(sql, { ...selection, hasBody: true });
  let stopped = false;
  async function* items(): AsyncGenerator<FeedItem> {
    for await (const { entry, storedAs } of source.items()) {
      if (stopped) return;
      yield { entry, storedAs, after: null };
    }
  }
  return {
    totalBytes: source.totalBytes,
    bytesRead: () => source.bytesRead(),
    batches: (size) => gather(ctx, items(), options, directory, size),
    isStored: true,
    takeProblems: () => [],
    checkpointAfter: () => Promise.resolve(null),
    claim: claims ? selection.statuses : null,
    resume: null,
    chatterLines: () => 0,
    stop: () => {
      stopped = true;
    },
  };
}

async function* gather(
  ctx: Context,
  items: AsyncIterable<FeedItem>,
  options: ReplayOptions,
  directory: ConnectionDirectory,
  size: BatchSize,
): AsyncGenerator<Batch, void, undefined> {
  const batcher = new Batcher(() =>
    options.dryRun ? Math.max(size.current(), DRY_RUN_BATCH) : size.current(),
  );
  let bytes = 0;
  for await (const { entry, storedAs, after } of items) {
    bytes += entry.bytes.byteLength;
    if (bytes > BYTES_OF_A_TURN) {
      bytes = 0;
      await nextTurn();
    }
    yield* batcher.add(prepareEntry(entry, storedAs, directory, options.include, ctx.appSecrets), after);
  }
  const rest = batcher.rest();
  if (rest !== null) yield rest;
}

async function selectionOf(
  ctx: Context,
  sql: Sql,
  options: ReplayOptions,
  selection: LogSelection,
): Promise<EntrySelection> {
  const statuses: Record<LogSelection['which'], EntryStatus[]> = {
    pending: ['pending'],
    failed: ['pending', 'failed'],
    all: [],
  };
  const connection =
    options.connection === undefined
      ? undefined
      : (
          await sql.query(`select id, phone_number_id from connections where name = $1 or id::text = $1`, [
            options.connection,
          ])
        )[0];
  const phoneNumberId = connection?.['phone_number_id'];
  return {
    statuses: statuses[selection.which],
    ...(selection.since === undefined ? {} : { since: selection.since }),
    ...(selection.until === undefined ? {} : { until: selection.until }),
    ...(selection.failedSince === undefined ? {} : { failedSince: selection.failedSince }),
    ...(selection.field === undefined ? {} : { field: selection.field }),
    ...(selection.ids === undefined ? {} : { ids: selection.ids }),
    ...(selection.contact === undefined ? {} : { chatIds: await namesOf(ctx, sql, selection.contact) }),
    ...(connection === undefined
      ? {}
      : {
          connection: {
            id: String(connection['id']),
            phoneNumberId: typeof phoneNumberId === 'string' ? phoneNumberId : null,
          },
        }),
  };
}

/** Throws ConfigError `erased_contact`. */
async function namesOf(ctx: Context, sql: Sql, typed: string): Promise<string[]> {
  const contact = await resolveContact(sql, typed);
  const said = await refuseErased(sql, contact, ctx.secretKey);
  if (said !== null) ctx.emit({ event: 'notice', message: said });
  return contact.names;
}

function problemOf(problem: SourceProblem): Problem {
  return {
    origin: formatOrigin(problem.origin),
    path: '$',
    reason: problem.reason,
    excerpt: problem.excerpt ?? problem.message,
  };
}

/** An item with its place in webhook_log. */
type LogItem = SourceItem & { kind: 'entry'; storedAs: StoredAs };

/** Reads stored entries back, page by page in storage order. */
export class LogSource {
  private read = 0;

  private constructor(
    private readonly log: RawLog,
    private readonly selection: EntrySelection,
    readonly totalBytes: number,
    readonly totalEntries: number,
  ) {}

  static async open(sql: Sql, selection: EntrySelection): Promise<LogSource> {
    const { entries, bytes } = await measureEntries(sql, selection);
    return new LogSource(await RawLog.open(sql), selection, bytes, entries);
  }

  bytesRead(): number {
    return this.read;
  }

  async *items(): AsyncGenerator<LogItem> {
    for await (const stored of this.log.stored(this.selection)) {
      this.read += stored.entry.rawBody.byteLength;
      yield { kind: 'entry', entry: rawEntryOf(stored), storedAs: stored.storedAs };
    }
  }
}
