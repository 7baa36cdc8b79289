import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, UserError } from '../../model/errors.js';
import type { DatabaseConfig } from '../open-store.js';
import type { LockOwner } from './directory-lock.js';

export interface RunLockOptions extends LockOwner, LockWait {
  /**
   * `shared` for work that several machines may do at once (replay, import); `exclusive` for work that must be alone
   * (dedupe --apply, undo, reconcile, verify --enforce, db migrate).
   */
  mode: 'shared' | 'exclusive';
}

/** A lock that a run holds from beginning to end. */
export interface RunLock {
  /**
   * Throws UserError `lock_lost` if the lock's connection is gone: another run may have started since. Call it before
   * each batch of an exclusive run.
   */
  assertHeld(): void;
  /** Aborted when the lock is lost. */
  lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the run lock. On PostgreSQL it is an advisory lock on a dedicated connection: a pool would hand out that
 * connection to others, or close it. The embedded database is locked by opening it, so this is a no-op there.
 *
 * Throws LockedError (exit 5), naming the holders, if still held after `waitMs`.
 */
export async function acquireRunLock(config: DatabaseConfig, options: RunLockOptions): Promise<RunLock> {
  switch (config.kind) {
    case 'postgresql': {
      const { acquireAdvisoryLock } = await import('./advisory-lock.js');
      return acquireAdvisoryLock(config, options);
    }
    case 'pglite':
      return heldByOpening();
  }
}

/** Takes the lock for fetching a connection's media, so that no file is requested twice. Throws like the others. */
export function acquireMediaLock(
  config: DatabaseConfig,
  connection: { id: string; name: string },
  options: Omit<RunLockOptions, 'mode'>,
): Promise<RunLock> {
  const { id, name } = connection;
  return acquireDeviceLock(config, { id: `media ${id}`, name, subject: `The media of '${name}'` }, options);
}

/** Takes the lock for requesting a connection's history: who holds it may be waiting for Meta's answer. Throws like the others. */
export function acquireHistoryLock(
  config: DatabaseConfig,
  connection: { id: string; name: string },
  options: Omit<RunLockOptions, 'mode'>,
): Promise<RunLock> {
  const { id, name } = connection;
  return acquireDeviceLock(
    config,
    { id: `history ${id}`, name, subject: `The history request of '${name}'` },
    options,
  );
}

/**
 * Takes the lock of a connection's linked device. Two processes on one device would advance the same Signal sessions.
 * Throws LockedError (exit 5), naming the holder.
 */
export async function acquireDeviceLock(
  config: DatabaseConfig,
  connection: { id: string; name: string; subject?: string },
  options: Omit<RunLockOptions, 'mode'>,
): Promise<RunLock> {
  switch (config.kind) {
    case 'postgresql': {
      const { acquireDeviceAdvisoryLock } = await import('./advisory-lock.js');
      return acquireDeviceAdvisoryLock(config, connection, options);
    }
    case 'pglite':
      return heldByOpening();
  }
}

/** The embedded database is exclusively ours while it is open. */
function heldByOpening(): RunLock {
  return {
    assertHeld: () => undefined,
    lost: new AbortController().signal,
    release: () => Promise.resolve(),
  };
}

/** How long to wait for a lock. */
export interface LockWait {
  /** Milliseconds; 0 (default) tries once. */
  waitMs?: number;
  /** Ends the wait with exit code 130. */
  signal?: AbortSignal;
}

const POLL_MS = 200;

/**
 * Calls `attempt` until it returns a lock or the time is up; then throws the error that `refuse` makes from the last
 * answer. Polls instead of blocking, so that Ctrl-C works and the holder can be named.
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
