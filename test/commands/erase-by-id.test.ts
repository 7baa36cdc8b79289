import { expect, it } from 'vitest';
import { erase, planErase } from '../../src/commands/erase/erase.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { dumpOf, tracesIn } from '../support/database-dump.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import {
  ANA,
  ANA_BSUID,
  BRU,
  CAR,
  SECOND,
  item,
  live,
  liveFrom,
  seconds,
  wamid,
  webhook,
} from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const META_GROUP = 'Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD';
const BRU_BSUID = 'BR.22222208655302741922';
const HERS = [ANA, ANA_BSUID, 'Ana Maria', 'ana.maria', 'secret of'];

/** From her by the BSUID alone; only the id has the number. */
const byBsuid = (key: string, at: number, parts: Parameters<typeof item>[2] = {}): JsonObject =>
  item(key, at, {
    from: undefined,
    from_user_id: ANA_BSUID,
    id: wamid(key),
    text: { body: `secret of ${key}` },
    ...parts,
  });
const contacts = [{ profile: { name: 'Ana Maria', username: '@ana.maria' }, user_id: ANA_BSUID }];
const M1 = webhook('messages', { contacts, messages: [byBsuid('M1', 10)] });
/** By the number alone. */
const M2 = live('M2', 20, { text: { body: 'secret of M2' } });
const B1 = live('B1', 30, { from: BRU, text: { body: 'of Bru' } });

const eraseHer = (store: Store) =>
  erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 9 });

const rowsOfMessages = (store: Store): Promise<unknown> => value(store, `select count(*)::int from messages`);

/** Nothing is left of her, everything of Bru. */
async function expectGone(store: Store, messages = 1): Promise<void> {
  expect(await tracesIn(store, HERS, ANA)).toEqual([]);
  expect(await dumpOf(store)).toContain('of Bru');
  expect(await rowsOfMessages(store)).toBe(messages);
  expect(await findingsBeside(store, [])).toEqual([]);
}

/** What else is hers by the id of a message alone. */
const OTHERS: Readonly<Record<string, JsonObject>> = {
  'a message': M1,
  'an answer in the app': webhook('smb_message_echoes', {
    contacts,
    message_echoes: [
      byBsuid('M3', 11, { from: '5511900000000', from_user_id: undefined, to_user_id: ANA_BSUID }),
    ],
  }),
  'a receipt': webhook('messages', {
    contacts,
    statuses: [{ id: wamid('M4'), status: 'read', timestamp: seconds(40), recipient_user_id: ANA_BSUID }],
  }),
  'an edit': webhook('messages', {
    contacts,
    messages: [
      byBsuid('M5', 50, {
        id: 'wamid.M5',
        text: undefined,
        type: 'edit',
        edit: {
          original_message_id: wamid('M1'),
          message: { type: 'text', text: { body: 'secret of M5' } },
        },
      }),
    ],
  }),
  'a reaction': webhook('messages', {
    contacts,
    messages: [
      byBsuid('M6', 60, {
        id: 'wamid.M6',
        text: undefined,
        type: 'reaction',
        reaction: { message_id: wamid('M1'), emoji: '👍' },
      }),
    ],
  }),
};

