import { expect, test } from 'vitest';
import { RawKeeper } from '../../src/commands/devices/raw-keeper.js';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { openDirectory } from '../../src/commands/replay/open-directory.js';
import { readConnections } from '../../src/store/tables/connections.js';
import { createIdGenerator } from '../../src/store/uuid.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { archived, conversation } from '../support/fake-whatsapp/archive.js';
import { type FakePhones, fakePhones, historyEvent, phoneWith } from '../support/history-pages.js';
import { importOf, linkDevice } from '../support/importing.js';
import { replayBodies } from '../support/replaying.js';
import { ANA, live, T0 } from '../support/webhooks.js';

const ANA_PN = `${ANA}@s.whatsapp.net`;
const CHAT = ['old1', 'old2', 'old3', 'old4', 'hello'].map((id, index) =>
  archived({ chat: ANA_PN, id, at: T0 - 400 + index * 100 }),
);
const PHONE = phoneWith({ id: ANA_PN, messages: CHAT });

describeOnBackends('import: another process has the device first', (backend) => {
  /** Phones whose device is given free only when another import of the same contact has ended. */
  async function afterAnother(): Promise<{
    store: Awaited<ReturnType<typeof backend.open>>;
    phones: FakePhones;
  }> {
    const store = await backend.open();
    await addConnection(store, { number: '+5511900000000', phoneNumberId: '800000000000001' });
    await linkDevice(store);
    await replayBodies(store, [live('hello', 0)], { register: false });
    const phones = fakePhones(PHONE);
    const open = phones.open.bind(phones);
    phones.open = async (connection) => {
      expect(await importOf(store, fakePhones(PHONE), { count: 2 })).toMatchObject({ outcome: 'fetched' });
      return open(connection);
    };
    return { store, phones };
  }

  test('the one that has waited is throttled by what the other has asked', async () => {
    const { store, phones } = await afterAnother();
    expect(await importOf(store, phones)).toMatchObject({
      outcome: 'throttled',
      fetch: { requests: 0 },
    });
    expect(phones.requests).toEqual([]);
  });

  test('under --force it goes on from what the other has brought', async () => {
    const { store, phones } = await afterAnother();
    expect(await importOf(store, phones, { force: true })).toMatchObject({
      outcome: 'end_of_history',
      messages: { created: 2, unchanged: 0 },
      fetch: { anchor: { id: 'old3' } },
    });
    // The others look whether the short answer is whole, and whether its end is one.
    expect(phones.requests.map(({ anchor, count }) => [anchor.id, count])).toEqual([
      ['old3', 50],
      ['old3', 1],
      ['old1', 1],
    ]);
  });
});

describeOnBackends('import: an answer that came too late', (backend) => {
  test('is had by the next import, though the phone says nothing more', async () => {
    const store = await backend.open();
    await addConnection(store, { number: '+5511900000000', phoneNumberId: '800000000000001' });
    await linkDevice(store);
    await replayBodies(store, [live('hello', 0)], { register: false });
    const [connection] = await readConnections(store.sql);
    if (connection === undefined) throw new Error('no connection');
    const newId = createIdGenerator(Date.now);
    const directory = await openDirectory(store.sql, { register: false, connection: connection.id }, newId);
    const keeper = new RawKeeper(
      { clock: Date.now, sql: store.sql },
      {
        connection: { id: connection.id, name: 'loja' },
        directory,
        secretKey: SecretKey.parse(Buffer.alloc(32, 1).toString('base64'), 'the test'),
        run: { runId: newId(), newId },
      },
    );
    // As WhatsApp delivers it: while the device logs in, before anything is asked.
    const phones = fakePhones(async (): Promise<'silence'> => {
      keeper.keep(await historyEvent({ conversations: [conversation(ANA_PN, CHAT.slice(0, 4))] }));
      await keeper.flush();
      return 'silence';
    });
    expect(await importOf(store, phones, { phase: 'fetch' })).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      messages: { created: 4 },
      cache: { entries: 1 },
    });
    expect(
      await importOf(
        store,
        fakePhones(() => 'silence'),
        { force: true },
      ),
    ).toMatchObject({
      outcome: 'silent',
      messages: { created: 0 },
    });
  });
});
