import { expect, it } from 'vitest';
import { erase } from '../../src/commands/erase/erase.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { tracesIn } from '../support/database-dump.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { transcript, value } from '../support/shown.js';
import {
  ANA,
  ANA_BSUID,
  BRU,
  CAR,
  SECOND,
  item,
  live,
  liveFrom,
  wamid,
  webhook,
} from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const UNFINISHED = 'raw_bodies: 1 erasure is unfinished, and the same command ends it';

/** Tells that the BSUID is hers. */
const LINK = webhook('messages', {
  statuses: [
    {
      id: 'wamid.OUT',
      status: 'read',
      timestamp: '1758000040',
      recipient_id: ANA,
      recipient_user_id: ANA_BSUID,
    },
  ],
});
const hers = (key: string): JsonObject =>
  item(key, 30, {
    from: undefined,
    from_user_id: ANA_BSUID,
    id: `wamid.${key}`,
    text: { body: `secret of ${key}` },
  });
/** What waits for its connection: of her alone, and with somebody else beside. */
const ALONE = webhook('messages', { messages: [hers('E1')] }, SECOND);
const BESIDE = webhook('messages', { messages: [hers('E1'), item('C1', 31, { from: CAR })] }, SECOND);
const HERS = [ANA, 'Ana Maria', ANA_BSUID, 'secret of'];

const eraseAna = (store: Store) =>
  erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 9 });
const becomesKnown = (store: Store) =>
  addConnection(store, { name: 'second', number: SECOND.number, phoneNumberId: SECOND.id });

const THIRD = 'another entry that names its connection';

/** How the entry that waited comes to be applied. */
const WAYS: Readonly<Record<string, (store: Store, entry: JsonObject) => Promise<unknown>>> = {
  'its file with --register': (store, entry) => replayBodies(store, [entry], KEYED),
  'its file twice in one run': (store, entry) => replayBodies(store, [entry, entry], KEYED),
  'its connection and its file': async (store, entry) => {
    await becomesKnown(store);
    await replayBodies(store, [entry], { ...KEYED, register: false });
  },
  'its connection and a replay': async (store) => {
    await becomesKnown(store);
    await replayLog(store, { which: 'pending' }, KEYED);
  },
  'a replay of everything with --register': (store) => replayLog(store, { which: 'all' }, KEYED),
  'its connection and a night': async (store) => {
    await becomesKnown(store);
    await night(store, { apply: true, ...KEYED });
  },
  'a night with --register': (store) => night(store, { register: true, ...KEYED }),
  [THIRD]: (store) => replayBodies(store, [live('B9', 90, { from: BRU }, SECOND)], KEYED),
};

