import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../../context.js';
import { readMediaAddress, type MediaAddress } from '../../graph/calls.js';
import type { GraphClient } from '../../graph/client.js';
import { GraphError } from '../../graph/errors.js';
import { LONGEST_PAUSE_MS, pauseOf } from '../../graph/retries.js';
import type { MediaState } from '../../model/enumerations.js';
import { UserError } from '../../model/errors.js';
import { recordMediaFile, type NamedMedia } from '../../store/tables/media-files.js';
import { FileMismatch, findKept, hexOf, keepFile, type KeptFile } from './keep-file.js';
import type { WebDownload, WebFailure } from './types.js';

/** Restarts per file in one run: a cut line, an expired address. */
const MOST_ATTEMPTS = 4;
const NOT_FOUND = 404;
/** Wait for limits up to this long; a longer one means that the quota is used up. */
const SHORT_WAIT_MS = 60_000;
/** How often a file waits for a limit that others met. */
const MOST_WAITS = 30;

/** Where files go, and which are wanted. */
interface FilePlace {
  directory: string;
  /** Unique among files in progress. */
  temporary: string;
  /** Chosen sizes; null is any. */
  minBytes: number | null;
  maxBytes: number | null;
  onBytes: (count: number) => void;
}

export interface FileWork extends FilePlace {
  client: GraphClient;
  phoneNumberId: string | null;
}

/** The outcome of a file in this run; `failed` and `otherSize` stay owed. */
export interface FileOutcome {
  outcome: 'fetched' | 'known' | 'expired' | 'denied' | 'mismatch' | 'otherSize' | 'failed';
  bytes: number;
}

/** Its size is now known, and is outside the chosen sizes. */
class OtherSize extends Error {
  constructor(readonly size: number) {
    super('of another size');
  }
}

/** WhatsApp's files are unavailable for now. */
export class WhatsAppUnreachable extends UserError {
  constructor(message: string) {
    super(message, {
      code: 'whatsapp_unreachable',
      remedy:
        'Check that this machine reaches mmg.whatsapp.net by HTTPS, then run the command again: it goes on where it stopped.',
    });
  }
}

