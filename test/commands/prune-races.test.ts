import { expect, it } from 'vitest';
import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnBackends, describeOnServer, useBackend } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies } from '../support/replaying.js';
import { ANA, BRU, CAR, history, item, live, old, wamid, webhook } from '../support/webhooks.js';

/** Messages that two people wrote by turns, and at the end a third one's, a copy of one and the edit of another. */
const LOG = [
  ...Array.from({ length: 12 }, (_, n) => live(`K${n}`, n, { from: n % 2 === 0 ? ANA : BRU })),
  live('C1', 100, { from: CAR }),
  live('C2', 110, { from: CAR }),
  history([old('C1', 100, { from: CAR })], { progress: 100 }, { id: CAR }),
  live('C2-2', 120, {
    from: CAR,
    type: 'edit',
    text: undefined,
    edit: { original_message_id: wamid('C2', CAR), message: { type: 'text', text: { body: 'C2, edited' } } },
  }),
];

/** What another program does to the third one's messages, whose entries come last. */
const DAMAGES = {
  deleted: `delete from messages where body = 'C1'`,
  changed: `update messages set body = 'RACE' where body = 'C1'`,
  unlinked: `update messages set batch_id = null where body = 'C1'`,
  moved: `update messages m set conversation_id = o.id, lead_id = o.lead_id
    from (select c.id, c.lead_id from conversations c join messages k on k.conversation_id = c.id where k.body = 'K0') o where m.body = 'C1'`,
} as const;

/** A store that does something before its nth transaction that empties bodies, or inside of it, before the bodies are emptied. */
function watched(
  store: Store,
  at: { batch: number; before?: () => Promise<unknown>; inside?: () => Promise<unknown> },
): { store: Store; batches: () => number } {
  let batches = 0;
  return {
    batches: () => batches,
    store: {
      ...store,
      transaction: async (work, options) => {
        // Only these are tried again.
        if (options?.retries === undefined) return store.transaction(work, options);
        batches += 1;
        if (batches !== at.batch) return store.transaction(work, options);
        await at.before?.();
        return store.transaction(async (tx) => {
          const query: Sql['query'] = async (text, parameters) => {
            if (text.includes(`body_state = 'pruned'`)) await at.inside?.();
            return tx.query(text, parameters);
          };
          return work({ ...tx, query });
        }, options);
      },
    },
  };
}

const SMALL = { batchSize: 2, together: 5 };
const DEFAULT = { batchSize: 10_000, together: 250_000 };
/** Where the entries of the damage are still to be emptied: before the first batch, amid the others, before the last ones. */
const PLACES = [
  [SMALL, 1],
  [SMALL, 3],
  [SMALL, 6],
  [{ batchSize: 2, together: 250_000 }, 4],
  [{ batchSize: 1, together: 250_000 }, 13],
  [DEFAULT, 1],
] as const;

async function emptied(store: Store): Promise<number> {
  return (await store.sql.query(`select from webhook_log where body_state = 'pruned'`)).length;
}

describeOnBackends('retention beside another program', (backend) => {
  it.each(backend.onServer(Object.entries(DAMAGES)))(
    'keeps what is needed to mend a message that is %s between two batches, at whichever',
    async (how, damage) => {
      for (const [sizes, batch] of PLACES) {
        const place = JSON.stringify([how, sizes, batch]);
        const store = await backend.open();
        await replayBodies(store, LOG);
        const before = await normalizedDatabase(store);
        const racing = watched(store, {
          batch,
          before: async () => {
            expect(await store.sql.execute(damage), place).toBe(1);
          },
        });
        const { entries } = await pruned(
          racing.store,
          { ...EVERYTHING, batchSize: sizes.batchSize },
          sizes.together,
        );
        expect(racing.batches(), place).toBeGreaterThanOrEqual(batch);
        expect(entries.kept, place).toBeGreaterThan(0);
        expect(entries.kept + entries.pruned, place).toBe(LOG.length);
        expect(await emptied(store), place).toBe(entries.pruned);
        await night(store, { full: true, apply: true });
        expect((await normalizedDatabase(store))['messages'], place).toEqual(before['messages']);
        expect(await findingsBeside(store), place).toEqual([]);
        await store.close();
      }
    },
    120_000,
  );

  backend.once('empties everything where somebody writes what is there already, at any moment', async () => {
    const places = PLACES.filter((_, at) => at % 2 === 1);
    for (const [sizes, batch] of backend.some(places, () => 'place')) {
      const place = JSON.stringify([sizes, batch]);
      const store = await backend.open();
      await replayBodies(store, LOG);
      const racing = watched(store, {
        batch,
        before: async () => {
          expect(await store.sql.execute('update messages set body = body'), place).toBe(14);
          await store.sql.execute(`update messages set body = 'for a moment' where body = 'K5'`);
          await store.sql.execute(`update messages set body = 'K5' where body = 'for a moment'`);
        },
      });
      const { entries } = await pruned(
        racing.store,
        { ...EVERYTHING, batchSize: sizes.batchSize },
        sizes.together,
      );
      expect(racing.batches(), place).toBeGreaterThanOrEqual(batch);
      expect(entries, place).toMatchObject({ pruned: LOG.length, kept: 0 });
      expect(await findingsBeside(store), place).toEqual([]);
      await store.close();
    }
  });

  it.each(backend.some(Object.entries(DAMAGES), () => 'damage'))(
    'keeps only what is about a message that is %s while all others are written as they are',
    async (_, damage) => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const racing = watched(store, {
        batch: 1,
        before: async () => {
          await store.sql.execute('update messages set body = body');
          await store.sql.execute(damage);
        },
      });
      const { entries } = await pruned(racing.store, { ...EVERYTHING, batchSize: 2 }, 250_000);
      expect(entries).toMatchObject({ pruned: 12, kept: 4 });
    },
  );

  backend.once('does not keep what is about others', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const racing = watched(store, { batch: 1, before: () => store.sql.execute(DAMAGES.deleted) });
    const { entries } = await pruned(racing.store, { ...EVERYTHING, batchSize: 2 }, 250_000);
    expect(entries).toMatchObject({ pruned: 12, kept: 4 });
  });
});

