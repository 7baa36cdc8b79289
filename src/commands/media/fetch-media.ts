import type { Context } from '../../context.js';
import type { GraphClient } from '../../graph/client.js';
import { GraphError } from '../../graph/errors.js';
import { amount, bytes as bytesOf } from '../../model/amount.js';
import { UserError } from '../../model/errors.js';
import { acquireMediaLock } from '../../store/locks/run-lock.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import {
  countMedia,
  readOwedMedia,
  type MediaChoice,
  type NamedMedia,
} from '../../store/tables/media-files.js';
import { chosenConnections, withGraph } from '../graph/token.js';
import { fetchFile, type FileOutcome } from './fetch-file.js';
import { removeUnfinished } from './keep-file.js';
import type {
  FetchedConnection,
  MediaFetchOptions,
  MediaFetchResult,
  MediaSelection,
  MediaTally,
} from './types.js';

/** How many files are looked up at once. */
const PAGE = 200;
/** How often a long run says where it is. */
const WORD_MS = 10_000;

/**
 * Fetches what messages name and nobody has, connection by connection, the soonest to expire first. Each file is recorded when it
 * is on disk: a run that dies is taken up by the next. Throws ConfigError for an unknown connection and a wrong secret key, and
 * LockedError where another process fetches the same media.
 */
export async function fetchMedia(ctx: Context, options: MediaFetchOptions): Promise<MediaFetchResult> {
  const connections = await chosenConnections(ctx, options);
  const fetched: FetchedConnection[] = [];
  let bytesLeft = options.maxBytes ?? Number.POSITIVE_INFINITY;
  for (const connection of connections) {
    if (ctx.signal.aborted) break;
    const one = await fetchConnection(ctx, connection, options, bytesLeft);
    bytesLeft -= one.bytes;
    fetched.push(one);
  }
  return {
    schemaVersion: 1,
    command: 'media fetch',
    status: statusOf(ctx, options, fetched),
    directory: options.to,
    connections: fetched,
  };
}

export function choiceOf(connectionId: string, { type, since, until }: MediaSelection): MediaChoice {
  return { connectionId, leadId: null, since: since ?? null, until: until ?? null, type: type ?? null };
}

function statusOf(
  ctx: Context,
  { dryRun }: MediaFetchOptions,
  fetched: readonly FetchedConnection[],
): MediaFetchResult['status'] {
  if (dryRun) return 'planned';
  if (ctx.signal.aborted) return 'interrupted';
  const codes = fetched.flatMap(({ stopped }) => stopped?.code ?? []);
  if (codes.some((code) => code !== 'graph_rate_limit' && code !== 'max_bytes')) return 'failed';
  const isPartial = codes.includes('graph_rate_limit') || fetched.some(({ failed }) => failed > 0);
  return isPartial ? 'partial' : 'completed';
}

async function fetchConnection(
  ctx: Context,
  connection: ConnectionRecord,
  options: MediaFetchOptions,
  bytesLeft: number,
): Promise<FetchedConnection> {
  const choice = choiceOf(connection.id, options);
  const tally: MediaTally = {
    fetched: 0,
    known: 0,
    expired: 0,
    denied: 0,
    mismatch: 0,
    failed: 0,
    bytes: 0,
  };
  let stopped: FetchedConnection['stopped'] = null;
  if (!options.dryRun && (await owedOf(ctx, choice, options.again)) > 0) {
    const lock = await acquireMediaLock(options.database, connection, {
      command: 'media fetch',
      host: ctx.host,
      pid: ctx.pid,
      waitMs: options.lockWaitMs,
      signal: ctx.signal,
    });
    const held = { ...ctx, signal: AbortSignal.any([ctx.signal, lock.lost]) };
    try {
      await removeUnfinished(options.to, connection.id);
      stopped = await withGraph(held, connection, options.access, (client) =>
        new Fetching(held, connection, client, options, tally, bytesLeft).run(choice),
      );
    } catch (error) {
      // A connection without a token is no reason to leave the others.
      if (options.connection !== undefined || !(error instanceof UserError) || error.code !== 'token_missing')
        throw error;
      stopped = { code: error.code, message: error.message };
    } finally {
      await lock.release();
    }
    lock.assertHeld();
  }
  return {
    connection: { id: connection.id, name: connection.name },
    ...tally,
    owed: await owedOf(ctx, choice, options.again && options.dryRun),
    stopped,
  };
}

