import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { archived } from '../support/fake-whatsapp/archive.js';
import { fakePhones, phoneWith } from '../support/history-pages.js';
import { importOf, linkDevice } from '../support/importing.js';
import { night } from '../support/nights.js';
import { ordersOf } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { select } from '../support/shown.js';
import { ANA, echo, history, live, old, T0, wamid } from '../support/webhooks.js';

const CHAT = `${ANA}@s.whatsapp.net`;

/** A message of WhatsApp Web as one of its events brings it. */
function web(event: string, id: string, rest: object): object {
  const message = {
    key: { remoteJid: CHAT, fromMe: false, id },
    messageTimestamp: T0,
    message: { conversation: id },
  };
  return { event, data: { chats: [], contacts: [], messages: [message], ...rest } };
}

const FIRST_SYNC = web('messaging-history.set', 'W1', { syncType: 3, progress: 100, chunkOrder: 1 });
const ON_DEMAND = web('messaging-history.set', 'W2', { syncType: 6 });
const UPSERT = web('messages.upsert', 'W3', { type: 'notify' });
/** What the phone sends again, and what Meta says of the same message. */
const WEBHOOK = live('W2', 0);
const LOG = [
  history([old('H1', -900)], { progress: 100 }),
  echo('O1', 9),
  FIRST_SYNC,
  ON_DEMAND,
  UPSERT,
  WEBHOOK,
];

async function shop(store: Store): Promise<void> {
  await addConnection(store, { phoneNumberId: '800000000000001' });
  await linkDevice(store);
}

async function differing(store: Store): Promise<number | undefined> {
  return (await runCheck(store, 'raw_log')).result.found;
}

function sources(store: Store): Promise<Record<string, unknown>[]> {
  return select(store, `select external_id, sync_source from messages order by external_id`);
}

describeOnServer('how a message came in', (backend) => {
  it('is right after every order and every part of a log', async () => {
    const store = await backend.open();
    await shop(store);
    let wanted: unknown = null;
    for (const order of ordersOf(LOG.length).slice(0, 4)) {
      for (const at of order) {
        await replayBodies(store, [LOG[at]], { connection: 'loja', register: false });
        expect(await differing(store)).toBe(0);
      }
      wanted ??= await sources(store);
      expect(await sources(store)).toEqual(wanted);
      await store.sql.execute('delete from messages');
      await store.sql.execute('delete from webhook_log');
    }
  });

  it('is told by every command where somebody lowered it, and comes back', async () => {
    const store = await backend.open();
    await shop(store);
    await replayBodies(store, LOG, { connection: 'loja', register: false });
    await night(store, { apply: true });
    const wanted = await sources(store);
    await store.sql.execute(`update messages set sync_source = 'manual_sync'`);
    // All but the message that the phone alone was asked for, which is right.
    const lowered = wanted.filter((row) => row['sync_source'] === 'webhook').length;
    expect(await differing(store)).toBe(lowered);
    const { findings } = await ask(store, wamid('O1'));
    expect(findings).toMatchObject([{ outcome: 'different' }]);
    expect(await night(store, { apply: true })).toMatchObject({ restored: { messages: lowered } });
    expect(await sources(store)).toEqual(wanted);
    expect(await differing(store)).toBe(0);
  });

  it('of what a linked device sent is right before a replay of it and after', async () => {
    const store = await backend.open();
    await shop(store);
    await replayBodies(store, [live('hello', 0)], { register: false });
    const chat = {
      id: CHAT,
      messages: ['old1', 'hello'].map((id) => archived({ chat: CHAT, id, at: T0 - 500 })),
    };
    await importOf(store, fakePhones(phoneWith(chat)));
    const wanted = await sources(store);
    expect(wanted).toContainEqual({ external_id: 'old1', sync_source: 'manual_sync' });
    expect(await differing(store)).toBe(0);
    await store.sql.execute(`update messages set sync_source = 'batch_recover'`);
    expect(await differing(store)).toBe(2);
    await night(store, { apply: true });
    expect(await sources(store)).toEqual(wanted);
    await night(store, { full: true });
    expect(await differing(store)).toBe(0);
  });
});