const PICTURE = {
  type: 'image',
  text: undefined,
  image: { id: 'M1', mime_type: 'image/jpeg', caption: 'pier' },
};
/** A message that names an entry which has its place only; what it shows stands in a second one. */
const IN_TWO = [
  ...LOG.slice(0, 4),
  history([old('P1', 200, { type: 'media_placeholder', text: undefined })], { progress: 100 }),
  ...LOG.slice(4, 8),
  webhook('history', { messages: [item('P1', 200, PICTURE)] }),
  live('C9', 300, { from: CAR }),
];

describeOnServer(
  'retention of a message whose content is in another entry than the one that it names',
  (backend) => {
    const places = [
      [{ batchSize: 2, together: 3 }, 1],
      [{ batchSize: 1, together: 250_000 }, 1],
      [{ batchSize: 1, together: 250_000 }, 5],
      [DEFAULT, 1],
    ] as const;
    it.each(places)('keeps both when the message changes meanwhile: %j, batch %i', async (sizes, batch) => {
      const store = await backend.open();
      await replayBodies(store, IN_TWO);
      const before = await normalizedDatabase(store);
      const racing = watched(store, {
        batch,
        before: async () => {
          expect(await store.sql.execute(`update messages set body = 'RACE' where type = 'image'`)).toBe(1);
        },
      });
      const { entries } = await pruned(
        racing.store,
        { ...EVERYTHING, batchSize: sizes.batchSize },
        sizes.together,
      );
      expect(entries.pruned).toBeGreaterThan(0);
      expect(await findingsBeside(store)).toEqual([expect.stringContaining('raw_log')]);
      await night(store, { full: true, apply: true });
      expect((await normalizedDatabase(store))['messages']).toEqual(before['messages']);
      expect(await findingsBeside(store)).toEqual([]);
    });
  },
);

const postgresql = useBackend('postgresql');

it('waits for no writer that has not committed, and keeps its entries', async () => {
  const store = await postgresql.open();
  await replayBodies(store, LOG);
  const before = await normalizedDatabase(store);
  await store.transaction(async (tx) => {
    await tx.execute(DAMAGES.deleted);
    const { entries } = await pruned(store, { ...EVERYTHING, batchSize: 2 });
    expect(entries).toMatchObject({ pruned: 12, kept: 4 });
  });
  await night(store, { full: true, apply: true });
  expect((await normalizedDatabase(store))['messages']).toEqual(before['messages']);
});

it('lets nobody write a message between the question and the commit that empties its entry', async () => {
  const store = await postgresql.open();
  await replayBodies(store, LOG);
  const refused: unknown[] = [];
  const racing = watched(store, {
    batch: 1,
    inside: async () => {
      const write = store.transaction(async (tx) => {
        await tx.execute(`set local lock_timeout = '100ms'`);
        await tx.execute(DAMAGES.deleted);
      });
      await write.catch((error: unknown) => refused.push(error));
    },
  });
  const { entries } = await pruned(racing.store, { ...EVERYTHING, batchSize: 10_000 }, 250_000);
  expect(refused).toHaveLength(1);
  expect(entries).toMatchObject({ pruned: 16, kept: 0 });
  expect(await findingsBeside(store)).toEqual([]);
});
