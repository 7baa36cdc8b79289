import { expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import { DUPLICATE_CLASSES } from '../../src/commands/dedupe/result.js';
import type { Store } from '../../src/store/store.js';
import { dropUniqueIndexes, restoreUniqueIndexes } from '../support/damage.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { BRU, echo, history, live, old, status } from '../support/webhooks.js';

const LOG = [
  history([old('H1', -900), old('H2', -800)], { progress: 100 }),
  live('A1', 0),
  live('A2', 5),
  live('B1', 9, { from: BRU }),
  echo('A3', 12),
  status('A3', 'delivered', 15),
];

/** Empty, made before or after hers by its id. */
const SECOND = {
  earlier: '00000000-0000-7000-8000-0000000000c2',
  later: 'ffffffff-0000-7000-8000-0000000000c2',
};

async function addSecond(store: Store, which: keyof typeof SECOND): Promise<void> {
  await dropUniqueIndexes(store, ['conversation']);
  await store.sql.execute(
    `insert into conversations (id, connection_id, lead_id)
     select $1::uuid, connection_id, lead_id from messages where body = 'A1'`,
    [SECOND[which]],
  );
}

const MENDS: Record<string, (store: Store) => Promise<unknown>> = {
  'replay --all': (store) => replayLog(store, { which: 'all' }),
  'replay FILE': (store) => replayBodies(store, LOG),
  'reconcile --full': (store) => night(store, { apply: true, register: true, full: true }),
};

describeOnServer('a second, empty conversation of a lead', (backend) => {
  const cases = (['earlier', 'later'] as const).flatMap((which) =>
    Object.entries(MENDS).map(([command, mend]) => ({ which, command, mend })),
  );
  for (const { which, command, mend } of cases) {
    it(`(${which}) takes no message from the lead in ${command}, and is merged`, async () => {
      const store = await backend.open(restoreUniqueIndexes);
      await replayBodies(store, LOG);
      await addSecond(store, which);
      await mend(store);
      expect(await store.sql.query('select from rejects')).toHaveLength(0);
      const conversations = 'select distinct conversation_id from messages';
      expect(await store.sql.query(conversations)).toHaveLength(2);
      // What is new goes to the conversation that stays.
      await replayBodies(store, [live('A4', 20)]);
      expect(await store.sql.query(conversations)).toHaveLength(2);

      await dedupe(testContext(store), {
        classes: new Set(DUPLICATE_CLASSES),
        apply: true,
        batchSize: 1000,
        force: false,
        recordedOptions: {},
      });
      await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: true });
      const clean = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
      expect(clean.checks.filter(({ status }) => status === 'findings')).toEqual([]);
      expect(await store.sql.query('select from conversations')).toHaveLength(2);
    });
  }
});
