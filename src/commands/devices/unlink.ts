import { readDevice } from '../../store/tables/linked-devices.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import { withDeviceLock, deviceViewOf } from './own-device.js';
import type { UnlinkOptions } from './types.js';
import type { DeviceView, UnlinkResult } from './result.js';
import { connectionError } from './pairing-error.js';
import { notLinked } from './phones.js';
import { missingKeyOf } from './missing-key.js';
import { StoredDevice } from './stored-device.js';

/** What `unlink` would remove. Throws ConfigError for an unknown connection, UserError `not_linked` (exit 6). */
export async function planUnlink(
  ctx: Context,
  reference: string,
  organization?: string,
): Promise<{ connection: { id: string; name: string }; device: DeviceView }> {
  const { id, name } = await findConnection(ctx, reference, organization);
  const row = await readDevice(ctx.store.sql, id);
  if (row === null) throw notLinked(name);
  return { connection: { id, name }, device: deviceViewOf(row.accountId) };
}

/**
 * Unlinks a connection's device at WhatsApp and forgets it here; nothing else logs a device out. A device that cannot
 * log in is kept, unless `forget`: then only local data is removed.
 */
export async function unlinkDevice(ctx: Context, options: UnlinkOptions): Promise<UnlinkResult> {
  const { connection, device } = await planUnlink(ctx, options.connection, options.organization);
  return withDeviceLock(ctx, options, connection, 'unlink', async (locked) => {
    const onPhone = options.forget ? 'left' : await logOut(locked, options, connection);
    await StoredDevice.forget(locked, connection.id);
    return { schemaVersion: 1, command: 'unlink', connection, device, onPhone };
  });
}

async function logOut(
  ctx: Context,
  { secretKey, url, version }: UnlinkOptions,
  connection: { id: string; name: string },
): Promise<'unlinked' | 'was_unlinked'> {
  if (secretKey === null) throw await missingKeyOf(ctx.store.sql);
  const storage = new StoredDevice(ctx, connection, secretKey);
  const whatsapp = await import('../../whatsapp/unlink-device.js');
  const outcome = await whatsapp.unlinkDevice({
    storage,
    signal: ctx.signal,
    log: (line) => {
      ctx.log.debug(line);
    },
    url,
    version,
  });
  switch (outcome.kind) {
    case 'unlinked':
      return 'unlinked';
    case 'none':
    case 'logged_out':
      return 'was_unlinked';
    default:
      throw connectionError(outcome, connection.name);
  }
}
