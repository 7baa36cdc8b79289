import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES } from '../../src/commands/dedupe/result.js';
import { undo } from '../../src/commands/undo/undo.js';
import type { VerifiedItem } from '../../src/commands/verify/types.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { backUp, restoreInto, withStore } from '../support/backups.js';
import { runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { dropUniqueIndexes } from '../support/damage.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { createEmptier } from '../support/empty-database.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies, testContext, type TestOptions } from '../support/replaying.js';
import { value } from '../support/shown.js';
import {
  ANA,
  ANA_LID,
  BRU,
  FIRST,
  history,
  live,
  old,
  wamid,
  webEvent,
  webLive,
  webMessage,
} from '../support/webhooks.js';
import { tries } from '../support/seed.js';

const GROUP = '120363000000000001@g.us';
const GROUPS: TestOptions = { include: new Set(['group'] as const) };
const inGroup = { remoteJid: GROUP, participant: `${ANA}@s.whatsapp.net` };

/** Copies of one message in several entries, groups alone and beside others, a chunk, and a person known by two names. */
const LOG = [
  live('A', 0),
  live('B', 10, { from: BRU, id: wamid('B', BRU) }),
  live('G', 20, { group_id: GROUP }),
  webEvent('messages.upsert', {
    messages: [
      webMessage('M1', 30),
      webMessage('M2', 31, {}, inGroup),
      webMessage('M3', 32),
      webMessage('M4', 33, {}, inGroup),
    ],
    type: 'notify',
  }),
  history([old('A', 0), old('H1', -900), old('H2', -800), old('M1', 30)], { progress: 100 }),
  webLive('T', 40, {}, { remoteJid: ANA_LID }),
  live('T', 40),
  webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` }),
];

/** The items of what says that a message is gone. */
async function losses(store: Store): Promise<VerifiedItem[]> {
  const { items } = await runCheck(store, 'raw_bodies');
  return items;
}

async function isMissed(store: Store): Promise<boolean> {
  const { result } = await runCheck(store, 'raw_log');
  return result.missing !== undefined && result.missing > 0 ? true : (await losses(store)).length > 0;
}

async function merge(store: Store): Promise<string | null> {
  const { runId } = await dedupe(testContext(store), {
    classes: new Set(DUPLICATE_CLASSES),
    apply: true,
    force: true,
    batchSize: 2,
    recordedOptions: {},
  });
  return runId;
}

function takeBack(store: Store, run: string, force = false): Promise<unknown> {
  return undo(testContext(store), { run, force, dryRun: false, recordedOptions: {} });
}

/** A copy of a message, as another program makes it: identical, under its key id, or without an id. */
function copyOf(store: Store, externalId: string, as: (typeof COPIES)[number] = 'same'): Promise<number> {
  const id = { same: 'external_id', key: 'coalesce(stanza_id, external_id)', blank: `''` }[as];
  return store.sql.execute(
    `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', ${id}))).*
     from messages m where external_id = $1 limit 1`,
    [externalId],
  );
}

const COPIES = ['same', 'key', 'blank'] as const;

const withoutIndex = (store: Store): Promise<void> => dropUniqueIndexes(store, ['same_id']);

/** A message goes, with all its copies. */
const lose = (store: Store, id: string): Promise<number> =>
  store.sql.execute(
    `delete from messages where external_id = $1
       or coalesce(stanza_id, external_id) in (select coalesce(stanza_id, external_id) from messages where external_id = $1)`,
    [id],
  );

async function idsOf(store: Store): Promise<string[]> {
  const ids = await value(
    store,
    `select json_agg(distinct external_id) from messages where external_id <> ''`,
  );
  return Array.isArray(ids) ? ids.map(String).sort() : [];
}

const step = fc.oneof(
  fc.record({
    what: fc.constant('replay' as const),
    from: fc.nat(LOG.length - 1),
    to: fc.nat(LOG.length),
    groups: fc.boolean(),
    batchSize: fc.constantFrom(1, 2, 1000),
  }),
  fc.record({ what: fc.constant('copy' as const), at: fc.nat(20), as: fc.constantFrom(...COPIES) }),
  fc.record({ what: fc.constant('merge' as const) }),
  fc.record({ what: fc.constant('undo' as const), force: fc.boolean() }),
  fc.record({ what: fc.constant('prune' as const) }),
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function take(store: Store, one: Step, runs: string[]): Promise<void> {
  switch (one.what) {
    case 'replay': {
      const bodies = LOG.slice(Math.min(one.from, one.to), Math.max(one.from, one.to) + 1);
      await replayBodies(store, bodies, { ...(one.groups ? GROUPS : {}), batchSize: one.batchSize });
      return;
    }
    case 'copy': {
      const ids = await idsOf(store);
      await copyOf(store, ids[one.at % Math.max(1, ids.length)] ?? '', one.as);
      return;
    }
    case 'merge': {
      const run = await merge(store);
      if (run !== null) runs.push(run);
      return;
    }
    case 'undo': {
      const run = runs.pop();
      // It may be refused: something else has changed since.
      if (run !== undefined) await takeBack(store, run, one.force).catch(() => null);
      return;
    }
    case 'prune':
      await pruned(store, EVERYTHING);
  }
}

describeOnBackends('the number of messages that a pruned entry keeps', (backend) => {
  it('tells after any commands that a message is gone, and nothing else', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    onTestFinished(() => store.close());
    const empty = await createEmptier(store);
    await withoutIndex(store);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(LOG.length),
        fc.boolean(),
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.nat(20),
        async (first, groups, steps, at) => {
          await empty();
          await addConnection(store, { phoneNumberId: FIRST.id });
          await replayBodies(store, LOG.slice(0, first + 1), groups ? GROUPS : {});
          await pruned(store, EVERYTHING);
          const runs: string[] = [];
          for (const one of steps) await take(store, one, runs);
          expect(await losses(store)).toEqual([]);
          const ids = await idsOf(store);
          const gone = ids[at % ids.length] ?? '';
          await lose(store, gone);
          expect([gone, await isMissed(store)]).toEqual([gone, true]);
          // The file brings it back, and then nothing is missed any more.
          await replayBodies(store, LOG, GROUPS);
          expect(await losses(store)).toEqual([]);
        },
      ),
      { numRuns: backend.name === 'postgresql' ? tries(60) : 15 },
    );
  }, 300_000);

  it('counts what a later run brings in of a pruned entry, in one batch or in slices', async () => {
    for (const batchSize of [1000, 1]) {
      const store = await backend.open();
      await addConnection(store, { phoneNumberId: FIRST.id });
      await replayBodies(store, LOG);
      await pruned(store, EVERYTHING);
      expect((await replayBodies(store, LOG, { ...GROUPS, batchSize })).messages.created).toBe(3);
      for (const id of ['M2', wamid('G'), 'M4']) {
        expect(await losses(store)).toEqual([]);
        await lose(store, id);
        expect(await losses(store)).toHaveLength(1);
        // Without the groups it stays missed.
        await replayBodies(store, LOG, { batchSize });
        expect(await losses(store)).toHaveLength(1);
        await replayBodies(store, LOG, { ...GROUPS, batchSize });
      }
    }
  });

  backend.once(
    'is that of the messages, not of the rows: a copy, its merge and their undo change nothing',
    async () => {
      const store = await backend.open(withoutIndex);
      await addConnection(store, { phoneNumberId: FIRST.id });
      await replayBodies(store, [LOG[0]]);
      await pruned(store, EVERYTHING);
      const number = (): Promise<unknown> => value(store, 'select body_messages from webhook_log');
      for (const as of COPIES) {
        await copyOf(store, wamid('A'), as);
        for (const force of [false, true]) {
          const run = await merge(store);
          expect([as, await number(), await idsOf(store)]).toEqual([as, 1, [wamid('A')]]);
          await takeBack(store, run ?? '', force);
          expect([as, await number(), await value(store, 'select count(*)::int from messages')]).toEqual([
            as,
            1,
            2,
          ]);
        }
        await merge(store);
      }
      await lose(store, wamid('A'));
      expect(await losses(store)).toHaveLength(1);
    },
  );

  it.each([
    ['with the unique index', ['key', 'blank'], undefined],
    ['without it', COPIES, withoutIndex],
  ] as const)(
    'does not take a second row of one message for another one that is gone, %s',
    async (_, copies, prepare) => {
      for (const as of copies) {
        const store = await backend.open(prepare);
        await addConnection(store, { phoneNumberId: FIRST.id });
        await replayBodies(store, [history([old('A', 0), old('B', 10), old('C', 20)], { progress: 100 })]);
        await pruned(store, EVERYTHING);
        expect(await copyOf(store, wamid('A'), as)).toBe(1);
        expect([as, await losses(store)]).toEqual([as, []]);
        expect(await store.sql.execute('delete from messages where external_id = $1', [wamid('B')])).toBe(1);
        const missed = [{ detail: expect.stringContaining('1 message that came from it is gone') as string }];
        expect([as, await losses(store)]).toMatchObject([as, missed]);
        await merge(store);
        expect([as, await losses(store)]).toMatchObject([as, missed]);
        await store.close();
      }
    },
  );

  backend.once(
    'does not miss a message that another entry has brought back, once its own file has come again',
    async () => {
      const store = await backend.open();
      await addConnection(store, { phoneNumberId: FIRST.id });
      await replayBodies(store, [live('A', 0)]);
      await pruned(store, EVERYTHING);
      await lose(store, wamid('A'));
      await replayBodies(store, [history([old('A', 0)], { progress: 100 })]);
      await replayBodies(store, [live('A', 0)]);
      expect(await losses(store)).toEqual([]);
      await lose(store, wamid('A'));
      expect(await isMissed(store)).toBe(true);
    },
  );

  backend.once('follows a merge of leads and its undo, and goes with a backup', async () => {
    const store = await backend.open();
    await addConnection(store, { phoneNumberId: FIRST.id });
    await replayBodies(store, LOG, GROUPS);
    await pruned(store, EVERYTHING);
    await replayBodies(store, LOG, GROUPS);
    expect(await losses(store)).toEqual([]);
    const { bytes } = await backUp(store);
    const config = await backend.emptyConfig();
    await restoreInto(config, bytes);
    await withStore(config, async (copy) => {
      expect(await losses(copy)).toEqual([]);
      await lose(copy, 'M4');
      expect(await losses(copy)).toHaveLength(1);
    });
  });
});
