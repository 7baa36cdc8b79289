import { resolve } from 'node:path';
import { SecretKey } from '../commands/devices/secret-key.js';
import { checkConnections as runCheck } from '../commands/graph/check.js';
import { planHistory } from '../commands/graph/history-plan.js';
import { checkGraphUrl, checkProxy, GRAPH_VERSION, META } from '../commands/graph/place.js';
import {
  assertConfirmed,
  plannedResult,
  requestHistory as runRequest,
  type HistoryRequestResult,
} from '../commands/graph/request-history.js';
import { checkToken, type GraphAccess } from '../commands/graph/token.js';
import type { CheckResult } from '../commands/graph/types.js';
import { fetchMedia as runFetch } from '../commands/media/fetch-media.js';
import { mediaStatus as statusOf } from '../commands/media/status.js';
import type { MediaFetchResult, MediaStatusResult } from '../commands/media/types.js';
import { webFiles } from '../commands/media/web-files.js';
import { underLock, type LibraryContext } from './create-context.js';
import { OPTIONS, readOptions, recordedOf, type Given } from './options.js';

/** How to reach Meta's Graph API. Its secrets never appear in a result, an error or a log. */
export interface GraphOptions {
  /** An access token used without being stored; it overrides stored ones. */
  token?: string;
  /** The key under which tokens are stored: 32 bytes in base64, as in WA_RECONCILE_SECRET_KEY. */
  secretKey?: string;
  /** Secrets of the Meta apps: with one, `checkConnections` sees which webhook fields are subscribed. */
  appSecrets?: readonly string[];
  /** `v25.0` unless told otherwise. */
  version?: string;
  /** The Graph API's address, for a custom gateway; by HTTPS, or on this machine. */
  url?: string;
  /** A proxy for HTTPS, as in HTTPS_PROXY, and what is reached without it, as in NO_PROXY. */
  proxy?: string;
  noProxy?: string;
}

/** Options for Meta: `graph` says how to reach it; a token stored with `connection token` needs `secretKey`. */
interface GraphUse {
  graph?: GraphOptions;
}

/** Asks Meta about one connection, or about all that are in use: token, number, account, webhook fields. Changes nothing there. */
export async function checkConnections(
  ctx: LibraryContext,
  { graph = {}, ...given }: GraphUse & Given<'checkConnections'> = {},
): Promise<CheckResult> {
  const options = readOptions('checkConnections', OPTIONS.checkConnections, given);
  const access = accessOf(graph);
  return underLock(withSecrets(ctx, graph), 'connection check', undefined, (held) =>
    runCheck(held, { ...options, access }),
  );
}

/**
 * Asks Meta for contacts and history of a coexistence number, each once per onboarding. Only with `confirm`, the
 * connection's number; otherwise returns what would be requested, and what blocks it. Throws ConfigError
 * `confirmation_wrong`.
 */
export async function requestHistory(
  ctx: LibraryContext,
  { graph = {}, ...given }: GraphUse & Given<'requestHistory'>,
): Promise<HistoryRequestResult> {
  const { confirm, ...options } = readOptions('requestHistory', OPTIONS.requestHistory, given);
  const access = accessOf(graph);
  return underLock(withSecrets(ctx, graph), 'history request', 'shared', async (held) => {
    const { database } = ctx;
    const { plan, connection } = await planHistory(held, { ...options, access, database });
    const planned = plannedResult(plan);
    if (confirm === undefined || planned.status === 'refused') return planned;
    assertConfirmed(plan, confirm, 'confirm');
    return runRequest(held, { ...options, access, database, connection: connection.id });
  });
}

/** The state of the files that messages name, by connection. Read-only, without network calls. */
export async function mediaStatus(
  ctx: LibraryContext,
  given: Given<'mediaStatus'> = {},
): Promise<MediaStatusResult> {
  const options = readOptions('mediaStatus', OPTIONS.mediaStatus, given);
  return underLock(ctx, 'media status', undefined, (held) => statusOf(held, options));
}

/** Fetches missing files named by messages, from Meta and from WhatsApp Web's host, into the directory `to`. */
export async function fetchMedia(
  ctx: LibraryContext,
  { graph = {}, ...given }: GraphUse & Given<'fetchMedia'>,
): Promise<MediaFetchResult> {
  const options = readOptions('fetchMedia', OPTIONS.fetchMedia, given);
  const access = accessOf(graph);
  return underLock(ctx, 'media fetch', 'shared', (held) =>
    runFetch(held, {
      ...options,
      to: resolve(options.to),
      access,
      web: webFiles(access.place.proxy),
      database: ctx.database,
      lockWaitMs: ctx.lockWaitMs,
      // A number is private: the run records the lead's id instead.
      recordedOptions: recordedOf({ ...given, contact: undefined }),
    }),
  );
}

function accessOf({ token, secretKey, version, url, proxy, noProxy }: GraphOptions): GraphAccess {
  return {
    place: {
      url: url === undefined ? META : checkGraphUrl(url, 'graph.url'),
      version: version ?? GRAPH_VERSION,
      userAgent: 'wa-reconcile (library)',
      proxy: proxy === undefined ? null : checkProxy(proxy, noProxy ?? '', 'graph.proxy'),
    },
    given: token === undefined ? null : { token: checkToken(token, 'graph.token'), place: 'graph.token' },
    secretKey: secretKey === undefined ? null : SecretKey.parse(secretKey, 'graph.secretKey'),
  };
}

function withSecrets(ctx: LibraryContext, { appSecrets }: GraphOptions): LibraryContext {
  return appSecrets === undefined ? ctx : { ...ctx, appSecrets };
}
