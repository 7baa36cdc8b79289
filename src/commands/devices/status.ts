import { ConfigError } from '../../model/errors.js';
import { readConnectionRecords } from '../../store/tables/connections.js';
import { contactOfGap, importAgain, isProven } from '../../audit/owed-history.js';
import { type OwedHistory, readOwedHistory } from '../../store/tables/history.js';
import { readDevice, type LinkedDeviceRow } from '../../store/tables/linked-devices.js';
import { readUnlinkedConnections } from '../../store/tables/sync-logs.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import type { DeviceStatusOptions } from './types.js';
import type { DeviceState, DeviceStatusResult, LinkedDeviceStatus } from './result.js';
import { deviceViewOf } from './own-device.js';
import { closeDevice, notLinked, openDevice } from './phones.js';
import { StoredDevice } from './stored-device.js';
import { rfc3339 } from '../../model/time.js';

/** Maximum parts listed per connection. */
const MOST_PARTS = 1000;

/**
 * The devices that are linked, whether the key opens them, and with `check` whether WhatsApp still knows them; without it,
 * what the last import has found out. Throws
 * UserError `not_linked` (exit 6) for a named connection without one.
 */
export async function deviceStatus(ctx: Context, options: DeviceStatusOptions): Promise<DeviceStatusResult> {
  const named = options.connection;
  const connections =
    named === undefined
      ? await readConnectionRecords(ctx.store.sql, { organization: options.organization })
      : [await findConnection(ctx, named, options.organization)];
  const owed = new Map(
    (await readOwedHistory(ctx.store.sql, MOST_PARTS)).map((row) => [row.connectionId, row]),
  );
  const unlinked = await readUnlinkedConnections(ctx.store.sql);
  const devices: LinkedDeviceStatus[] = [];
  for (const { id, name, kind } of connections) {
    const row = await readDevice(ctx.store.sql, id);
    if (row === null) {
      if (named !== undefined) throw notLinked(name);
      continue;
    }
    const key = await keyState(ctx, options, { id, name }, row);
    const known = unlinked.has(id) ? 'logged_out' : 'unchecked';
    devices.push({
      connection: { id, name, kind },
      ...deviceViewOf(row.accountId),
      linkedAt: new Date(row.createdAt).toISOString(),
      lastUsedAt: new Date(row.updatedAt).toISOString(),
      key,
      owed: owedOf(name, owed.get(id)),
      whatsapp: options.check && key === 'ok' ? await ask(ctx, options, { id, name }) : known,
    });
  }
  return { schemaVersion: 1, command: 'link status', devices };
}

function owedOf(connection: string, owed: OwedHistory | undefined): LinkedDeviceStatus['owed'] {
  if (owed === undefined) return { files: 0, gaps: 0, parts: [] };
  const parts = owed.named.map((gap) => ({
    contact: contactOfGap(gap),
    from: rfc3339(gap.behind?.timestampMs ?? null),
    to: new Date(gap.anchor.timestampMs).toISOString(),
    proven: isProven(gap),
    reason: gap.reason,
    remedy: importAgain(connection, contactOfGap(gap)),
  }));
  return { files: owed.files, gaps: owed.gaps, parts };
}

async function keyState(
  ctx: Context,
  { secretKey }: DeviceStatusOptions,
  connection: { id: string; name: string },
  { deviceKey, credentials }: Pick<LinkedDeviceRow, 'deviceKey' | 'credentials'>,
): Promise<LinkedDeviceStatus['key']> {
  if (secretKey === null) return 'missing';
  try {
    await new StoredDevice(ctx, connection, secretKey).loadCredentials();
    return 'ok';
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'secret_key_wrong')
      return secretKey.isForeign(deviceKey ?? credentials) ? 'wrong' : 'damaged';
    throw error;
  }
}

/** Logs in briefly. */
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
