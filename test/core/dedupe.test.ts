import { beforeEach, expect, it } from 'vitest';
import { dedupe } from '../../src/core/dedupe/dedupe.js';
import type { DedupeOptions } from '../../src/core/dedupe/options.js';
import { DUPLICATE_CLASSES, type DedupeResult } from '../../src/core/dedupe/result.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import {
  copyMessage,
  copyWithoutId,
  damagedConnection,
  dropUniqueIndexes,
  dumpDatabase,
  insertConversation,
  insertLead,
  insertLookAlikes,
  insertMessage,
  insertTwins,
  type Thread,
} from '../support/damage.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { testContext } from '../support/replaying.js';
import { BRU } from '../support/webhooks.js';

function run(store: Store, options: Partial<DedupeOptions> = {}): Promise<DedupeResult> {
  return dedupe(testContext(store), {
    classes: new Set(DUPLICATE_CLASSES),
    apply: true,
    batchSize: 1000,
    force: true,
    recordedOptions: {},
    ...options,
  });
}

describeOnBackends('dedupe', (backend) => {
  let store: Store;
  let ana: Thread;
  let bru: Thread;

  beforeEach(async () => {
    store = await openStore(await backend.config(), TEST_OPTIONS);
    await dropUniqueIndexes(store);
    const connection = await damagedConnection(store);
    ana = await insertConversation(store, connection, await insertLead(store));
    bru = await insertConversation(store, connection, await insertLead(store, { phone_number: `+${BRU}` }));
    return () => store.close();
  });

  it('merges doubles of every class, leaves look-alikes alone, and has nothing to do the second time', async () => {
    const lookAlikes = await insertLookAlikes(store, ana, bru);
    const first = await insertMessage(store, ana, 'A', 0);
    await copyMessage(store, first, { status: 'read' });
    const twins = await insertTwins(store, ana, 'B', 10);
    const third = await insertMessage(store, ana, 'C', 20);
    await copyWithoutId(store, third, ' ');
    const before = await dumpDatabase(store);
    const plan = await run(store, { apply: false });
    expect(plan.classes.map(({ class: name, groups, rows }) => [name, groups, rows])).toEqual(
      DUPLICATE_CLASSES.map((name) =>
        name === 'lead' || name === 'conversation' ? [name, 0, 0] : [name, 1, 1],
      ),
    );
    expect(await dumpDatabase(store)).toEqual(before);
    const applied = await run(store);
    expect(applied.classes.map(({ rows }) => rows)).toEqual(plan.classes.map(({ rows }) => rows));
    const rows = await store.sql.query('select id::text as id from messages');
    expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining([...lookAlikes, twins.wamid, third]));
    expect(rows).toHaveLength(lookAlikes.length + 3);
    const again = await run(store);
    expect(again.classes.every(({ rows: gone }) => gone === 0)).toBe(true);
  });
});
