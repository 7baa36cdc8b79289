import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { StoredDevice } from '../../src/commands/devices/stored-device.js';
import { createPhones } from '../../src/commands/devices/phones.js';
import { acquireDeviceLock, acquireRunLock } from '../../src/store/locks/run-lock.js';
import { bytesOf } from '../../src/store/row.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends, TEST_OPTIONS, useBackend } from '../support/databases.js';
import { testContext } from '../support/replaying.js';

const KEY = newKey();
const ACCOUNT = '5511900000000:3@s.whatsapp.net';

function newKey(): SecretKey {
  return SecretKey.parse(randomBytes(32).toString('base64'), 'KEY');
}

async function connectionOf(store: Store, name: string): Promise<string> {
  await addConnection(store, { name });
  const [row] = await store.sql.query(`select id from connections where name = $1`, [name]);
  return String(row?.['id']);
}

function deviceOf(store: Store, connectionId: string, key = KEY): StoredDevice {
  return new StoredDevice({ store, clock: () => 1_700_000_000_000 }, { id: connectionId, name: 'loja' }, key);
}

describeOnBackends('a stored device', (backend) => {
  backend.once('gives back its credentials and keys, and forgets keys that are removed', async () => {
    const store = await backend.open();
    const device = deviceOf(store, await connectionOf(store, 'loja'));
    expect(await device.loadCredentials()).toBeNull();
    await device.saveCredentials('{"a":1}', ACCOUNT);
    await device.saveCredentials('{"a":2}', ACCOUNT);
    expect(await device.loadCredentials()).toBe('{"a":2}');
    const many = Array.from({ length: 900 }, (_, n) => ({ type: 'pre-key', id: String(n), value: `"${n}"` }));
    await device.writeKeys([...many, { type: 'session', id: 'a.0', value: '"{\\\\,NULL}"' }]);
    await device.writeKeys([
      { type: 'pre-key', id: '7', value: null },
      { type: 'pre-key', id: '8', value: '"old"' },
      { type: 'pre-key', id: '8', value: '"new"' },
    ]);
    expect(await device.readKeys('pre-key', ['7', '8', '899', 'none'])).toEqual(
      new Map([
        ['8', '"new"'],
        ['899', '"899"'],
      ]),
    );
    expect(await device.readKeys('session', ['a.0'])).toEqual(new Map([['a.0', '"{\\\\,NULL}"']]));
  });

  it('is not opened, and not overwritten, by another key', async () => {
    const store = await backend.open();
    const id = await connectionOf(store, 'loja');
    await deviceOf(store, id).saveCredentials('{"a":1}', ACCOUNT);
    await deviceOf(store, id).writeKeys([{ type: 'session', id: 'x', value: '1' }]);
    const other = deviceOf(store, id, newKey());
    const wrong = { code: 'secret_key_wrong', exitCode: 2 };
    await expect(other.loadCredentials()).rejects.toMatchObject(wrong);
    await expect(other.readKeys('session', ['x'])).rejects.toMatchObject(wrong);
    await expect(other.saveCredentials('{"a":2}', ACCOUNT)).rejects.toMatchObject(wrong);
    expect(await deviceOf(store, id).loadCredentials()).toBe('{"a":1}');
  });

  it('names no contact: neither by its keys, nor by those that an older version has stored', async () => {
    const store = await backend.open();
    const id = await connectionOf(store, 'loja');
    const device = deviceOf(store, id);
    await device.saveCredentials('{"a":1}', ACCOUNT);
    const keys = [
      { type: 'session', id: '5521987654321.0', value: '"s"' },
      { type: 'identity-key', id: '5521987654321.0', value: '"i"' },
      { type: 'device-list', id: '5521987654321', value: '["0"]' },
      { type: 'tctoken', id: '5521987654321@s.whatsapp.net', value: '"t"' },
      { type: 'lid-mapping', id: '5521987654321', value: '"998877665544332"' },
      { type: 'lid-mapping', id: '998877665544332_reverse', value: '"5521987654321"' },
    ];
    await device.writeKeys(keys.slice(3));
    // As versions before this one stored them.
    for (const { type, id: name, value } of keys.slice(0, 3)) {
      await store.sql.execute(
        `insert into linked_device_keys (connection_id, type, key_id, value) values ($1::uuid, $2, $3, $4)`,
        [id, type, name, KEY.seal(value, [id, type, name])],
      );
    }
    expect(await deviceOf(store, id).loadCredentials()).toBe('{"a":1}');
    const stored = await store.sql.query(
      `select type || key_id || encode(value, 'escape') as text from linked_device_keys`,
    );
    expect(stored).toHaveLength(keys.length);
    expect(JSON.stringify(stored)).not.toMatch(/5521987654321|998877665544332/);
    for (const { type, id: name, value } of keys)
      expect(await device.readKeys(type, [name])).toEqual(new Map([[name, value]]));
    await device.writeKeys([{ type: 'session', id: '5521987654321.0', value: null }]);
    expect(await device.readKeys('session', ['5521987654321.0'])).toEqual(new Map());
  });

  it('is not opened in the place of another one', async () => {
    const store = await backend.open();
    const [one, two] = [await connectionOf(store, 'one'), await connectionOf(store, 'two')];
    await deviceOf(store, one).saveCredentials('{"one":1}', ACCOUNT);
    await deviceOf(store, one).writeKeys([{ type: 'session', id: 'x', value: '1' }]);
    const [x] = await store.sql.query(`select value from linked_device_keys`);
    await deviceOf(store, one).writeKeys([{ type: 'session', id: 'y', value: '2' }]);
    await store.sql.execute(`update linked_devices set connection_id = $1::uuid`, [two]);
    await store.sql.execute(`update linked_device_keys set value = $1`, [bytesOf(x ?? {}, 'value')]);
    await expect(deviceOf(store, two).loadCredentials()).rejects.toThrow('damaged');
    await expect(deviceOf(store, one).readKeys('session', ['y'])).rejects.toThrow('damaged');
  });

  it('cannot be two connections’ at once', async () => {
    const store = await backend.open();
    const [one, two] = [await connectionOf(store, 'one'), await connectionOf(store, 'two')];
    await deviceOf(store, one).saveCredentials('{}', ACCOUNT);
    await expect(deviceOf(store, two).saveCredentials('{}', ACCOUNT)).rejects.toMatchObject({
      code: 'device_taken',
      message: "This device is already linked to the connection 'one'.",
    });
    expect(await deviceOf(store, two).loadCredentials()).toBeNull();
  });

  it('is forgotten with all its keys, and nothing of another one', async () => {
    const store = await backend.open();
    const [one, two] = [await connectionOf(store, 'one'), await connectionOf(store, 'two')];
    for (const [id, account] of [
      [one, ACCOUNT],
      [two, '5511900000000:4@s.whatsapp.net'],
    ] as const) {
      await deviceOf(store, id).saveCredentials('{}', account);
      await deviceOf(store, id).writeKeys([{ type: 'session', id: 'x', value: '1' }]);
    }
    await StoredDevice.forget({ store }, one);
    expect(await deviceOf(store, one).loadCredentials()).toBeNull();
    expect(await deviceOf(store, one).readKeys('session', ['x'])).toEqual(new Map());
    expect(await deviceOf(store, two).loadCredentials()).toBe('{}');
    expect((await deviceOf(store, two).readKeys('session', ['x'])).size).toBe(1);
  });

  it('is needed to ask a phone, and so is its key', async () => {
    const store = await backend.open();
    const id = await connectionOf(store, 'loja');
    const phones = createPhones(testContext(store), {
      database: { kind: 'pglite', directory: '/nowhere' },
      lockWaitMs: 0,
      secretKey: null,
    });
    await expect(phones.open({ id, name: 'loja' })).rejects.toMatchObject({
      code: 'not_linked',
      exitCode: 6,
    });
    await deviceOf(store, id).saveCredentials('{}', ACCOUNT);
    await expect(phones.open({ id, name: 'loja' })).rejects.toMatchObject({ code: 'secret_key_missing' });
    await phones.close();
  });

  it('is asked nothing when the connection has got another number since', async () => {
    const store = await backend.open();
    const id = await connectionOf(store, 'loja');
    await deviceOf(store, id).saveCredentials('{}', ACCOUNT);
    await store.sql.execute(`update connections set display_phone_number = '+5521911112222'`);
    const phones = createPhones(testContext(store), {
      database: { kind: 'pglite', directory: '/nowhere' },
      lockWaitMs: 0,
      secretKey: KEY,
    });
    await expect(phones.open({ id, name: 'loja' })).rejects.toMatchObject({
      code: 'wrong_number',
      message: "The device that is linked to 'loja' belongs to another number.",
    });
    await phones.close();
  });
});

describe('the lock of a device', () => {
  const backend = useBackend('postgresql');

  it('keeps out who wants the same device, names the holder, and nobody else', async () => {
    const config = await backend.config();
    const one = { id: '00000000-0000-7000-8000-000000000001', name: 'one' };
    const two = { id: '00000000-0000-7000-8000-000000000002', name: 'two' };
    const held = await acquireDeviceLock(config, one, { ...TEST_OPTIONS, command: 'import' });
    const refused = acquireDeviceLock(config, one, { ...TEST_OPTIONS, command: 'link' });
    await expect(refused).rejects.toThrow(/^The linked device of 'one' is in use by import /);
    await expect(refused).rejects.toMatchObject({ code: 'locked', exitCode: 5 });
    const other = await acquireDeviceLock(config, two, TEST_OPTIONS);
    const run = await acquireRunLock(config, { ...TEST_OPTIONS, mode: 'exclusive' });
    await Promise.all([held.release(), other.release(), run.release()]);
    await (await acquireDeviceLock(config, one, TEST_OPTIONS)).release();
  });
});
