import type { Context } from '../../context.js';
import { parseJid } from '../../identity/jid.js';
import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import { EXIT, UserError, ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { acquireDeviceLock, type RunLock } from '../../store/locks/run-lock.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import { readDevice } from '../../store/tables/linked-devices.js';
import { storedPhone } from '../connections/find.js';
import type { DeviceOptions } from './types.js';
import type { DeviceView } from './result.js';

/**
 * After a number change, a connection must not use the old number's device: what that phone knows about a contact is
 * another conversation. Throws UserError `wrong_number`. `phone` is the connection's own.
 */
export async function assertOwnDevice(
  ctx: Pick<Context, 'store'>,
  connection: { id: string; name: string },
  phone: string,
): Promise<void> {
  const stored = await readDevice(ctx.store.sql, connection.id);
  if (stored === null || isSamePhone(deviceViewOf(stored.accountId).phone ?? '', phone)) return;
  throw new UserError(`The device that is linked to '${connection.name}' belongs to another number.`, {
    code: 'wrong_number',
    exitCode: EXIT.failure,
    remedy: remedy('unlink', ['--connection', connection.id], 'unlinks it; then link the right phone'),
  });
}

/** Whether two numbers are one phone by rule I1: Brazil's ninth digit, Mexico's 1, Argentina's 9. */
export function isSamePhone(one: string, other: string): boolean {
  const [a, b] = [canonicalPhone(one), canonicalPhone(other)];
  if (a === undefined || b === undefined) return false;
  return a === b || phoneEquivalents(a).includes(b);
}

/** The number that a device of this connection must have. Throws ConfigError if it cannot have one. */
export function ownNumberOf(connection: ConnectionRecord): string {
  if (connection.kind === 'cloud_api') {
    throw new ConfigError(
      `The connection '${connection.name}' is a pure Cloud API number: no device can be linked to it.`,
      {
        code: 'connection_not_linkable',
        remedy:
          'Linked devices need a number that is also used in the WhatsApp Business app (coexistence), or a connection of kind baileys.',
      },
    );
  }
  const phone = storedPhone(connection.displayPhoneNumber);
  if (phone === undefined) {
    throw new ConfigError(`The number of the connection '${connection.name}' is not known.`, {
      code: 'connection_without_phone',
      remedy: [
        'Set it, so that no other phone is linked by mistake; for example:',
        remedy('connection edit', [connection.id, '--phone', '+5511912345678'], 'sets the number'),
      ],
    });
  }
  return phone;
}

/** `5511…:12@s.whatsapp.net` in readable form. */
export function deviceViewOf(accountId: string): DeviceView {
  const { user } = parseJid(accountId);
  const number = /:(\d+)@/.exec(accountId)?.[1];
  return { phone: canonicalPhone(user) ?? null, device: Number(number ?? 0) };
}

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

/** Does `work` while we hold the device; its signal also aborts when the lock is lost. */
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
