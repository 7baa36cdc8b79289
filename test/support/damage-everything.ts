import type { Store } from '../../src/store/store.js';
import {
  copyMessage,
  copyWithoutId,
  damagedConnection,
  fillThread,
  insertConversation,
  insertLead,
  insertLookAlikes,
  insertMessage,
  insertRow,
  insertTicket,
  insertTwins,
  moment,
  type Thread,
} from './damage.js';
import { BRU, wamid } from './webhooks.js';

/**
 * Doubles of every class, with what hangs on them, among look-alikes: a database as a dump of another program's may restore
 * it. The unique indexes are gone already. Gives the ids of the look-alikes.
 */
export async function damageEverything(store: Store, messages = 300): Promise<string[]> {
  const connectionId = await damagedConnection(store);
  const ana = await insertConversation(store, connectionId, await insertLead(store));
  const bru = await insertConversation(
    store,
    connectionId,
    await insertLead(store, { phone_number: `+${BRU}`, push_name: 'Bru', first_seen_at: moment(10) }),
  );
  await fillThread(store, ana, messages);
  const original = await insertMessage(store, ana, 'A1', 0);
  await insertMessage(store, ana, 'A2', 5, { context_external_id: wamid('A1') });
  await copyMessage(store, original, { status: 'read', raw_meta: { from: 'elsewhere' } });
  await copyWithoutId(store, original, '');
  await copyWithoutId(store, await insertMessage(store, bru, 'B1', 7));
  await insertTicket(store, ana, wamid('A1'), 0);
  await insertRow(store, 'message_revisions', {
    message_id: original,
    version: 'e1',
    type: 'text',
    body: 'old',
    at: moment(2),
    created_at: moment(2),
  });
  await insertTwins(store, ana, 'T1', 700, { web: { status: 'read' } });
  for (const target of ['T1', wamid('A1')]) await insertReaction(store, ana, target);
  await insertSecondConversation(store, ana);
  await insertSecondLead(store, connectionId);
  return insertLookAlikes(store, ana, bru);
}

async function insertSecondConversation(store: Store, { connectionId, leadId }: Thread): Promise<void> {
  const second = await insertConversation(store, connectionId, leadId);
  await insertMessage(store, second, 'A1', 0);
  await insertTicket(store, second, wamid('A1'), 0);
}

/** The same person by two spellings of a phone, each with a copy of one message. */
async function insertSecondLead(store: Store, connectionId: string): Promise<void> {
  const people = [
    { phone_number: '+5511987654321', first_seen_at: moment(50) },
    { phone_number: '+551187654321', first_seen_at: moment(60), identities: false },
  ];
  for (const [n, fields] of people.entries()) {
    const thread = await insertConversation(store, connectionId, await insertLead(store, fields));
    const id = n === 0 ? wamid('D1') : 'D1';
    await insertMessage(store, thread, 'D1', 50 + n, { external_id: id });
    await insertTicket(store, thread, id, 50 + n);
  }
}

async function insertReaction(store: Store, { connectionId }: Thread, target: string): Promise<void> {
  await insertRow(store, 'message_reactions', {
    connection_id: connectionId,
    target_external_id: target,
    reactor: 'customer',
    emoji: '👍',
    at: moment(800),
    created_at: moment(800),
  });
}
