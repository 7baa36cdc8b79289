import type { MediaState } from '../../model/enumerations.js';
import type { DatabaseConfig } from '../database.js';
import type { GraphAccess } from '../graph/token.js';

/** Which files are meant. Times are ms since 1970. */
export interface MediaSelection {
  connection?: string | undefined;
  organization?: string | undefined;
  /** An image, a video, …: Meta's type of the message. */
  type?: string | undefined;
  since?: number | undefined;
  until?: number | undefined;
}

export interface MediaFetchOptions extends MediaSelection {
  access: GraphAccess;
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
}

/** How many files came to what, in one run. */
export interface MediaTally {
  fetched: number;
  /** Of `fetched`: an equal file was there, and Meta was not asked. */
  known: number;
  expired: number;
  denied: number;
  mismatch: number;
  /** Failed for now; the next run asks again. */
  failed: number;
  bytes: number;
}

export interface FetchedConnection extends MediaTally {
  connection: { id: string; name: string };
  /** Files that are owed still, after the run. */
  owed: number;
  /** Why it ended before its end; null where it did not. */
  stopped: { code: string; message: string } | null;
}

/** The JSON of `media fetch`, `schemaVersion` 1; fields are only ever added. */
export interface MediaFetchResult {
  schemaVersion: 1;
  command: 'media fetch';
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
  /** Files that expire within a day, or have expired since the media are fetched by this tool. */
  due: number;
}

/** The JSON of `media status`, `schemaVersion` 1; fields are only ever added. */
export interface MediaStatusResult {
  schemaVersion: 1;
  command: 'media status';
  connections: ConnectionMedia[];
}
