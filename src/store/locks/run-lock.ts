import type { DatabaseConfig } from '../open-store.js';
import type { LockOwner } from './directory-lock.js';
import type { LockWait } from './wait.js';

export interface RunLockOptions extends LockOwner, LockWait {
  /**
   * `shared` for what several machines may do at once (replay, import); `exclusive` for what must be alone (dedupe --apply,
   * undo, reconcile, verify --enforce, db migrate).
   */
  mode: 'shared' | 'exclusive';
}

/** A lock that a run holds from beginning to end. */
export interface RunLock {
  /**
   * Throws UserError `lock_lost` if the connection that held the lock is gone: another run may have started since. Ask
   * before each batch of an exclusive run.
   */
  assertHeld(): void;
  /** Aborted at the moment when the lock is lost. */
  lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * Takes the lock of a run. On PostgreSQL it is an advisory lock on a connection of its own, since a pool would hand the
 * connection that holds it to anyone, or close it. The embedded database is locked by opening it, so there it is free.
 *
 * Throws LockedError (exit 5), which names the holders, when it is still held after `waitMs`.
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

/**
 * Takes the lock of a connection's linked device, which no other process may use at the same time: both would advance the
 * same Signal sessions. Throws LockedError (exit 5), which names the holder.
 */
export async function acquireDeviceLock(
  config: DatabaseConfig,
  connection: { id: string; name: string },
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

/** The embedded database is ours alone for as long as it is open. */
function heldByOpening(): RunLock {
  return {
    assertHeld: () => undefined,
    lost: new AbortController().signal,
    release: () => Promise.resolve(),
  };
}
