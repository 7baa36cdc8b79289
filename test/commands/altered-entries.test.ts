import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { live, status } from '../support/webhooks.js';

const LOG = [live('A1', 0), live('A2', 5), status('Z', 'delivered', 21)];

function verified(store: Store) {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
}

function entriesOf(store: Store) {
  return store.sql.query(
    `select id, encode(sha256, 'hex') as sha256, status, convert_from(raw_body, 'UTF8') as body from webhook_log order by id`,
  );
}

describeOnBackends('a raw entry whose hash was changed', (backend) => {
  for (const which of [`fields = '{messages}'`, `counters ? 'status'`]) {
    it(`gets it back from its file, and no second entry: ${which}`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const before = await entriesOf(store);
      await store.sql.execute(
        `update webhook_log set sha256 = sha256('x') where id = (select min(id::text)::uuid from webhook_log where ${which})`,
      );
      expect(await verified(store)).toMatchObject({ severity: 'loss' });
      for (let times = 0; times < 2; times += 1) {
        await replayBodies(store, LOG, { batchSize: 1 });
        expect(await entriesOf(store)).toEqual(before);
        expect(await verified(store)).toMatchObject({ severity: null });
      }
    });
  }
});