async function owedOf(ctx: Context, choice: MediaChoice, again: boolean): Promise<number> {
  const counts = await countMedia(ctx.store.sql, choice, ctx.clock());
  return counts
    .filter(({ state }) => state === 'owed' || (again && state !== 'fetched'))
    .reduce((sum, { files }) => sum + files, 0);
}

/** The media of one connection, a few at a time. */
class Fetching {
  private readonly startedAt: number;
  private stop: Error | 'max_bytes' | null = null;
  private saidAt: number;

  constructor(
    private readonly ctx: Context,
    private readonly connection: ConnectionRecord,
    private readonly client: GraphClient,
    private readonly options: MediaFetchOptions,
    private readonly tally: MediaTally,
    private readonly bytesLeft: number,
  ) {
    this.startedAt = ctx.clock();
    this.saidAt = this.startedAt;
  }

  /** Gives why it ended early; null where everything was tried. Throws what is no matter of Meta’s. */
  async run(choice: MediaChoice): Promise<FetchedConnection['stopped']> {
    const { ctx, options, startedAt } = this;
    const tried = new Set<string>();
    while (this.stop === null && !ctx.signal.aborted) {
      const page = await readOwedMedia(ctx.store.sql, choice, {
        now: ctx.clock(),
        notSince: startedAt,
        again: options.again,
        limit: PAGE,
      });
      const fresh = page.filter(({ mediaId }) => !tried.has(mediaId));
      if (fresh.length === 0) break;
      for (const { mediaId } of fresh) tried.add(mediaId);
      const rest = fresh.values();
      await Promise.all(
        Array.from({ length: options.concurrency }, (_, number) => this.takeFrom(rest, number)),
      );
    }
    return this.whyStopped();
  }

  /** One of those who take file after file off the same list. */
  private async takeFrom(rest: Iterable<NamedMedia>, number: number): Promise<void> {
    const { ctx, tally } = this;
    for (const media of rest) {
      if (tally.bytes >= this.bytesLeft) this.halt('max_bytes');
      if (this.stop !== null || ctx.signal.aborted) return;
      try {
        this.count(
          await fetchFile(ctx, media, {
            client: this.client,
            phoneNumberId: this.connection.phoneNumberId,
            directory: this.options.to,
            temporary: `${this.connection.id}-${number}`,
          }),
        );
      } catch (error) {
        this.halt(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
  }

  /** Nobody begins another file. What ends with an interruption is no fault. */
  private halt(why: Error | 'max_bytes'): void {
    if (!this.ctx.signal.aborted) this.stop ??= why;
  }

  private count({ outcome, bytes }: FileOutcome): void {
    const { ctx, tally } = this;
    tally[outcome === 'known' ? 'fetched' : outcome] += 1;
    if (outcome === 'known') tally.known += 1;
    tally.bytes += bytes;
    const now = ctx.clock();
    if (now - this.saidAt < WORD_MS) return;
    this.saidAt = now;
    ctx.emit({
      event: 'notice',
      message: `${this.connection.name}: ${amount(tally.fetched, 'file')} fetched, ${bytesOf(tally.bytes)}.`,
    });
  }

  private whyStopped(): FetchedConnection['stopped'] {
    const { stop, options } = this;
    if (stop === null) return null;
    if (stop === 'max_bytes')
      return { code: 'max_bytes', message: `--max-bytes (${bytesOf(options.maxBytes ?? 0)}) is reached.` };
    if (stop instanceof GraphError) return { code: stop.code, message: stop.message };
    throw stop;
  }
}
