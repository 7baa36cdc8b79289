import { hostname, userInfo } from 'node:os';
import type { Logger } from 'pino';
import type { KeyOpener } from './model/secrets.js';
import type { Store } from './store/store.js';

/** A long run's progress events; `cli/ui/progress.ts` draws them, `--events` prints them. */
export type ProgressEvent =
  /** The embedded database takes a second or more to open; `opened` ends it. */
  | { event: 'opening' | 'opened' }
  | { event: 'run_started'; runId: string; command: string; dryRun: boolean; resumedFrom?: string }
  | {
      event: 'progress';
      bytesRead: number;
      /** Absent when the inputs' size is unknown (stdin). */
      bytesTotal?: number;
      entries: number;
      messages: number;
      /** Where the run is: `file:line`. */
      origin?: string;
      /** For work of many files whose sizes are not known before: how many are settled. */
      files?: { done: number; total: number };
    }
  /** A use-case of several parts has come to this one; `number` counts from 1. */
  | { event: 'step'; step: string; number: number; of: number }
  /** What an import is about, from one word to the next; see ImportStep. */
  | ({ event: 'import'; contact: string } & ImportStep)
  | { event: 'notice'; message: string }
  | { event: 'run_finished'; runId: string; status: string };

/** Where an import of one contact is. `page` counts from 1. */
export type ImportStep =
  | { step: 'cache' | 'connecting' | 'reconnecting' }
  /** The request is out; the phone has so long to answer. */
  | { step: 'asked'; page: number; waitMs: number }
  /** The phone has answered; what it sends may still have to be downloaded. */
  | { step: 'answered' | 'checking'; page: number }
  | { step: 'received' | 'saved'; page: number; messages: number }
  | { step: 'pausing'; waitMs: number }
  | { step: 'done'; outcome: string };

/** The first argument of every use-case: its effects, and nothing hidden. */
export interface Context {
  store: Store;
  log: Logger;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Aborted on Ctrl-C or SIGTERM: finish the batch, commit, return. */
  signal: AbortSignal;
  emit: (event: ProgressEvent) => void;
  /** Host name and process id, for sync_runs and the lock. */
  host: string;
  pid: number;
  /** When this process began, ms since 1970: an older run with its process id was another process's. */
  processStartedAt?: number;
  /** The parent run of this step: a reconcile's. */
  parentRunId?: string;
  /** Who runs it, by the operating system: recorded with what a person decides. */
  user: string;
  /** Who it is for, as the caller says (--as): for the access log. */
  actor?: string;
  /** Secrets of the Meta apps for checking signatures; absent if none was given. */
  appSecrets?: readonly string[];
  /** The secret key, for whom erased people have to be told from others; null if none was given. Throws ConfigError. */
  secretKey?: () => KeyOpener | null;
}

/** This process, as runs and locks record it. */
export function ownProcess(): Required<Pick<Context, 'host' | 'pid' | 'processStartedAt' | 'user'>> {
  return {
    host: hostname(),
    pid: process.pid,
    processStartedAt: performance.timeOrigin,
    user: userName(),
  };
}

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
