import { EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { readDevice } from '../../store/tables/linked-devices.js';
import type { Context } from '../../context.js';
import { deviceViewOf, isSamePhone } from './own-number.js';

/**
 * A connection whose number was changed must not go on with the device of the other number: what that phone knows about a
 * contact is another conversation. Throws UserError `wrong_number`. `phone` is the connection's own.
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