/** A WhatsApp Web file that failed to download. */
class WebRefusal extends Error {
  constructor(
    readonly kind: WebFailure,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Fetches one Meta file and records the outcome. Throws what would stop all others, too: the token, the quota, the
 * network, the disk, an interruption. The file then stays owed.
 */
export async function fetchFile(ctx: Context, media: NamedMedia, work: FileWork): Promise<FileOutcome> {
  return settle(ctx, media, work, () => download(ctx, media, work));
}

/** The same for a WhatsApp Web file. */
export async function fetchWebFile(
  ctx: Context,
  media: NamedMedia,
  work: FilePlace & { download: WebDownload },
): Promise<FileOutcome> {
  return settle(ctx, media, work, () => downloadWeb(ctx, media, work));
}

/** Records a file that Meta refuses while it gives out others. */
export async function recordDenied(ctx: Context, media: NamedMedia, error: GraphError): Promise<void> {
  await record(ctx, media, 'denied', { error: error.message, asked: true });
}

interface Fetched {
  kept: KeptFile;
  mimeType: string | null;
}

async function settle(
  ctx: Context,
  media: NamedMedia,
  work: FilePlace,
  fetch: () => Promise<Fetched>,
): Promise<FileOutcome> {
  const hash = hexOf(media.sha256);
  const here = hash === null ? null : await findKept(work.directory, hash, media.mimeType);
  if (here !== null) {
    await record(ctx, media, 'fetched', { kept: here, mimeType: media.mimeType, asked: false });
    return { outcome: 'known', bytes: 0 };
  }
  try {
    const { kept, mimeType } = await fetch();
    await record(ctx, media, 'fetched', { kept, mimeType, asked: true });
    return { outcome: 'fetched', bytes: kept.size };
  } catch (error) {
    if (error instanceof OtherSize) {
      await record(ctx, media, 'owed', { size: error.size, asked: true });
      return { outcome: 'otherSize', bytes: 0 };
    }
    const state = stateAfter(error, media, ctx.clock());
    if (state === null || !(error instanceof Error)) throw error;
    await record(ctx, media, state, { error: error.message, asked: true });
    return { outcome: state === 'owed' || state === 'fetched' ? 'failed' : state, bytes: 0 };
  }
}

/** What an error means for this file alone; null if it affects all of them. */
function stateAfter(error: unknown, media: NamedMedia, now: number): MediaState | null {
  if (error instanceof FileMismatch) return 'mismatch';
  if (error instanceof WebRefusal) return WEB_STATES[error.kind];
  if (!(error instanceof GraphError)) return null;
  switch (error.reason) {
    case 'parameter':
      // Meta gives the same answer for an expired id and for one that the token cannot see.
      return media.expiresAt !== null && media.expiresAt <= now ? 'expired' : 'denied';
    case 'refused':
      return error.status === NOT_FOUND ? 'owed' : 'denied';
    case 'temporary':
    case 'unreadable':
      return 'owed';
    case 'unreachable':
      // A host that answered before and cut off this file is no reason to skip the others.
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

const WEB_STATES: Readonly<Record<WebFailure, MediaState | null>> = {
  gone: 'expired',
  damaged: 'mismatch',
  temporary: 'owed',
  unreachable: null,
};

async function download(
  ctx: Context,
  media: NamedMedia,
  { client, phoneNumberId, ...place }: FileWork,
): Promise<Fetched> {
  let attempt = 1;
  let waits = 0;
  for (;;) {
    let address: MediaAddress | null = null;
    try {
      // Requested for every attempt: an address lives for five minutes.
      address = await readMediaAddress(client, media.mediaId, phoneNumberId);
      assertSize(address.file_size ?? null, place);
      const { url, file_size: size = null } = address;
      const hashes = [hexOf(media.sha256), hexOf(address.sha256)].filter((hash) => hash !== null);
      const mimeType = address.mime_type ?? media.mimeType;
      const kept = await keep(place, { hashes, size, mimeType }, (take) => client.download(url, take));
      return { kept, mimeType };
    } catch (error) {
      const held = waits < MOST_WAITS ? heldBackFor(error) : null;
      const pause = held ?? (attempt < MOST_ATTEMPTS ? pauseAfter(error, attempt, address !== null) : null);
      if (pause === null) throw error;
      if (held === null) attempt += 1;
      else waits += 1;
      await delay(pause, undefined, { signal: ctx.signal }).catch(() => undefined);
      if (ctx.signal.aborted) throw error;
    }
  }
}

/** How long the limit that another file met holds this one back, in ms; null if it does not, or for long. */
function heldBackFor(error: unknown): number | null {
  if (!(error instanceof GraphError) || error.reason !== 'rate_limit' || error.status !== null) return null;
  return error.waitMs !== null && error.waitMs <= SHORT_WAIT_MS ? error.waitMs : null;
}

async function downloadWeb(
  ctx: Context,
  media: NamedMedia,
  { download: fetch, ...place }: FilePlace & { download: WebDownload },
): Promise<Fetched> {
  const { directPath, mediaKey, type, mimeType, size } = media;
  if (directPath === null || mediaKey === null) throw new Error('a file of WhatsApp Web without its key');
  const hash = hexOf(media.sha256);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const kept = await keep(
        place,
        { hashes: hash === null ? [] : [hash], size, mimeType },
        async (take) => {
          const ended = await fetch({ directPath, mediaKey, type }, take, ctx.signal);
          if (ended.kind === 'unreachable') throw new WhatsAppUnreachable(ended.message);
          if (ended.kind !== 'whole') throw new WebRefusal(ended.kind, ended.message);
        },
      );
      return { kept, mimeType };
    } catch (error) {
      const passes = error instanceof WebRefusal && error.kind === 'temporary';
      if (!passes || attempt === MOST_ATTEMPTS) throw error;
      await delay(pauseOf(attempt, Math.random()), undefined, { signal: ctx.signal }).catch(() => undefined);
      if (ctx.signal.aborted) throw error;
    }
  }
}

function keep(
  { directory, temporary, onBytes }: Pick<FilePlace, 'directory' | 'temporary' | 'onBytes'>,
  announced: Parameters<typeof keepFile>[2],
  fill: (take: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<KeptFile> {
  return keepFile(directory, temporary, announced, (take) =>
    fill(async (chunk) => {
      await take(chunk);
      onBytes(chunk.byteLength);
    }),
  );
}

function assertSize(size: number | null, { minBytes, maxBytes }: FilePlace): void {
  if (size === null) return;
  if (size < (minBytes ?? 0) || size > (maxBytes ?? Number.POSITIVE_INFINITY)) throw new OtherSize(size);
}

/** How long to wait before restarting a file, in ms; null if that would not help. `isNamed`: its address was. */
function pauseAfter(error: unknown, attempt: number, isNamed: boolean): number | null {
  if (!(error instanceof GraphError)) return null;
  // The client has repeated the question itself, but for a limit of more than its own longest pause.
  if (!isNamed && (error.waitMs === null || error.waitMs <= LONGEST_PAUSE_MS)) return null;
  if (error.status === NOT_FOUND && error.reason === 'refused') return attempt === 1 ? 0 : null;
  if (error.waitMs !== null) return error.waitMs <= SHORT_WAIT_MS ? error.waitMs : null;
  const isCut = error.reason === 'unreachable' && !error.hadNoEffect;
  return error.passes || isCut ? pauseOf(attempt, Math.random()) : null;
}

interface Known {
  kept?: KeptFile;
  /** As announced, for a file not stored here. */
  size?: number;
  mimeType?: string | null;
  error?: string;
  asked: boolean;
}

async function record(
  ctx: Context,
  media: NamedMedia,
  state: MediaState,
  { kept, size, mimeType = null, error, asked }: Known,
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
    size: kept?.size ?? size ?? media.size,
    mimeType,
    path: kept?.path ?? null,
    fetchedAt: state === 'fetched' ? now : null,
    error: error ?? null,
  });
}