describeOnServer('messages of an erased person that have the number in their ids alone', (backend) => {
  const logs: [string, JsonObject[]][] = [
    ['before those that name the number', [M1, M2, B1]],
    ['after them', [M2, B1, M1]],
    ['without any', [B1, M1]],
  ];
  it.each(logs)('go with the others: %s', async (_, bodies) => {
    const store = await backend.open();
    for (const body of bodies) await replayBodies(store, [body]);
    const plan = await planErase(testContext(store, KEYED), `+${ANA}`);
    expect(plan.identities.map(({ value }) => value)).toContain(ANA_BSUID);
    const { bodies: done } = await eraseHer(store);
    expect(plan.bodies).toEqual(done);
    expect(done?.others).toBe(0);
    await expectGone(store);
    await replayBodies(store, [...bodies, ...bodies.slice().reverse()], KEYED);
    await expectGone(store);
  });

  it.each(Object.entries(OTHERS))('are not stored when they come later: %s', async (_, body) => {
    const store = await backend.open();
    await replayBodies(store, [M2, B1]);
    await eraseHer(store);
    await replayBodies(store, [body], KEYED);
    expect(
      await value(
        store,
        `select counters -> 'skipped' ->> 'erased' is null and counters::text like '%"erased": 1%' from webhook_log order by id desc limit 1`,
      ),
    ).toBe(true);
    await expectGone(store);
    // The BSUID is known as hers from now on.
    const alone = webhook('messages', { messages: [byBsuid('M7', 70, { id: 'wamid.M7' })] });
    await replayBodies(store, [alone], KEYED);
    await expectGone(store);
  });

  it.each(Object.entries(OTHERS))('go if they came before: %s', async (_, body) => {
    const store = await backend.open();
    await replayBodies(store, [body, B1, M2]);
    await eraseHer(store);
    await expectGone(store);
  });

  it('leave what others have in the same body', async () => {
    const shared = webhook('messages', {
      contacts: [...contacts, { profile: { name: 'Bru' }, wa_id: BRU, user_id: BRU_BSUID }],
      messages: [
        byBsuid('M1', 10),
        item('B2', 11, { from: BRU, from_user_id: BRU_BSUID, text: { body: 'also of Bru' } }),
      ],
    });
    const before = await backend.open();
    await replayBodies(before, [shared, B1]);
    await eraseHer(before);
    const after = await backend.open();
    await replayBodies(after, [M2, B1]);
    await eraseHer(after);
    await replayBodies(after, [shared], KEYED);
    for (const store of [before, after]) {
      await expectGone(store, 2);
      expect(await value(store, `select count(*)::int from webhook_log where body_state = 'redacted'`)).toBe(
        1,
      );
      expect(await dumpOf(store)).toContain(BRU_BSUID);
    }
  });

  it('are found by their rows alone, with no name and no body', async () => {
    const store = await backend.open();
    await replayBodies(store, [M1, M2, B1]);
    await store.sql.execute(`delete from webhook_log where chat_ids && array['${ANA_BSUID}']`);
    await store.sql.execute(`delete from lead_identities where value = '${ANA_BSUID}'`);
    await eraseHer(store);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await rowsOfMessages(store)).toBe(1);
  });

  it('are found while they wait for their connection', async () => {
    const store = await backend.open();
    await replayBodies(store, [M2, B1]);
    const waits = webhook('messages', { contacts, messages: [byBsuid('M1', 10)] }, SECOND);
    await replayBodies(store, [waits], { register: false });
    await replayBodies(store, [
      webhook('messages', { contacts, messages: [byBsuid('M8', 80, { id: 'wamid.M8' })] }),
    ]);
    await eraseHer(store);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    await replayLog(store, { which: 'pending' });
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
    expect(await rowsOfMessages(store)).toBe(1);
  });

  it('take the person along whom the BSUID has another number of', async () => {
    const moved = webhook('messages', {
      contacts: [{ wa_id: CAR, user_id: ANA_BSUID }],
      messages: [item('M9', 90, { from: CAR, from_user_id: ANA_BSUID, text: { body: 'secret of M9' } })],
    });
    const store = await backend.open();
    await replayBodies(store, [M1, M2, B1, moved]);
    await eraseHer(store);
    await expectGone(store);
    expect(await tracesIn(store, [CAR], CAR)).toEqual([]);
  });

  it('are not those of somebody whose item names another number, or a group', async () => {
    const store = await backend.open();
    const strange = live('B3', 31, { from: BRU, id: wamid('B3'), text: { body: 'of Bru, too' } });
    const inGroup = webhook('messages', {
      messages: [
        item('B4', 32, {
          from: undefined,
          from_user_id: BRU_BSUID,
          group_id: META_GROUP,
          id: wamid('B4'),
          text: { body: 'of Bru in a group' },
        }),
      ],
    });
    await replayBodies(store, [M1, M2, B1, strange, inGroup], { include: new Set(['group'] as const) });
    await eraseHer(store);
    const dump = await dumpOf(store);
    for (const text of ['of Bru', 'of Bru, too', 'of Bru in a group']) expect(dump).toContain(text);
    expect(dump).not.toContain('secret of');
    await replayBodies(store, [live('B5', 33, { from: BRU })], KEYED);
    expect(await rowsOfMessages(store)).toBe(4);
  });

  it('do not make their number an erased one where only the BSUID was erased', async () => {
    const store = await backend.open();
    await replayBodies(store, [M1, liveFrom('Bru', 'B1', 30, { from: BRU })]);
    await erase(testContext(store, KEYED), { contact: ANA_BSUID, secretKey: SECRET, batchSize: 9 });
    await replayBodies(store, [M1, M2], KEYED);
    expect(await dumpOf(store)).toContain('secret of M2');
    expect(await dumpOf(store)).not.toContain('secret of M1');
    expect(await findingsBeside(store, [])).toEqual([]);
  });
});
