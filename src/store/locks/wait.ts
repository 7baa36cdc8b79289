import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, UserError } from '../../model/errors.js';

/** How long to wait for a lock. */
export interface LockWait {
  /** Milliseconds; 0 (default) asks once. */
  waitMs?: number;
  /** Ends the wait with exit code 130. */
  signal?: AbortSignal;
}

const POLL_MS = 200;

/**
 * Asks `attempt` until it gives a lock, or until the time is over; then throws what `refuse` makes of the last answer.
 * A lock is asked for rather than waited on, so that Ctrl-C works and the holder can be named.
 */
export async function pollForLock<T extends object, R>(
  attempt: () => Promise<{ lock: T } | { held: R }>,
  refuse: (held: R) => Error | Promise<Error>,
  { waitMs = 0, signal }: LockWait,
): Promise<T> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    if (signal?.aborted === true) throw interrupted();
    const answer = await attempt();
    if ('lock' in answer) return answer.lock;
    const left = deadline - performance.now();
    if (left <= 0) throw await refuse(answer.held);
    await delay(Math.min(POLL_MS, left), undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw interrupted();
    });
  }
}

function interrupted(): UserError {
  return new UserError('Interrupted while waiting for the lock.', {
    code: 'interrupted',
    exitCode: EXIT.interrupted,
  });
}
