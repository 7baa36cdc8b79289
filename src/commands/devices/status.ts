import { ConfigError } from '../../model/errors.js';
import { readConnectionRecords } from '../../store/tables/connections.js';
import { readOwedHistory } from '../../store/tables/history.js';
import { readDevice } from '../../store/tables/linked-devices.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import type { DeviceStatusOptions } from './types.js';
import type { DeviceState, DeviceStatusResult, LinkedDeviceStatus } from './result.js';
import { deviceViewOf } from './own-device.js';
import { closeDevice, notLinked, openDevice } from './phones.js';
import { StoredDevice } from './stored-device.js';

/**
 * The devices that are linked, whether the key opens them, and with `check` whether WhatsApp still knows them. Throws
 * UserError `not_linked` (exit 6) for a named connection without one.
 */
export async function deviceStatus(ctx: Context, options: DeviceStatusOptions): Promise<DeviceStatusResult> {
  const named = options.connection;
  const connections =
    named === undefined
      ? await readConnectionRecords(ctx.store.sql, { organization: options.organization })
      : [await findConnection(ctx, named, options.organization)];
  const owed = new Map((await readOwedHistory(ctx.store.sql)).map((row) => [row.connectionId, row]));
  const devices: LinkedDeviceStatus[] = [];
  for (const { id, name, kind } of connections) {
    const row = await readDevice(ctx.store.sql, id);
    if (row === null) {
      if (named !== undefined) throw notLinked(name);
      continue;
    }
    const key = await keyState(ctx, options, id);
    devices.push({
      connection: { id, name, kind },
      ...deviceViewOf(row.accountId),
      linkedAt: new Date(row.createdAt).toISOString(),
      lastUsedAt: new Date(row.updatedAt).toISOString(),
      key,
      owed: { files: owed.get(id)?.files ?? 0, gaps: owed.get(id)?.gaps ?? 0 },
      whatsapp: options.check && key === 'ok' ? await ask(ctx, options, { id, name }) : 'unchecked',
    });
  }
  return { schemaVersion: 1, command: 'link status', devices };
}

async function keyState(
  ctx: Context,
  { secretKey }: DeviceStatusOptions,
  connectionId: string,
): Promise<LinkedDeviceStatus['key']> {
  if (secretKey === null) return 'missing';
  try {
    await new StoredDevice(ctx, connectionId, secretKey).loadCredentials();
    return 'ok';
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'secret_key_wrong') return 'wrong';
    throw error;
  }
}

/** Logs in for a moment. */
async function ask(
  ctx: Context,
  options: DeviceStatusOptions,
  connection: { id: string; name: string },
): Promise<DeviceState> {
  const device = await openDevice(ctx, options, connection, 'link status');
  const { problem } = device.session;
  await closeDevice(device);
  return problem === null ? 'online' : problem.kind;
}
