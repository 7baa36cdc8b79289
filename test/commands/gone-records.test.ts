import { expect, it } from 'vitest';
import { acknowledgeAlerts } from '../../src/commands/alerts/alerts.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { history, live, old, status } from '../support/webhooks.js';

/** A rejected item, twice the same; a history chunk; a status whose message has not come. */
const LOG = [
  live('A', 0),
  live('B', 10, { id: undefined }),
  live('B', 10, { id: undefined, text: { body: 'the same, otherwise' } }),
  history([old('H1', -900)], { progress: 100 }),
  status('Z', 'delivered', 21),
];

async function checkOf(store: Store, check: 'raw_entry' | 'rejects') {
  const result = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return result.checks.find((one) => one.check === check);
}

function ledgers(store: Store) {
  return store.sql.query(
    `select 'reject' as ledger, r.created_at::text as at, w.id is not null as is_there
       from rejects r left join webhook_log w on w.id = r.webhook_log_id
     union all select 'chunk', h.processed_at::text, w.id is not null
       from history_chunks h left join webhook_log w on w.id = h.webhook_log_id
     union all select 'update', p.created_at::text, w.id is not null
       from pending_facts p left join webhook_log w on w.id = p.webhook_log_id
     order by 1, 2`,
  );
}

describeOnServer('what is on record of a raw entry that is gone', (backend) => {
  it('is a finding, is explained, and names the entry that a replay of the file brings back', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await ledgers(store);
    expect(before.map(({ ledger }) => ledger)).toEqual(['chunk', 'reject', 'reject', 'update']);
    await acknowledgeAlerts(testContext(store), {
      alert: 'rejects',
      historyMinutes: 60,
      silentHours: 1_000_000,
    });
    const [reject] = await store.sql.query('select webhook_log_id as id from rejects order by id limit 1');
    const subject = `log:${String(reject?.['id'])}`;
    await store.sql.execute(`delete from webhook_log where not 'messages' = any(fields) or id in
      (select webhook_log_id from rejects union select webhook_log_id from pending_facts)`);

    expect(await checkOf(store, 'raw_entry')).toMatchObject({
      severity: 'loss',
      found: 5,
      summary: expect.stringContaining('4 rejected items, history chunks or pending updates name') as string,
      remedy: { command: 'replay' },
    });
    expect(await ask(store, subject)).toMatchObject({
      subject: 'entry',
      entry: null,
      findings: [{ outcome: 'gone' }],
      remedies: [{ do: 'replay_file', command: 'replay' }],
      verdict: `Entry ${subject} is no longer in the raw log; 1 rejected item names it.`,
    });

    await replayLog(store, { which: 'all' });
    expect(await checkOf(store, 'raw_entry')).toMatchObject({ found: 5 });
    for (let times = 0; times < 2; times += 1) {
      await replayBodies(store, LOG, { batchSize: 1 });
      expect(await ledgers(store)).toEqual(before.map((row) => ({ ...row, is_there: true })));
      expect(await checkOf(store, 'raw_entry')).toMatchObject({ severity: null });
      // They are the same items, so they stay acknowledged.
      expect(await checkOf(store, 'rejects')).toMatchObject({ found: 0, acknowledged: 2 });
    }
  });

  it('is advised to be read again where no entry ever had the id', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await ledgers(store);
    await store.sql.execute(
      `update history_chunks set webhook_log_id = 'f0000000-0000-4000-8000-000000000001'`,
    );
    expect(await checkOf(store, 'raw_entry')).toMatchObject({
      severity: 'loss',
      found: 1,
      remedy: { command: 'replay', args: ['--all'] },
    });
    await replayLog(store, { which: 'all' });
    expect(await ledgers(store)).toEqual(before);
    expect(await checkOf(store, 'raw_entry')).toMatchObject({ severity: null });
  });
});
