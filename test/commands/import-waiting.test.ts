import { expect, test } from 'vitest';
import { RawKeeper } from '../../src/commands/devices/raw-keeper.js';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { openDirectory } from '../../src/commands/replay/open-directory.js';
import type { Store } from '../../src/store/store.js';
import { report } from '../../src/commands/report/report.js';
import { readConnections } from '../../src/store/tables/connections.js';
import { createIdGenerator } from '../../src/store/uuid.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { archived, conversation } from '../support/fake-whatsapp/archive.js';
import { type FakePhones, fakePhones, historyEvent, phoneWith } from '../support/history-pages.js';
import { importOf, linkDevice } from '../support/importing.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { transcript } from '../support/shown.js';
import { ANA, live, T0 } from '../support/webhooks.js';

const ANA_PN = `${ANA}@s.whatsapp.net`;
const CHAT = ['old1', 'old2', 'old3', 'old4', 'hello'].map((id, index) =>
  archived({ chat: ANA_PN, id, at: T0 - 400 + index * 100 }),
);
const PHONE = phoneWith({ id: ANA_PN, messages: CHAT });

describeOnServer('import: another process has the device first', (backend) => {
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

describeOnServer('import: an answer that came too late', (backend) => {
  async function shop(): Promise<{ store: Store; late: (messages: typeof CHAT) => Promise<void> }> {
    const store = await backend.open();
    await addConnection(store, { number: '+5511900000000', phoneNumberId: '800000000000001' });
    await linkDevice(store);
    await replayBodies(store, [live('hello', 0)], { register: false });
    const [connection] = await readConnections(store.sql);
    if (connection === undefined) throw new Error('no connection');
    const newId = createIdGenerator(Date.now);
    const directory = await openDirectory(
      store.sql,
      { register: false, connection: connection.id },
      newId,
      testContext(store),
    );
    const keeper = new RawKeeper(
      { clock: Date.now, store, emit: () => undefined },
      {
        connection: { id: connection.id, name: 'loja' },
        directory,
        secretKey: SecretKey.parse(Buffer.alloc(32, 1).toString('base64'), 'the test'),
        run: { runId: newId(), newId },
      },
    );
    const late = async (messages: typeof CHAT): Promise<void> => {
      keeper.keep(await historyEvent({ conversations: [conversation(ANA_PN, messages)] }));
      await keeper.flush();
    };
    return { store, late };
  }

  /** What the report says of history that the phone did not deliver. */
  async function owed(store: Store): Promise<string[]> {
    const { alerts } = await report(testContext(store), reportOptions());
    return alerts.flatMap(({ kind, message }) => (kind === 'history_owed' ? [message] : []));
  }

  test('is had by the next import, though the phone says nothing more', async () => {
    const { store, late } = await shop();
    // As WhatsApp delivers it: while the device logs in, before anything is asked.
    const phones = fakePhones(async (): Promise<'silence'> => {
      await late(CHAT.slice(0, 4));
      return 'silence';
    });
    expect(await importOf(store, phones, { phase: 'fetch' })).toMatchObject({
      outcome: 'fetched',
      // Nobody has looked whether the phone has something between it and what was there.
      status: 'partial',
      messages: { created: 4 },
      cache: { entries: 1 },
      fetch: { gaps: [{ reason: 'short', after: null, filled: false }] },
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
    expect(await owed(store)).toHaveLength(1);
    expect(await importOf(store, fakePhones(PHONE), { force: true, phase: 'fetch' })).toMatchObject({
      outcome: 'end_of_history',
      status: 'completed',
    });
    expect(await owed(store)).toEqual([]);
  });

  test.each([
    ['after silence', 0],
    ['after the newest part of it', 1],
  ])(
    'and lacks messages in front is noticed, and the next import fills the hole: %s',
    async (_when, newest) => {
      const { store, late } = await shop();
      const phone = fakePhones(({ count }) =>
        newest === 0
          ? 'silence'
          : { conversations: [conversation(ANA_PN, CHAT.slice(4 - Math.min(newest, count), 4))] },
      );
      await importOf(store, phone, { phase: 'fetch', count: 10 });
      expect(await owed(store)).toEqual([]);
      await late(CHAT.slice(0, 2));
      expect(await owed(store)).toEqual([
        expect.stringMatching(/Messages of \+5511900000001 before .* may be missing/),
      ]);
      // Whoever applies it: the cache of an import, a replay, a night.
      expect(
        await importOf(
          store,
          fakePhones(() => 'silence'),
          { phase: 'cache' },
        ),
      ).toMatchObject({ outcome: 'cache' });
      expect(await owed(store)).toHaveLength(1);
      const filled = await importOf(store, fakePhones(PHONE), { phase: 'fetch', force: true });
      expect(filled).toMatchObject({ status: 'completed', fetch: { gaps: [{ filled: true }] } });
      expect(await transcript(store)).toHaveLength(5);
      expect(await owed(store)).toEqual([]);
    },
  );

  test('of which nothing ever comes is no gap', async () => {
    const { store } = await shop();
    await importOf(
      store,
      fakePhones(() => 'silence'),
      { phase: 'fetch' },
    );
    expect(await owed(store)).toEqual([]);
    const next = await importOf(store, fakePhones(PHONE), { phase: 'fetch', force: true });
    expect(next).toMatchObject({ outcome: 'end_of_history', status: 'completed', fetch: { gaps: [] } });
  });
});
