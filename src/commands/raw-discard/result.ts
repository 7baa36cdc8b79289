import type { KeptBecause } from '../../store/journal/discards.js';

/** What `raw discard` is to take out; several conditions narrow each other. The caller holds the exclusive lock with `apply`. */
export interface RawDiscardOptions {
  /** Ids of raw entries, with or without `log:`, or the beginning of one. */
  entries: readonly string[];
  /** A file, a directory or a pattern with `*` and `?`, as the log was named when it was replayed. */
  origin?: string | undefined;
  /** The id of the run that stored them, or the beginning of it. */
  run?: string | undefined;
  /** Without it nothing is changed. */
  apply: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

/** Entries of one file and connection. */
export interface DiscardedFile {
  /** Null for entries that came from no file. */
  file: string | null;
  connection: string | null;
  entries: number;
  /** Of these, those that go. */
  discarded: number;
  kept: number;
  bytes: number;
  /** Messages that came from those that are kept. */
  messages: number;
}

/** Entries that stay, and why. */
export interface KeptEntries {
  reason: KeptBecause;
  entries: number;
  /** Messages that came from them. */
  messages: number;
  /** The first few. */
  samples: { id: string; origin: string | null }[];
}

/** The JSON of `raw discard`, `schemaVersion` 1; fields are only ever added. */
export interface RawDiscardResult {
  schemaVersion: 1;
  command: 'raw discard';
  /** Null where nothing was changed. */
  runId: string | null;
  /** `partial`: some of the chosen entries stay; `failed`: all of them do. */
  status: 'completed' | 'partial' | 'failed';
  applied: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  entries: { chosen: number; discarded: number; kept: number };
  bytes: number;
  /** Rejected items that went with their entries. */
  rejects: number;
  files: DiscardedFile[];
  kept: KeptEntries[];
  database: string;
}
