import { arrayLiteral, arraysOf } from '../array-literal.js';
import {
  columns,
  uuid,
  text,
  bytes,
  time,
  orNull,
  type RowOf,
  columnNames,
  rowOf,
  rowsOf,
} from '../columns.js';
import { textOf, textOrNull, bytesOf } from '../row.js';
import type { Sql } from '../sql.js';

/** The connections with a linked device. */
export async function readLinkedConnections(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(`select connection_id from linked_devices`);
  return new Set(rows.map((row) => textOf(row, 'connection_id')));
}

const COLUMNS = columns({
  connectionId: uuid,
  /** `5511…:12@s.whatsapp.net`; unique. */
  accountId: text,
  credentials: bytes,
  createdAt: time,
  updatedAt: time,
  /** The sealed key of its rows; null if they use the secret key itself. */
  deviceKey: orNull(bytes),
});

/** A device as stored: the credentials are sealed. */
export type LinkedDeviceRow = RowOf<typeof COLUMNS>;

/** The leading bytes of a sealed value that identify its key. */
const SEAL_BYTES = 9;

export async function readDevice(sql: Sql, connectionId: string): Promise<LinkedDeviceRow | null> {
  const [row] = await sql.query(
    `select ${columnNames(COLUMNS)} from linked_devices
     where connection_id = $1::uuid`,
    [connectionId],
  );
  return row === undefined ? null : rowOf(COLUMNS, row);
}

export async function readDevices(sql: Sql): Promise<LinkedDeviceRow[]> {
  return rowsOf(
    COLUMNS,
    await sql.query(`select ${columnNames(COLUMNS)} from linked_devices order by connection_id`),
  );
}

/** Stores the key of a device's rows, sealed. */
export async function setDeviceKey(tx: Sql, connectionId: string, deviceKey: Uint8Array): Promise<void> {
  await tx.execute(`update linked_devices set device_key = $2 where connection_id = $1::uuid`, [
    connectionId,
    deviceKey,
  ]);
}

/** The name of another connection with this same device; null if none. */
export async function readOtherOwner(
  sql: Sql,
  accountId: string,
  connectionId: string,
): Promise<string | null> {
  const [row] = await sql.query(
    `select c.name from linked_devices d join connections c on c.id = d.connection_id
     where d.account_id = $1 and d.connection_id <> $2::uuid`,
    [accountId, connectionId],
  );
  return row === undefined ? null : textOrNull(row, 'name');
}

/** Stores a device's credentials; false if the row is sealed with another key, and then leaves it unchanged. */
export async function saveDevice(
  sql: Sql,
  device: { connectionId: string; accountId: string; credentials: Uint8Array; now: number },
): Promise<boolean> {
  const written = await sql.execute(
    `insert into linked_devices (connection_id, account_id, credentials, created_at, updated_at)
     values ($1::uuid, $2, $3, $4::timestamptz, $4::timestamptz)
     on conflict (connection_id) do update set
       account_id = excluded.account_id, credentials = excluded.credentials, updated_at = excluded.updated_at
     -- A wrong key must never replace what only the right one can open.
     where substr(linked_devices.credentials, 1, ${SEAL_BYTES}) = substr(excluded.credentials, 1, ${SEAL_BYTES})`,
    [device.connectionId, device.accountId, device.credentials, new Date(device.now)],
  );
  return written > 0;
}

/** The existing sealed keys, by id. */
export async function readDeviceKeys(
  sql: Sql,
  connectionId: string,
  type: string,
  ids: readonly string[],
): Promise<Map<string, Uint8Array>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query(
    `select key_id, value from linked_device_keys
     where connection_id = $1::uuid and type = $2 and key_id = any($3::text[])`,
    [connectionId, type, arrayLiteral(ids)],
  );
  return new Map(rows.map((row) => [textOf(row, 'key_id'), bytesOf(row, 'value')]));
}

/** The prefix of key names that are keyed hashes. */
export const HASHED_NAME = 'h1:';

/** The keys still stored under their own names. */
export async function readPlainKeys(sql: Sql, connectionId: string): Promise<{ type: string; id: string }[]> {
  const rows = await sql.query(
    `select type, key_id from linked_device_keys
     where connection_id = $1::uuid and not starts_with(key_id, '${HASHED_NAME}')`,
    [connectionId],
  );
  return rows.map((row) => ({ type: textOf(row, 'type'), id: textOf(row, 'key_id') }));
}

/** Renames keys; one already present under its other name is newer, and stays. */
export async function renameDeviceKeys(
  tx: Sql,
  connectionId: string,
  keys: readonly { type: string; id: string; name: string }[],
): Promise<void> {
  const parameters = [connectionId, ...arraysOf(keys, 'type', 'id', 'name')];
  await tx.execute(
    `update linked_device_keys k set key_id = r.name
     from unnest($2::text[], $3::text[], $4::text[]) as r (type, key_id, name)
     where k.connection_id = $1::uuid and k.type = r.type and k.key_id = r.key_id
       and not exists (
         select from linked_device_keys other
         where other.connection_id = $1::uuid and other.type = r.type and other.key_id = r.name
       )`,
    parameters,
  );
  await tx.execute(
    `delete from linked_device_keys where connection_id = $1::uuid and not starts_with(key_id, '${HASHED_NAME}')`,
    [connectionId],
  );
}

/** Writes sealed keys in one statement, and removes others in a second: linking a device brings hundreds at once. */
export async function writeDeviceKeys(
  tx: Sql,
  connectionId: string,
  written: readonly { type: string; id: string; value: Uint8Array }[],
  removed: readonly { type: string; id: string }[],
): Promise<void> {
  if (written.length > 0) {
    await tx.execute(
      `insert into linked_device_keys (connection_id, type, key_id, value)
       select $1::uuid, r.type, r.key_id, r.value
       from unnest($2::text[], $3::text[], $4::bytea[]) as r (type, key_id, value)
       on conflict (connection_id, type, key_id) do update set value = excluded.value`,
      [connectionId, ...arraysOf(written, 'type', 'id', 'value')],
    );
  }
  if (removed.length > 0) {
    await tx.execute(
      `delete from linked_device_keys k using unnest($2::text[], $3::text[]) as r (type, key_id)
       where k.connection_id = $1::uuid and k.type = r.type and k.key_id = r.key_id`,
      [connectionId, ...arraysOf(removed, 'type', 'id')],
    );
  }
}

/** Forgets a device with all its keys. */
export async function deleteDevice(tx: Sql, connectionId: string): Promise<void> {
  await tx.execute(`delete from linked_device_keys where connection_id = $1::uuid`, [connectionId]);
  await tx.execute(`delete from linked_devices where connection_id = $1::uuid`, [connectionId]);
}
