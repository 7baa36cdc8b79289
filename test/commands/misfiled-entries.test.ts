import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { typed } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { addressBook, ANA, BRU, history, live, old, status } from '../support/webhooks.js';

const LOG = [
  history([old('H1', -900)], { progress: 100 }),
  live('A1', 0),
  live('B1', 9, { from: BRU }),
  // An entry without a message.
  addressBook('add', { phone_number: ANA, full_name: 'Ana' }, 5),
  status('A1', 'read', 15),
];

/** What another program makes of the columns by which an entry is found. */
const DAMAGES = {
  'another number': `phone_number_ids = '{999}'`,
  'no number': `phone_number_ids = '{}'`,
  'another contact': `chat_ids = '{+5531999998888}'`,
  'one contact more': `chat_ids = chat_ids || '{+5531999998888}'`,
  'another field': `fields = '{statuses}'`,
  'another sender': `provider = 'baileys'`,
};

const MENDS: Record<string, (store: Store) => Promise<unknown>> = {
  'replay --all': (store) => replayLog(store, { which: 'all' }),
  reconcile: (store) => night(store),
  'reconcile --apply --full': (store) => night(store, { apply: true, full: true }),
};

function filing(store: Store): Promise<unknown[]> {
  return store.sql.query(
    'select id, provider, fields, phone_number_ids, chat_ids, status, attempts from webhook_log order by id',
  );
}

describeOnServer('raw entries that are filed under', (backend) => {
  it.each(Object.entries(DAMAGES))(
    '%s are findings everywhere, and right after each command that mends them',
    async (_, sets) => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await night(store, { apply: true });
      const sound = await filing(store);
      expect(await store.sql.execute(`update webhook_log set ${sets}`)).toBe(LOG.length);

      const found = await rawLog(store);
      expect(found).toMatchObject({
        status: 'findings',
        severity: 'degraded',
        found: LOG.length,
        missing: 0,
      });
      expect(typed(found?.remedy ?? null)).toBe('wa-reconcile replay --all');
      const [entry] = await store.sql.query('select id from webhook_log order by id limit 1');
      expect((await ask(store, `log:${String(entry?.['id'])}`)).findings).toMatchObject([
        { reason: 'misfiled' },
      ]);
      const seen = await night(store, { dryRun: true });
      expect(seen.figures.degraded).toBeGreaterThan(0);

      for (const [command, mend] of Object.entries(MENDS)) {
        await store.sql.execute(`update webhook_log set ${sets}`);
        await mend(store);
        expect(await filing(store), command).toEqual(sound);
        expect(await rawLog(store), command).toMatchObject({ status: 'ok' });
        expect((await night(store)).figures, command).toMatchObject({ lost: 0, degraded: 0 });
      }
    },
  );
});

async function rawLog(store: Store) {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks.find(({ check }) => check === 'raw_log');
}
