import { expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalisedDatabase } from '../support/normalised.js';
import { dropUniqueIndexes, restoreUniqueIndexes } from '../support/damage.js';
import { replayBodies } from '../support/replaying.js';
import { live, wamid } from '../support/webhooks.js';

/** As many that one double is not a tenth of them. */
const LOG = Array.from({ length: 60 }, (_, i) => live(`M${i}`, i * 60));

/** Copies a message under another row id and changes the copy, or the row itself. */
async function forge(store: Store, isCopy: boolean): Promise<void> {
  await dropUniqueIndexes(store, ['same_id']);
  await store.sql.execute(
    `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', 'ffffffff-0000-4000-8000-000000000001'))).*
     from messages m where external_id = $1`,
    [wamid('M2')],
  );
  const forged = await store.sql.execute(
    `update messages set body = 'forged' where external_id = $1 and (id::text like 'ffffffff%') = $2::boolean`,
    [wamid('M2'), isCopy],
  );
  expect(forged).toBe(1);
}

describeOnBackends('a second row of a message, with another text', (backend) => {
  for (const isCopy of [true, false])
    it(`is merged by a full reconcile, with the text of the log (${isCopy ? 'the copy' : 'the row'} was changed)`, async () => {
      const store = await backend.open(restoreUniqueIndexes);
      await replayBodies(store, LOG);
      await night(store, { apply: true });
      const before = await normalisedDatabase(store);
      await forge(store, isCopy);
      expect((await night(store)).figures.lost).toBe(1);
      const { figures } = await night(store, { apply: true, full: true });
      expect(figures).toMatchObject({ merged: 1, lost: 0, degraded: 1 });
      expect(await normalisedDatabase(store)).toEqual(before);
    });
});
