import { acquireDeviceLock, type RunLock } from '../../store/locks/run-lock.js';
import type { Context } from '../../context.js';
import type { DeviceOptions } from './options.js';

/** Takes the lock of a connection's device. Throws LockedError (exit 5) when another process has it. */
export function lockDevice(
  ctx: Context,
  options: Pick<DeviceOptions, 'database' | 'lockWaitMs'>,
  connection: { id: string; name: string },
  command: string,
): Promise<RunLock> {
  return acquireDeviceLock(options.database, connection, {
    command,
    host: ctx.host,
    pid: ctx.pid,
    waitMs: options.lockWaitMs,
    signal: ctx.signal,
  });
}

/** Does `work` while the device is ours; its signal also stops when the lock is lost. */
export async function withDeviceLock<T>(
  ctx: Context,
  options: Pick<DeviceOptions, 'database' | 'lockWaitMs'>,
  connection: { id: string; name: string },
  command: string,
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const lock = await lockDevice(ctx, options, connection, command);
  try {
    const result = await work({ ...ctx, signal: AbortSignal.any([ctx.signal, lock.lost]) });
    lock.assertHeld();
    return result;
  } finally {
    await lock.release();
  }
}
