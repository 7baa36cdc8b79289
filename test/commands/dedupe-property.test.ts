import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES, type DedupeResult } from '../../src/commands/dedupe/result.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { dropUniqueIndexes, insertConversation, insertLead, insertLookAlikes } from '../support/damage.js';
import { describeOnServer, TEST_OPTIONS, type TestBackend } from '../support/databases.js';
import { createEmptier } from '../support/empty-database.js';
import { normalizedDatabase } from '../support/normalized.js';
import { inflict, someDamage, type Damage } from '../support/random-damage.js';
import { metaLog, mixedLog, WEB_CONNECTION } from '../support/random-log.js';
import { addConnection } from '../support/connections.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { tries } from '../support/seed.js';

describeOnServer('merging random duplicates', (backend) => {
  const runs = { numRuns: tries(25) };
  const batchSize = fc.constantFrom(1, 2, 3, 5, 1000);

  it('of Meta webhooks gives back what was there, in batches of any size; neither a second time nor a replay of the log has anything to do', async () => {
    const database = await useDatabase(backend);
    await fc.assert(
      fc.asyncProperty(metaLog, someDamage, batchSize, (log, damages, size) =>
        givesBack(database, log, damages, size),
      ),
      runs,
    );
  }, 300_000);

  it('M10: of webhooks and WhatsApp Web events of one number gives back what was there', async () => {
    const database = await useDatabase(backend);
    await fc.assert(
      fc.asyncProperty(mixedLog, someDamage, batchSize, (log, damages, size) =>
        givesBack(database, log, damages, size),
      ),
      runs,
    );
  }, 300_000);
});

interface Database {
  store: Store;
  empty: () => Promise<void>;
}

async function useDatabase(backend: TestBackend): Promise<Database> {
  const store = await openStore(await backend.config(), TEST_OPTIONS);
  onTestFinished(() => store.close());
  return { store, empty: await createEmptier(store) };
}

async function givesBack(
  { store, empty }: Database,
  log: readonly (object | string)[],
  damages: readonly Damage[],
  batchSize: number,
): Promise<void> {
  await empty();
  await store.sql.execute(
    `create unique index if not exists messages_connection_id_external_id_key on messages (connection_id, external_id)`,
  );
  await addConnection(store, WEB_CONNECTION);
  await replayBodies(store, log);
  await dropUniqueIndexes(store, ['same_id']);
  const bystanders = await insertBystanders(store);
  const before = await normalizedDatabase(store);
  const copies = await inflict(store, damages, bystanders);

  const plan = await run(store, { apply: false, batchSize });
  expect(rowsOf(plan)).toBe(copies);
  const applied = await run(store, { apply: true, batchSize });
  expect(rowsOf(applied)).toBe(copies);
  expect(await normalizedDatabase(store)).toEqual(before);
  // What was merged is what the log says: told once more, it says nothing new.
  const { messages } = await replayLog(store, { which: 'all' });
  expect([messages.created, messages.updated]).toEqual([0, 0]);
  const again = await run(store, { apply: true, batchSize });
  expect([rowsOf(again), again.changed]).toEqual([0, 0]);
  expect(await normalizedDatabase(store)).toEqual(before);
}

/** Messages that only look alike, of two people whom the log does not know. Gives their leads. */
async function insertBystanders(store: Store): Promise<string[]> {
  const [row] = await store.sql.query('select id from connections where name = $1', [WEB_CONNECTION.name]);
  const connection = String(row?.id);
  const [one, other] = [
    await insertLead(store, { phone_number: '+5511955550001', push_name: 'Um' }),
    await insertLead(store, { phone_number: '+5511955550002', push_name: 'Outro' }),
  ];
  await insertLookAlikes(
    store,
    await insertConversation(store, connection, one),
    await insertConversation(store, connection, other),
  );
  return [one, other];
}

function run(
  store: Store,
  { apply, batchSize }: { apply: boolean; batchSize: number },
): Promise<DedupeResult> {
  return dedupe(testContext(store), {
    classes: new Set(DUPLICATE_CLASSES),
    apply,
    batchSize,
    force: true,
    recordedOptions: {},
  });
}

function rowsOf({ classes }: DedupeResult): number {
  return classes.reduce((sum, { rows }) => sum + rows, 0);
}
