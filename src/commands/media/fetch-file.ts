import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../../context.js';
import { readMediaAddress } from '../../graph/calls.js';
import type { GraphClient } from '../../graph/client.js';
import { GraphError } from '../../graph/errors.js';
import { pauseOf } from '../../graph/retries.js';
import type { MediaState } from '../../model/enumerations.js';
import { recordMediaFile, type NamedMedia } from '../../store/tables/media-files.js';
import { FileMismatch, findKept, hexOf, keepFile, type KeptFile } from './keep-file.js';

/** How often a file is begun again in one run: a cut line, an address that is over. */
const MOST_ATTEMPTS = 4;
const NOT_FOUND = 404;
/** A limit that passes sooner is waited for. */
const SHORT_WAIT_MS = 30_000;

export interface FileWork {
  client: GraphClient;
  phoneNumberId: string | null;
  directory: string;
  /** Unlike that of any other file in the making. */
  temporary: string;
}

/** What became of a file in this run; `failed` stays owed. */
export interface FileOutcome {
  outcome: 'fetched' | 'known' | 'expired' | 'denied' | 'mismatch' | 'failed';
  bytes: number;
}

/**
 * Fetches one file and records what became of it. Throws what stands in the way of all others, too: the token, the quota, the network,
 * the disk, an interruption. Such a file stays owed.
 */
export async function fetchFile(ctx: Context, media: NamedMedia, work: FileWork): Promise<FileOutcome> {
  const hash = hexOf(media.sha256);
  const here = hash === null ? null : await findKept(work.directory, hash, media.mimeType);
  if (here !== null) {
    await record(ctx, media, 'fetched', { kept: here, mimeType: media.mimeType, error: null, asked: false });
    return { outcome: 'known', bytes: 0 };
  }
  try {
    const { kept, mimeType } = await download(ctx, media, work);
    await record(ctx, media, 'fetched', { kept, mimeType, error: null, asked: true });
    return { outcome: 'fetched', bytes: kept.size };
  } catch (error) {
    const state = stateAfter(error, media, ctx.clock());
    if (state === null || !(error instanceof Error)) throw error;
    await record(ctx, media, state, { kept: null, mimeType: null, error: error.message, asked: true });
    return { outcome: state === 'owed' || state === 'fetched' ? 'failed' : state, bytes: 0 };
  }
}

/** What an error says of this file alone; null where it is about all of them. */
function stateAfter(error: unknown, media: NamedMedia, now: number): MediaState | null {
  if (error instanceof FileMismatch) return 'mismatch';
  if (!(error instanceof GraphError)) return null;
  switch (error.reason) {
    case 'parameter':
      // Meta says the same of an id that it has forgotten and of one that the token does not see.
      return media.expiresAt <= now ? 'expired' : 'denied';
    case 'refused':
      return error.status === NOT_FOUND ? 'owed' : 'denied';
    case 'temporary':
    case 'unreadable':
      return 'owed';
    case 'unreachable':
      // A host that answered before and cut this file is no reason to leave the others.
      return error.hadNoEffect ? null : 'owed';
    case 'token':
    case 'rights':
    case 'restricted':
    case 'rate_limit':
    case 'history_limit':
    case 'history_window':
      return null;
  }
}

async function download(
  ctx: Context,
  media: NamedMedia,
  { client, phoneNumberId, directory, temporary }: FileWork,
): Promise<{ kept: KeptFile; mimeType: string | null }> {
  for (let attempt = 1; ; attempt += 1) {
    // Asked again for every attempt: an address lives for five minutes.
    const address = await readMediaAddress(client, media.mediaId, phoneNumberId);
    const hashes = [hexOf(media.sha256), hexOf(address.sha256)].filter((hash) => hash !== null);
    const mimeType = address.mime_type ?? media.mimeType;
    try {
      const kept = await keepFile(
        directory,
        temporary,
        { hashes, size: address.file_size ?? null, mimeType },
        (take) => client.download(address.url, take),
      );
      return { kept, mimeType };
    } catch (error) {
      const pause = attempt < MOST_ATTEMPTS ? pauseAfter(error, attempt) : null;
      if (pause === null) throw error;
      await delay(pause, undefined, { signal: ctx.signal }).catch(() => undefined);
      if (ctx.signal.aborted) throw error;
    }
  }
}

/** How long to wait before a file is begun again, in ms; null where that would not help. */
function pauseAfter(error: unknown, attempt: number): number | null {
  if (!(error instanceof GraphError)) return null;
  if (error.status === NOT_FOUND && error.reason === 'refused') return attempt === 1 ? 0 : null;
  if (error.waitMs !== null) return error.waitMs <= SHORT_WAIT_MS ? error.waitMs : null;
  const isCut = error.reason === 'unreachable' && !error.hadNoEffect;
  return error.passes || isCut ? pauseOf(attempt, Math.random()) : null;
}

async function record(
  ctx: Context,
  media: NamedMedia,
  state: MediaState,
  {
    kept,
    mimeType,
    error,
    asked,
  }: { kept: KeptFile | null; mimeType: string | null; error: string | null; asked: boolean },
): Promise<void> {
  const now = ctx.clock();
  await recordMediaFile(ctx.store.sql, {
    connectionId: media.connectionId,
    mediaId: media.mediaId,
    messageId: media.messageId,
    state,
    attempts: media.attempts + (asked ? 1 : 0),
    firstTriedAt: media.firstTriedAt ?? now,
    triedAt: now,
    sha256: kept?.sha256 ?? null,
    size: kept?.size ?? null,
    mimeType,
    path: kept?.path ?? null,
    fetchedAt: state === 'fetched' ? now : null,
    error,
  });
}
