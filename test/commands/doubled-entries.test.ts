import { expect, it } from 'vitest';
import { rawDiscard } from '../../src/commands/raw-discard/raw-discard.js';
import { CHECK_NAMES, type VerifyResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { live, status } from '../support/webhooks.js';

function verified(store: Store, enforce = false): Promise<VerifyResult> {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce });
}

function discarded(store: Store, entries: readonly string[]) {
  return rawDiscard(testContext(store), { entries, apply: true, recordedOptions: {} });
}

describeOnBackends('raw entries that are there twice, for want of the unique index', (backend) => {
  it('are taken out as verify advises, and then the index is made', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    try {
      await replayBodies(store, [live('A1', 0), live('A2', 5), status('A1', 'read', 9)]);
      await store.sql.execute('drop index webhook_log_connection_scope_sha256_key');
      await store.sql.execute(
        `insert into webhook_log select (jsonb_populate_record(w, jsonb_build_object('id', gen_random_uuid()))).* from webhook_log w`,
      );
      const advised = { command: 'raw discard', args: { length: 4 } };
      const { checks } = await verified(store);
      expect(checks.find(({ check }) => check === 'unique_index')).toMatchObject({ remedy: advised });
      const enforced = await verified(store, true);
      expect(enforced.enforced.filter(({ outcome }) => outcome === 'blocked')).toMatchObject([
        { remedy: advised },
      ]);
      const remedy = enforced.checks.find(({ check }) => check === 'unique_index')?.remedy;
      const copies = (remedy?.args ?? []).filter((arg) => arg.startsWith('log:'));

      // Of both rows of an entry, none: one has to stay.
      const both = (await store.sql.query('select id from webhook_log')).map(({ id }) => String(id));
      expect(both).toHaveLength(6);
      expect((await discarded(store, both)).entries).toMatchObject({ discarded: 0 });
      expect((await discarded(store, copies)).entries).toEqual({ chosen: 3, discarded: 3, kept: 0 });
      expect((await store.sql.query('select id from webhook_log')).length).toBe(3);

      await verified(store, true);
      expect(await verified(store)).toMatchObject({ severity: null, findings: 0 });
    } finally {
      await store.close();
    }
  });
});
