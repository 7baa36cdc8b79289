import type { MediaState } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import type { DatabaseConfig } from '../database.js';
import type { GraphAccess } from '../graph/token.js';

/** What a message with a file is, as Meta says it; a voice note is an audio. */
export const MEDIA_TYPES = ['image', 'video', 'audio', 'document', 'sticker'] as const;

/** Which files are meant. Times are ms since 1970. */
export interface MediaSelection {
  connection?: string | undefined;
  organization?: string | undefined;
  /** Only files of this contact's messages: a phone, JID, LID, BSUID or lead id. */
  contact?: string | undefined;
  type?: (typeof MEDIA_TYPES)[number] | undefined;
  since?: number | undefined;
  until?: number | undefined;
  /** Bytes. A size that nobody knows yet counts as fitting. */
  minSize?: number | undefined;
  maxSize?: number | undefined;
}

/** Where a file of WhatsApp Web is, and what opens it. */
export interface WebFile {
  directPath: string;
  /** In base64. */
  mediaKey: string;
  /** What the message is: its key is made for that. */
  type: string;
}

/** Why a file of WhatsApp Web did not come. */
export type WebFailure =
  /** WhatsApp does not have it any more. */
  | 'gone'
  /** It cannot be opened with its key, or was changed. */
  | 'damaged'
  /** Cut, or WhatsApp has a fault: it passes. */
  | 'temporary'
  /** WhatsApp cannot be reached at all. */
  | 'unreachable';

/** How the download of one file of WhatsApp Web ended. */
export type WebOutcome = { kind: 'whole' } | { kind: WebFailure; message: string };

/** Downloads a file of WhatsApp Web and opens it, piece by piece. What `take` throws is passed on. */
export type WebDownload = (
  file: WebFile,
  take: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
) => Promise<WebOutcome>;

export interface MediaFetchOptions extends MediaSelection {
  access: GraphAccess;
  /** How to have files of WhatsApp Web; null leaves them. */
  web: WebDownload | null;
  /** For the lock that lets a connection's media be fetched once at a time. */
  database: DatabaseConfig;
  lockWaitMs: number;
  /** The directory in which files are kept. */
  to: string;
  concurrency: number;
  /** The run takes no file more once so many bytes came. */
  maxBytes?: number | undefined;
  /** Asks also for what was refused, was wrong or should be gone. */
  again: boolean;
  dryRun: boolean;
  /** For the record of the run: what was typed, without the contact, which is private. */
  recordedOptions: JsonObject;
}

/** How many files came to what, in one run. */
export interface MediaTally {
  fetched: number;
  /** Of `fetched`: an equal file was there, and nobody was asked. */
  known: number;
  expired: number;
  denied: number;
  mismatch: number;
  /** Left alone: asked for, its size was found not to be one of those that were chosen. */
  otherSize: number;
  /** Failed for now; the next run asks again. */
  failed: number;
  bytes: number;
}

export interface FetchedConnection extends MediaTally {
  connection: { id: string; name: string };
  /** Files that are owed still, after the run. */
  owed: number;
  /** Of those, the ones whose size is known, and their bytes. */
  owedSized: number;
  owedBytes: number;
  /** Of WhatsApp Web: files that are gone there. */
  gone: number;
  /** Why it ended before its end; null where it did not. */
  stopped: { code: string; message: string } | null;
}

/** The JSON of `media fetch`, `schemaVersion` 1; fields are only ever added. */
export interface MediaFetchResult {
  schemaVersion: 1;
  command: 'media fetch';
  /** Null where nothing was to be recorded: a dry run. */
  runId: string | null;
  /**
   * `partial`: Meta takes no more requests for now, or some files failed; `failed`: a connection could not be asked at all;
   * `planned`: nothing was asked.
   */
  status: 'completed' | 'partial' | 'failed' | 'interrupted' | 'planned';
  directory: string;
  connections: FetchedConnection[];
}

export interface MediaStateCount {
  state: MediaState;
  files: number;
  /** Of files that are here. */
  bytes: number;
}

export interface ConnectionMedia {
  connection: { id: string; name: string };
  states: MediaStateCount[];
  /** When the first file that is owed expires. */
  nextExpiryAt: string | null;
  /** Files that expire within a day, or have expired, or were refused or wrong since the media are fetched by this tool. */
  due: number;
  /** When a run last fetched the connection's media; null where none has. */
  lastFetchAt: string | null;
}

/** The JSON of `media status`, `schemaVersion` 1; fields are only ever added. */
export interface MediaStatusResult {
  schemaVersion: 1;
  command: 'media status';
  connections: ConnectionMedia[];
}