describeOnBackends('F2: an entry that waited for its connection when its person was erased', (backend) => {
  async function erased(): Promise<Store> {
    const store = await backend.open();
    await replayBodies(store, [liveFrom('Ana Maria', 'A0', -10), live('B0', 0, { from: BRU })]);
    await eraseAna(store);
    return store;
  }
  const waits = (store: Store, ...entries: JsonObject[]) =>
    replayBodies(store, entries, { ...KEYED, register: false });

  const cases = Object.keys(WAYS).flatMap((way) =>
    (['before', 'after'] as const).map((order) => [way, order] as const),
  );
  it.each(backend.onServer(cases))(
    'gives nothing of the person by %s, stored %s the name was known',
    async (way, order) => {
      for (const entry of [ALONE, BESIDE]) {
        const store = await erased();
        if (order === 'before') await waits(store, entry);
        await replayBodies(store, [LINK], KEYED);
        if (order === 'after') await waits(store, entry);
        await WAYS[way]?.(store, entry);
        const others = ['> B0', ...(entry === BESIDE ? ['> C1'] : []), ...(way === THIRD ? ['> B9'] : [])];
        const holds = async (): Promise<void> => {
          expect(await transcript(store)).toEqual(others);
          expect(await value(store, `select count(*)::int from tickets`)).toBe(others.length);
          expect(await value(store, `select count(*)::int from leads`)).toBe(entry === BESIDE ? 2 : 1);
          expect(await tracesIn(store, HERS, ANA)).toEqual([]);
        };
        const left = order === 'before' ? [UNFINISHED] : [];
        await holds();
        expect(await findingsBeside(store, ['history_ledger'])).toEqual(left);
        // Nothing that is done later, or advised, brings the person back.
        await replayBodies(store, [entry, LINK], KEYED);
        await replayLog(store, { which: 'all' }, KEYED);
        await night(store, { full: true, apply: true, ...KEYED });
        await holds();
        expect(await findingsBeside(store, ['history_ledger'])).toEqual(left);
        await eraseAna(store);
        await holds();
        expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
      }
    },
  );

  it('is applied by nobody without the key while the erasure is open', async () => {
    const store = await erased();
    await waits(store, BESIDE);
    await replayBodies(store, [LINK], KEYED);
    await becomesKnown(store);
    const refused = { code: 'secret_key_missing' };
    await expect(replayLog(store, { which: 'pending' })).rejects.toMatchObject(refused);
    await expect(replayLog(store, { which: 'all' }, { dryRun: true })).rejects.toMatchObject(refused);
    await expect(night(store, { apply: true })).rejects.toMatchObject(refused);
    await replayLog(store, { which: 'all' }, { dryRun: true, ...KEYED });
    expect(await transcript(store)).toEqual(['> B0']);
    await eraseAna(store);
    await night(store, { apply: true });
    expect(await transcript(store)).toEqual(['> B0', '> C1']);
    expect(await tracesIn(store, HERS, ANA)).toEqual([]);
  });

  const mends: [string, (store: Store, entry: JsonObject) => Promise<unknown>][] = [
    ['its file', (store, entry) => replayBodies(store, [entry], KEYED)],
    ['a replay of everything', (store) => replayLog(store, { which: 'all' }, KEYED)],
    ['a full night', (store) => night(store, { full: true, apply: true, ...KEYED })],
  ];
  it.each(backend.some(mends, () => 'again'))(
    'keeps the rows that were made before for the erasure, and none is lost: %s',
    async (_, again) => {
      const store = await erased();
      await becomesKnown(store);
      const { id: noId, ...rejected } = hers('E2');
      const { id: neither, ...other } = item('C2', 32, { from: CAR });
      expect([noId, neither]).not.toContain(undefined);
      const entry = webhook(
        'messages',
        {
          messages: [rejected, hers('E1'), other, item('C1', 31, { from: CAR })],
        },
        SECOND,
      );
      await replayBodies(store, [entry], KEYED);
      const rejects = () => store.sql.query(`select path from rejects order by path`);
      expect(await rejects()).toHaveLength(2);
      await replayBodies(store, [LINK], KEYED);
      for (let times = 0; times < 2; times += 1) {
        await again(store, entry);
        expect(
          await value(
            store,
            `select body_state from webhook_log where '${SECOND.id}' = any(phone_number_ids)`,
          ),
        ).toBe('redacted');
        expect(await value(store, `select count(*)::int from messages`)).toBe(3);
        expect(await rejects()).toEqual([{ path: expect.stringContaining('messages[0]') as string }]);
        expect(await findingsBeside(store, ['history_ledger', 'rejects', 'raw_entry'])).toEqual([UNFINISHED]);
      }
      await eraseAna(store);
      expect(await transcript(store)).toEqual(['> B0', '> C1']);
      expect(await tracesIn(store, HERS, ANA)).toEqual([]);
      expect(await findingsBeside(store, ['history_ledger', 'rejects', 'raw_entry'])).toEqual([]);
    },
  );

  backend.once('counts its items as those of an erased person, and no others wait', async () => {
    const store = await erased();
    const theirs = webhook(
      'messages',
      {
        messages: [item('A1', 30), item('C1', 31, { from: CAR })],
        statuses: [{ id: wamid('OUT'), status: 'read', timestamp: '1758000040', recipient_id: ANA }],
      },
      SECOND,
    );
    const alone = webhook('messages', { messages: [item('A2', 33)] }, SECOND);
    for (let times = 0; times < 2; times += 1) {
      const { messages, statuses, entries } = await waits(store, theirs, alone);
      expect(messages.skipped).toEqual({ erased: 2, unknown_connection: 1 });
      expect(statuses.skipped).toEqual({ erased: 1 });
      expect(entries).toMatchObject({ pending: 1, processed: 1 });
    }
    const { messages } = await replayBodies(store, [theirs, live('B9', 90, { from: BRU }, SECOND)], {
      ...KEYED,
      register: false,
    });
    expect(messages.skipped).toEqual({ erased: 1, unknown_connection: 2 });
    await becomesKnown(store);
    const applied = await replayLog(store, { which: 'pending' }, KEYED);
    expect(applied.messages).toMatchObject({ created: 2, skipped: {} });
    expect(await transcript(store)).toEqual(['> B0', '> C1', '> B9']);
  });
});
