import { expect, it } from 'vitest';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { forgeCopy, restoreUniqueIndexes } from '../support/damage.js';
import { replayBodies } from '../support/replaying.js';
import { live, wamid } from '../support/webhooks.js';

/** As many that one double is not a tenth of them. */
const LOG = Array.from({ length: 60 }, (_, i) => live(`M${i}`, i * 60));

describeOnServer('a second row of a message, with another text', (backend) => {
  const cases = [true, false].flatMap((isCopy) => [true, false].map((full) => ({ isCopy, full })));
  for (const { isCopy, full } of cases)
    it(`is merged by a ${full ? 'full' : 'plain'} reconcile, with the text of the log (${isCopy ? 'the copy' : 'the row'} was changed)`, async () => {
      const store = await backend.open(restoreUniqueIndexes);
      await replayBodies(store, LOG);
      await night(store, { apply: true });
      const before = await normalizedDatabase(store);
      await forgeCopy(store, wamid('M2'), isCopy);
      expect((await night(store)).figures.lost).toBe(1);
      const { figures } = await night(store, { apply: true, full });
      expect(figures).toMatchObject({ merged: 1, doubled: 0, lost: 0, degraded: 1 });
      expect(await normalizedDatabase(store)).toEqual(before);
    });
});
