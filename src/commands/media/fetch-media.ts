import type { Context } from '../../context.js';
import { withRun, workOf, type RunEnd } from '../../ingest/runs/with-run.js';
import { amount, bytes as bytesOf } from '../../model/amount.js';
import { UserError } from '../../model/errors.js';
import { acquireMediaLock } from '../../store/locks/run-lock.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import { countMedia, type MediaChoice, type NamedMedia } from '../../store/tables/media-files.js';
import { assertOfMeta, withGraph } from '../graph/token.js';
import { checkKept } from './check-kept.js';
import { fetchFile, fetchWebFile } from './fetch-file.js';
import { Fetching } from './fetching.js';
import { makeDirectory, removeUnfinished } from './keep-file.js';
import { FetchProgress } from './progress.js';
import { selectMedia, type SelectedMedia } from './select.js';
import type { FetchedConnection, MediaFetchOptions, MediaFetchResult, MediaTally } from './types.js';

/**
 * Fetches missing media files named by messages, connection by connection, soonest to expire first. Records each file
 * once it is on disk: the next run continues after a crash. Throws ConfigError for an unknown connection or contact,
 * a wrong secret key of a named connection and a place that can be no directory, and LockedError if another process fetches the same media.
 */
export async function fetchMedia(ctx: Context, options: MediaFetchOptions): Promise<MediaFetchResult> {
  const selected = await selectMedia(ctx, options);
  if (options.dryRun) return plan(ctx, selected, options);
  await makeDirectory(options.to);
  const { type, since, until, minSize, maxSize, maxBytes, again } = options;
  const connection = options.connection === undefined ? null : selected.connections[0]?.id;
  const { leadId } = selected;
  return withRun(
    ctx,
    {
      command: 'media fetch',
      // Identifies the contact by lead id: a number is private.
      options: { ...options.recordedOptions, ...(leadId === null ? {} : { contact: leadId }) },
      work: workOf('media fetch', {
        ...{ connection, organization: options.organization, contact: leadId, type, since, until },
        ...{ minSize, maxSize, maxBytes, again: again ? true : null },
      }),
    },
    async (run) => {
      const connections = await fetchAll(ctx, selected, options);
      const status = statusOf(ctx, connections);
      return {
        result: {
          schemaVersion: 1,
          command: 'media fetch',
          runId: run.id,
          status,
          directory: options.to,
          connections,
        },
        end: endOf(status, connections),
      };
    },
  );
}

async function plan(
  ctx: Context,
  { connections, choiceOf }: SelectedMedia,
  options: MediaFetchOptions,
): Promise<MediaFetchResult> {
  const planned: FetchedConnection[] = [];
  for (const { id, name } of connections) {
    const lost = await checkKept(ctx, { ...checkOf(id, options), dryRun: true });
    const { owed, owedSized, owedBytes } = await owedOf(ctx, choiceOf(id), options, options.again, lost);
    planned.push({
      connection: { id, name },
      ...newTally(),
      lost: lost.length,
      ...{ owed, owedSized, owedBytes },
      gone: 0,
      stopped: null,
    });
  }
  return {
    schemaVersion: 1,
    command: 'media fetch',
    runId: null,
    status: 'planned',
    directory: options.to,
    connections: planned,
  };
}

async function fetchAll(
  ctx: Context,
  { connections, choiceOf }: SelectedMedia,
  options: MediaFetchOptions,
): Promise<FetchedConnection[]> {
  let total = 0;
  const lost = new Map<string, number>();
  for (const { id } of connections) lost.set(id, (await checkKept(ctx, checkOf(id, options))).length);
  for (const { id } of connections) total += (await owedOf(ctx, choiceOf(id), options, options.again)).owed;
  const progress = new FetchProgress(ctx, total);
  const fetched: FetchedConnection[] = [];
  let bytesLeft = options.maxBytes ?? Number.POSITIVE_INFINITY;
  for (const connection of connections) {
    if (ctx.signal.aborted) break;
    const one = await fetchConnection(ctx, connection, choiceOf(connection.id), {
      ...{ options, bytesLeft, progress, lost: lost.get(connection.id) ?? 0 },
    });
    bytesLeft -= one.bytes;
    fetched.push(one);
  }
  return fetched;
}

function checkOf(connectionId: string, { to, again }: MediaFetchOptions): Parameters<typeof checkKept>[1] {
  return { connectionId, directory: to, readsAll: again, dryRun: false };
}

/** What stops a connection without being its fault: the next run continues. */
const PASSING = new Set(['max_bytes', 'graph_rate_limit']);

function statusOf(
  ctx: Context,
  fetched: readonly FetchedConnection[],
): Exclude<MediaFetchResult['status'], 'planned'> {
  if (ctx.signal.aborted) return 'interrupted';
  const codes = fetched.flatMap(({ stopped }) => stopped?.code ?? []);
  if (codes.some((code) => !PASSING.has(code))) return 'failed';
  const isPartial = codes.includes('graph_rate_limit') || fetched.some(({ failed }) => failed > 0);
  return isPartial ? 'partial' : 'completed';
}

