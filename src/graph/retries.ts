import { setTimeout as delay } from 'node:timers/promises';
import type { RetryHandler } from 'undici';
import { GraphError } from './errors.js';

/** How often a request is made again. */
const MOST_RETRIES = 4;
const FIRST_PAUSE_MS = 500;
/** A call waits no longer than this between two attempts. */
export const LONGEST_PAUSE_MS = 30_000;

/** Nothing was sent: any request may be made again. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
/** The request may have arrived: only one that changes nothing may be made again. */
const CUT = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENETDOWN',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

interface Attempt {
  /** Of the retries so far: 1 for the first. */
  number: number;
  /** Whether the request changes nothing at Meta. */
  isSafe: boolean;
  /** From 0 to 1. */
  random: number;
}

/**
 * How long to wait before repeating a request, in ms; null if it must not be repeated. A request that changes something
 * is repeated only if it certainly had no effect.
 */
export function pauseBefore(error: unknown, { number, isSafe, random }: Attempt): number | null {
  if (number > MOST_RETRIES || !mayRepeat(error, isSafe)) return null;
  const told = error instanceof GraphError ? error.waitMs : null;
  if (told !== null) return told > LONGEST_PAUSE_MS ? null : told;
  return pauseOf(number, random);
}

/** The pause before this retry (1 for the first) if no time is given, in ms. `random`: from 0 to 1. */
export function pauseOf(number: number, random: number): number {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (number - 1), LONGEST_PAUSE_MS);
  // Jitter: machines refused together must not return together.
  return Math.round(pause * (0.5 + random / 2));
}

function mayRepeat(error: unknown, isSafe: boolean): boolean {
  if (error instanceof GraphError) return error.passes && (isSafe || error.hadNoEffect);
  const code = codeOf(error);
  return code !== undefined && (NOT_SENT.has(code) || (isSafe && CUT.has(code)));
}

/** Whether a failure of the network came before anything was sent. */
export function wasNotSent(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && NOT_SENT.has(code);
}

/** `ECONNRESET`, `UND_ERR_SOCKET`: of the error itself, or of what caused it. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}

/** undici's retries, decided by {@link pauseBefore}. `isSafe`: see there. */
export function retryOptions(isSafe: boolean, signal: AbortSignal): RetryHandler.RetryOptions {
  return {
    retry: (error, { state }, callback) => {
      const pause = pauseBefore(error, { number: state.counter, isSafe, random: Math.random() });
      if (pause === null) {
        callback(error);
        return;
      }
      delay(pause, undefined, { signal }).then(
        () => {
          callback(null);
        },
        () => {
          callback(error);
        },
      );
    },
  };
}
