import { MEDIA_STATES, type MediaState } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import type { DatabaseConfig } from '../database.js';
import type { GraphAccess } from '../graph/token.js';

/** The kind of a message with a file, in Meta's terms; a voice note is an audio. */
export const MEDIA_TYPES = ['image', 'video', 'audio', 'document', 'sticker'] as const;

/** Which files to select. Times are ms since 1970. */
export interface MediaSelection {
  connection?: string | undefined;
  organization?: string | undefined;
  /** Only files of this contact's messages: a phone, JID, LID, BSUID or lead id. */
  contact?: string | undefined;
  type?: (typeof MEDIA_TYPES)[number] | undefined;
  since?: number | undefined;
  until?: number | undefined;
  /** Bytes. An unknown size counts as fitting. */
  minSize?: number | undefined;
  maxSize?: number | undefined;
}

/** Which files to list one by one. */
export const LISTED_STATES = ['all', ...MEDIA_STATES] as const;

export interface MediaStatusOptions extends MediaSelection {
  /** Lists the files in this state. */
  files?: (typeof LISTED_STATES)[number] | undefined;
}

/** Where a WhatsApp Web file is, and the key to open it. */
export interface WebFile {
  directPath: string;
  /** In base64. */
  mediaKey: string;
  /** The message kind: its key is derived for that. */
  type: string;
}

/** Why a WhatsApp Web file failed. */
export type WebFailure =
  /** WhatsApp no longer has it. */
  | 'gone'
  /** Its key does not open it, or it was altered. */
  | 'damaged'
  /** Cut off, or a temporary fault at WhatsApp. */
  | 'temporary'
  /** WhatsApp cannot be reached. */
  | 'unreachable';

/** The result of downloading one WhatsApp Web file. */
export type WebOutcome = { kind: 'whole' } | { kind: WebFailure; message: string };

/** Downloads and decrypts a WhatsApp Web file piece by piece. Passes on what `take` throws. */
export type WebDownload = (
  file: WebFile,
  take: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
) => Promise<WebOutcome>;

export interface MediaFetchOptions extends MediaSelection {
  access: GraphAccess;
  /** How to fetch WhatsApp Web files; null skips them. */
  web: WebDownload | null;
  /** For the lock that allows one fetch per connection at a time. */
  database: DatabaseConfig;
  lockWaitMs: number;
  /** The directory for the files. */
  to: string;
  concurrency: number;
  /** The run starts no new file after this many bytes. */
  maxBytes?: number | undefined;
  /** Also requests files that were refused, wrong or should be gone; reads all kept files to see whether they are altered. */
  again: boolean;
  dryRun: boolean;
  /** For the run's record: what was typed, without the contact, which is private. */
  recordedOptions: JsonObject;
}

/** Number of files by outcome, in one run. */
export interface MediaTally {
  fetched: number;
  /** Of `fetched`: an identical file existed, so no request was made. */
  known: number;
  expired: number;
  denied: number;
  mismatch: number;
  /** Skipped: its size turned out to be outside the chosen sizes. */
  otherSize: number;
  /** Failed for now; the next run asks again. */
  failed: number;
  bytes: number;
}

export interface FetchedConnection extends MediaTally {
  connection: { id: string; name: string };
  /** Files on record that were gone from the disk or altered, and are owed again. */
  lost: number;
  /** Files still owed after the run. */
  owed: number;
  /** Of those, the ones with known size, and their bytes. */
  owedSized: number;
  owedBytes: number;
  /** WhatsApp Web files that are gone at WhatsApp. */
  gone: number;
  /** Why it ended early; null if it did not. */
  stopped: { code: string; message: string } | null;
}

/** The JSON of `media fetch`, `schemaVersion` 1; fields are only ever added. */
export interface MediaFetchResult {
  schemaVersion: 1;
  command: 'media fetch';
  /** Null if nothing was to be recorded: a dry run. */
  runId: string | null;
  /**
   * `partial`: Meta accepts no more requests for now, or some files failed; `failed`: a connection could not be asked
   * at all;
   * `planned`: nothing was asked.
   */
  status: 'completed' | 'partial' | 'failed' | 'interrupted' | 'planned';
  directory: string;
  connections: FetchedConnection[];
}

export interface MediaStateCount {
  state: MediaState;
  files: number;
  /** Of stored files. */
  bytes: number;
}

/** A file that a message names. */
export interface MediaFileStatus {
  mediaId: string;
  /** The id of a message that names it, and its kind and time. */
  messageId: string;
  type: string;
  sentAt: string;
  state: MediaState;
  /** When Meta forgets it; null for a file of WhatsApp Web, which does not say. */
  expiresAt: string | null;
  /** Null if unknown. */
  size: number | null;
  attempts: number;
  triedAt: string | null;
  /** Where it is kept. */
  path: string | null;
  error: string | null;
}

export interface ConnectionMedia {
  connection: { id: string; name: string };
  states: MediaStateCount[];
  /** When the first owed file expires. */
  nextExpiryAt: string | null;
  /** Files that expire within a day, have expired, or were refused or wrong, since this tool began fetching media. */
  due: number;
  /** When a run last fetched the connection's media; null if never. */
  lastFetchAt: string | null;
  /** With `--files`: the files in that state, soonest to expire first. */
  files?: MediaFileStatus[];
}

/** The JSON of `media status`, `schemaVersion` 1; fields are only ever added. */
export interface MediaStatusResult {
  schemaVersion: 1;
  command: 'media status';
  connections: ConnectionMedia[];
}