function endOf(
  status: Exclude<MediaFetchResult['status'], 'planned'>,
  fetched: readonly FetchedConnection[],
): RunEnd {
  const sum = (key: keyof MediaTally | 'owed' | 'gone' | 'lost'): number =>
    fetched.reduce((all, one) => all + one[key], 0);
  const keys = [
    'fetched',
    'known',
    'bytes',
    'expired',
    'denied',
    'mismatch',
    'failed',
    'owed',
    'gone',
    'lost',
  ] as const;
  const stopped = fetched.find((one) => one.stopped !== null && !PASSING.has(one.stopped.code))?.stopped;
  return {
    status,
    counters: Object.fromEntries(keys.map((key) => [key, sum(key)])),
    verdict: `${status}: ${amount(sum('fetched'), 'file')} fetched (${bytesOf(sum('bytes'))}), ${amount(sum('owed'), 'file')} owed`,
    error: stopped?.code ?? null,
    logs: fetched.map((one) => ({
      connectionId: one.connection.id,
      messagesImported: 0,
      counters: {
        ...Object.fromEntries(keys.map((key) => [key, one[key]])),
        ...(one.stopped === null || PASSING.has(one.stopped.code) ? {} : { stopped: one.stopped.code }),
      },
    })),
  };
}

function newTally(): MediaTally {
  return {
    ...{ fetched: 0, known: 0, expired: 0, denied: 0, mismatch: 0, otherSize: 0, failed: 0, bytes: 0 },
  };
}

/** A connection has no token, or one of another key. */
const TOKENLESS = new Set(['token_missing', 'secret_key_wrong']);

interface Fetchable {
  options: MediaFetchOptions;
  bytesLeft: number;
  progress: FetchProgress;
  lost: number;
}

async function fetchConnection(
  ctx: Context,
  connection: ConnectionRecord,
  choice: MediaChoice,
  { options, bytesLeft, progress, lost }: Fetchable,
): Promise<FetchedConnection> {
  const tally = newTally();
  const web = { gone: 0 };
  let stopped: FetchedConnection['stopped'] = null;
  const { owedByRoute } = await owedOf(ctx, choice, options, options.again);
  if (owedByRoute.meta + owedByRoute.web > 0) {
    const lock = await acquireMediaLock(options.database, connection, {
      command: 'media fetch',
      host: ctx.host,
      pid: ctx.pid,
      waitMs: options.lockWaitMs,
      signal: ctx.signal,
    });
    const held = { ...ctx, signal: AbortSignal.any([ctx.signal, lock.lost]) };
    const shared = { concurrency: options.concurrency, again: options.again, tally, bytesLeft, progress };
    const place = (number: number) => ({
      directory: options.to,
      // Unique among files in progress.
      temporary: `${connection.id}-${number}`,
      minBytes: choice.minBytes,
      maxBytes: choice.maxBytes,
      onBytes: (count: number) => {
        progress.bytes(count);
      },
    });
    try {
      await removeUnfinished(options.to, connection.id);
      // WhatsApp Web files need no token, and problems at Meta do not affect them.
      const { web: download } = options;
      if (owedByRoute.web > 0 && download !== null) {
        const fetchOne = async (media: NamedMedia, number: number) => {
          const outcome = await fetchWebFile(held, media, { ...place(number), download });
          if (outcome.outcome === 'expired') web.gone += 1;
          return outcome;
        };
        stopped = await new Fetching(held, 'web', shared, fetchOne).run(choice);
      }
      if (owedByRoute.meta > 0 && (stopped === null || stopped.code !== 'max_bytes')) {
        assertOfMeta(connection);
        const { phoneNumberId } = connection;
        const other = await withGraph(held, connection, options.access, (client) =>
          new Fetching(held, 'meta', shared, (media, number) =>
            fetchFile(held, media, { ...place(number), client, phoneNumberId }),
          ).run(choice),
        );
        stopped = other ?? stopped;
      }
    } catch (error) {
      // A connection without a token that can be used does not stop the others.
      if (options.connection !== undefined || !(error instanceof UserError) || !TOKENLESS.has(error.code))
        throw error;
      stopped = { code: error.code, message: error.message };
    } finally {
      await lock.release();
    }
    lock.assertHeld();
  }
  const left = await owedOf(ctx, choice, options, false);
  return {
    connection: { id: connection.id, name: connection.name },
    ...tally,
    lost,
    ...{ owed: left.owed, owedSized: left.owedSized, owedBytes: left.owedBytes },
    gone: web.gone,
    stopped,
  };
}

type Owed = Pick<FetchedConnection, 'owed' | 'owedSized' | 'owedBytes'> & {
  owedByRoute: Record<NamedMedia['route'], number>;
};

/** `lost`: files that a run would mark as owed first. */
async function owedOf(
  ctx: Context,
  choice: MediaChoice,
  { web }: Pick<MediaFetchOptions, 'web'>,
  again: boolean,
  lost: readonly string[] = [],
): Promise<Owed> {
  const counts = (await countMedia(ctx.store.sql, choice, ctx.clock(), lost)).filter(
    ({ state, route }) =>
      (state === 'owed' || (again && state !== 'fetched')) && (route === 'meta' || web !== null),
  );
  const files = (route: NamedMedia['route']): number =>
    counts.filter((one) => one.route === route).reduce((sum, one) => sum + one.files, 0);
  return {
    owed: files('meta') + files('web'),
    owedSized: counts.reduce((sum, { sized }) => sum + sized, 0),
    owedBytes: counts.reduce((sum, { bytes }) => sum + bytes, 0),
    owedByRoute: { meta: files('meta'), web: files('web') },
  };
}
