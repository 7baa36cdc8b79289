import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { deviceStatus } from '../../src/commands/devices/status.js';
import { StoredDevice } from '../../src/commands/devices/stored-device.js';
import { rekey } from '../../src/commands/rekey/rekey.js';
import { checkSecrets } from '../../src/commands/doctor/check-secrets.js';
import { findToken, storeToken } from '../../src/commands/graph/token.js';
import type { Store } from '../../src/store/store.js';
import { readConnectionRecords } from '../../src/store/tables/connections.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { testContext } from '../support/replaying.js';

const KEY = newKey();
const NEW_KEY = newKey();
const DAMAGED = { code: 'secret_key_wrong', exitCode: 2 };
/** One key id, one nonce and one tag are 37 bytes: before, within and after each. */
const LENGTHS = [0, 1, 8, 9, 20, 36, 37, 38];

function newKey(): SecretKey {
  return SecretKey.parse(randomBytes(32).toString('base64'), 'KEY');
}

async function prepare(store: Store) {
  await addConnection(store, { name: 'loja' });
  await addConnection(store, { name: 'two', number: '+15550783882' });
  const records = await readConnectionRecords(store.sql);
  const idOf = (name: string): string => records.find((record) => record.name === name)?.id ?? '';
  const ctx = testContext(store);
  const link = async (name: string, account: string): Promise<void> => {
    const device = new StoredDevice(ctx, { id: idOf(name), name }, KEY);
    await device.saveCredentials('{"a":1}', account);
  };
  const give = (name: string) =>
    storeToken(
      ctx,
      name,
      { text: 'EAAG12345678', place: 'standard input' },
      { secretKey: KEY, organization: undefined },
    );
  return { ctx, idOf, link, give };
}

async function refusalOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => null,
    (error: unknown) => error,
  );
}

describeOnBackends('G1: without a key', (backend) => {
  it('a first one is to be created, and the one in use to be brought back', async () => {
    const store = await backend.open();
    const { ctx, idOf, give } = await prepare(store);
    const giveTwo = () =>
      storeToken(
        ctx,
        'two',
        { text: 'EAAG12345678', place: 'standard input' },
        { secretKey: null, organization: undefined },
      );
    expect(await refusalOf(giveTwo)).toMatchObject({
      code: 'secret_key_missing',
      remedy: expect.stringContaining('create one with') as string,
    });
    await give('loja');
    const access = {
      place: { url: 'http://127.0.0.1:1', version: 'v24.0', userAgent: 'test', proxy: null },
      given: null,
      secretKey: null,
    };
    for (const work of [giveTwo, () => findToken(ctx, { id: idOf('loja'), name: 'loja' }, access)]) {
      const refusal = await refusalOf(work);
      expect(refusal).toMatchObject({
        code: 'secret_key_missing',
        message:
          "A secret key is required, and this database has one already. The access token of 'loja' opens with no other.",
        remedy: [
          expect.stringContaining('Set WA_RECONCILE_SECRET_KEY') as string,
          expect.stringContaining('Use the key that it was stored with') as string,
          { command: 'connection token', args: ['loja', '--remove'] },
        ],
      });
      expect(JSON.stringify(refusal)).not.toContain('openssl');
    }
  });
});

describeOnBackends('G1: what is sealed and was cut', (backend) => {
  it('is damage of one device, named by link status, by opening it and by --rekey', async () => {
    const store = await backend.open();
    const { ctx, idOf, link } = await prepare(store);
    await link('loja', '5511900000000:3@s.whatsapp.net');
    await link('two', '5511900000000:4@s.whatsapp.net');
    const [whole] = await store.sql.query(
      `select encode(credentials, 'hex') as hex from linked_devices where connection_id = $1::uuid`,
      [idOf('loja')],
    );
    const statesOf = async () => {
      const { devices } = await deviceStatus(ctx, {
        secretKey: KEY,
        check: false,
        lockWaitMs: 0,
        // Without `check` no device is locked.
        database: { kind: 'pglite', directory: '/nowhere' },
      });
      return devices.map(({ connection, key }) => [connection.name, key]);
    };
    for (const length of LENGTHS) {
      await store.sql.execute(
        `update linked_devices set credentials = substring(decode($2, 'hex') from 1 for ${length}) where connection_id = $1::uuid`,
        [idOf('loja'), String(whole?.['hex'])],
      );
      expect(await statesOf(), String(length)).toEqual([
        ['loja', 'damaged'],
        ['two', 'ok'],
      ]);
      for (const work of [
        () => new StoredDevice(ctx, { id: idOf('loja'), name: 'loja' }, KEY).loadCredentials(),
        () => rekey(ctx, KEY, NEW_KEY),
      ]) {
        expect(await refusalOf(work), String(length)).toMatchObject({
          ...DAMAGED,
          message: "The linked device of 'loja' cannot be decrypted with KEY: the stored data is damaged.",
        });
      }
      expect(await checkSecrets(store.sql, KEY)).toMatchObject({
        status: 'fail',
        message: expect.stringContaining("the linked device of 'loja'") as string,
      });
    }
  });

  it('is damage of one token, and does not look like another key’s', async () => {
    const store = await backend.open();
    const { ctx, idOf, give } = await prepare(store);
    await give('loja');
    const [whole] = await store.sql.query(`select encode(token, 'hex') as hex from graph_credentials`);
    const access = {
      place: { url: 'http://127.0.0.1:1', version: 'v24.0', userAgent: 'test', proxy: null },
      given: null,
      secretKey: KEY,
    };
    for (const length of LENGTHS) {
      await store.sql.execute(
        `update graph_credentials set token = substring(decode($2, 'hex') from 1 for ${length}) where connection_id = $1::uuid`,
        [idOf('loja'), String(whole?.['hex'])],
      );
      for (const work of [
        () => findToken(ctx, { id: idOf('loja'), name: 'loja' }, access),
        () => rekey(ctx, KEY, NEW_KEY),
      ]) {
        expect(await refusalOf(work), String(length)).toMatchObject({
          ...DAMAGED,
          message: "The access token of 'loja' cannot be decrypted with KEY: the stored data is damaged.",
        });
      }
      // It does not keep the token of another connection from being stored.
      expect(await give('two')).toMatchObject({ connection: { name: 'two' } });
    }
  });
});
