import { proto } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { archived, conversation } from '../support/fake-whatsapp/archive.js';
import { fakePhones, historyPage, historyPages, phoneWith } from '../support/history-pages.js';
import { importOf, linkDevice } from '../support/importing.js';
import { replayBodies } from '../support/replaying.js';
import { select, transcript } from '../support/shown.js';
import { ANA, live, T0 } from '../support/webhooks.js';

const PN = `${ANA}@s.whatsapp.net`;
const OLD = Array.from({ length: 30 }, (_, n) =>
  archived({ chat: PN, id: `A${n}`, at: T0 - 3000 + n * 100 }),
);
const CHAT = [...OLD, archived({ chat: PN, id: 'hello', at: T0 })];
const PHONE = phoneWith({ id: PN, messages: CHAT });

/** A customer who wrote once by webhook, and whose phone has thirty messages more. */
async function shop(store: Store): Promise<void> {
  await addConnection(store, { number: '+5511900000000', phoneNumberId: '800000000000001' });
  await linkDevice(store);
  await replayBodies(store, [live('hello', 0)], { register: false });
}

function gapsIn(store: Store): Promise<unknown[]> {
  return select(store, `select chat_jid, anchor_id, behind_id, reason, attempts from history_gaps`);
}

describeOnBackends('import: an answer that leaves a part out', (backend) => {
  test('is noticed by the next message that the phone has, and asked for again', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    // The first answer lacks its newest five messages.
    const phones = fakePhones((request) => {
      asked += 1;
      return asked === 1 ? { conversations: [conversation(PN, OLD.slice(20, 25))] } : PHONE(request);
    });
    const result = await importOf(store, phones, { count: 10 });
    expect(phones.requests.map(({ anchor, count }) => [anchor.id, count])).toEqual([
      ['hello', 10],
      ['hello', 1],
      ['hello', 10],
    ]);
    expect(result).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      messages: { created: 10 },
      fetch: { gaps: [{ reason: 'short', before: new Date(T0 * 1000).toISOString(), filled: true }] },
    });
    expect(await transcript(store)).toHaveLength(11);
    expect(await gapsIn(store)).toEqual([]);
  });

  const END = {
    endOfHistoryTransferType:
      proto.Conversation.EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
  };
  /** The whole chat in chunks of ten, the newest first; every one says that there is nothing older. */
  const CHUNKS = [20, 10, 0].map((at) => ({
    conversations: [conversation(PN, OLD.slice(at, at + 10), END)],
  }));

  test.each([
    { lost: 'newest', at: 0 },
    { lost: 'middle', at: 1 },
    { lost: 'oldest', at: 2 },
  ])('is noticed when the $lost of its chunks never comes, whatever it says of the end', async ({ at }) => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const phones = fakePhones((request) => {
      asked += 1;
      return asked === 1 ? historyPages(CHUNKS.toSpliced(at, 1)) : PHONE(request);
    });
    const result = await importOf(store, phones, { count: 50, pages: 5 });
    expect(result).toMatchObject({ outcome: 'end_of_history', status: 'completed' });
    expect(await transcript(store)).toHaveLength(31);
    expect(await gapsIn(store)).toEqual([]);
  });

  test('is noticed when it is full without a chunk of its middle', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const phones = fakePhones((request) => {
      asked += 1;
      return asked === 1 ? historyPages(CHUNKS.toSpliced(1, 1)) : PHONE(request);
    });
    expect(await importOf(store, phones, { count: 20, pages: 5 })).toMatchObject({ status: 'completed' });
    expect(await transcript(store)).toHaveLength(31);
  });

  test('that cannot be had now is on record, and the next import asks for it first', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const broken = fakePhones((request) => {
      asked += 1;
      if (asked === 1) return { conversations: [conversation(PN, OLD.slice(20, 25))] };
      return asked === 2 ? PHONE(request) : 'silence';
    });
    const first = await importOf(store, broken, { count: 10 });
    expect(first).toMatchObject({
      outcome: 'fetched',
      status: 'partial',
      fetch: { gaps: [{ reason: 'short', filled: false }] },
    });
    expect(await gapsIn(store)).toEqual([
      { chat_jid: PN, anchor_id: 'hello', behind_id: 'A24', reason: 'short', attempts: 0 },
    ]);
    const phones = fakePhones(PHONE);
    const second = await importOf(store, phones, { count: 10, phase: 'fetch', force: true });
    expect(phones.requests.map(({ anchor }) => anchor.id)).toEqual(['hello', 'A20']);
    expect(second).toMatchObject({ status: 'completed', fetch: { gaps: [{ filled: true }] } });
    // A29, which the look had brought, and the rest.
    expect(await transcript(store)).toHaveLength(21);
    expect(await gapsIn(store)).toEqual([]);
  });

  test('a file of the answer that cannot be had is such a part', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const phones = fakePhones(async (request) => {
      asked += 1;
      if (asked > 1) return 'silence';
      expect(request.count).toBe(10);
      return {
        ...(await historyPage({ conversations: [conversation(PN, OLD.slice(20, 25))] })),
        missing: 'file',
      };
    });
    expect(await importOf(store, phones, { count: 10 })).toMatchObject({
      status: 'partial',
      fetch: { requests: 2, gaps: [{ reason: 'file', filled: false }] },
    });
    expect(await gapsIn(store)).toMatchObject([{ reason: 'file' }]);
  });

  test('a gap of several pages is closed piece by piece, and a kill in between costs nothing', async () => {
    const store = await backend.open();
    await shop(store);
    let asked = 0;
    const first = fakePhones((request) => {
      asked += 1;
      if (asked === 1) return { conversations: [conversation(PN, OLD.slice(0, 2))] };
      return asked < 4 ? PHONE(request) : 'silence';
    });
    expect(await importOf(store, first, { count: 5 })).toMatchObject({
      fetch: { gaps: [{ filled: false }] },
    });
    expect(await gapsIn(store)).toMatchObject([{ anchor_id: 'A25', behind_id: 'A1' }]);
    for (let n = 0; n < 2; n += 1)
      await importOf(store, fakePhones(PHONE), { count: 5, phase: 'fetch', force: true });
    expect(await gapsIn(store)).toEqual([]);
    expect(await transcript(store)).toHaveLength(31);
  });

  test('that the phone does not confirm to be whole is on record, too', async () => {
    const store = await backend.open();
    await shop(store);
    // The first answer lacks its newest five messages, and the phone says nothing to the look.
    const quiet = fakePhones(({ count }) =>
      count === 1 ? 'silence' : { conversations: [conversation(PN, OLD.slice(20, 25))] },
    );
    expect(await importOf(store, quiet, { count: 10 })).toMatchObject({
      outcome: 'fetched',
      status: 'partial',
      fetch: { gaps: [{ reason: 'short', filled: false }] },
    });
    expect(await gapsIn(store)).toMatchObject([{ anchor_id: 'hello', behind_id: 'A24', reason: 'short' }]);
    const second = await importOf(store, fakePhones(PHONE), { count: 10, phase: 'fetch', force: true });
    expect(second).toMatchObject({ status: 'completed', fetch: { gaps: [{ filled: true }] } });
    expect((await transcript(store)).join()).toContain('A29');
    expect(await gapsIn(store)).toEqual([]);
  });

  test('a short answer without anything missing is no gap, and is counted once', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(() => ({ conversations: [conversation(PN, OLD.slice(25))] }));
    expect(await importOf(store, phones, { count: 10 })).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      messages: { seen: 5, created: 5, unchanged: 0 },
      fetch: { requests: 2, gaps: [] },
    });
    expect(await select(store, `select status from webhook_log where status <> 'processed'`)).toEqual([]);
  });
});
