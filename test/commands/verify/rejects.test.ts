import { expect, it } from 'vitest';
import { acknowledgeAlerts } from '../../../src/commands/alerts/alerts.js';
import { runCheck } from '../../support/checking.js';
import { describeOnServer } from '../../support/databases.js';
import { replayBodies, testContext } from '../../support/replaying.js';
import { ANA, live, SECOND, webhook } from '../../support/webhooks.js';

const NAMELESS = webhook('messages', { messages: [{ from: ANA, type: 'text' }] });
const LIMITS = { historyMinutes: 60, silentHours: 1_000_000 };

describeOnServer('what was rejected or cannot be read', (backend) => {
  it('is a loss until it is acknowledged, item by item and entry by entry', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('B1', 5, {}, SECOND)]);
    expect((await runCheck(store, 'rejects')).result).toMatchObject({
      status: 'ok',
      severity: null,
      checked: 0,
    });

    await replayBodies(store, [NAMELESS, '{"a":', '{"name":"pg"}']);
    const { result } = await runCheck(store, 'rejects');
    expect(result).toMatchObject({ status: 'findings', severity: 'loss', checked: 3, found: 3 });
    expect(result.remedy).toMatch(/^wa-reconcile explain log:/);
    expect((await runCheck(store, 'rejects', { connection: '+5511900000099' })).result.found).toBe(0);

    await acknowledgeAlerts(testContext(store), { alert: 'rejects', ...LIMITS });
    expect((await runCheck(store, 'rejects')).result).toMatchObject({
      status: 'findings',
      checked: 3,
      found: 2,
    });
    await acknowledgeAlerts(testContext(store), { alert: 'entries_failed', ...LIMITS });
    expect((await runCheck(store, 'rejects')).result).toMatchObject({
      status: 'ok',
      checked: 3,
      found: 0,
    });
  });

  it('is no loss where an entry is marked as failed that can be read: a replay settles it', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 5)]);
    await store.sql.execute(`update webhook_log set status = 'failed' where origin = 'stdin:1'`);
    const one = await runCheck(store, 'rejects');
    expect(one.result).toMatchObject({ severity: 'degraded', lost: 0, found: 1 });
    expect(one.result.samples[0]?.detail).toMatch(/^1 entry failed before and can be read now: stdin:1\.$/);
    expect(one.result.remedy).toBe('wa-reconcile replay --failed');

    await replayBodies(store, ['{"a":']);
    const two = await runCheck(store, 'rejects');
    expect(two.result).toMatchObject({ severity: 'loss', lost: 2, found: 2 });
  });

  it('is repeated however old it is', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), NAMELESS, '{"a":']);
    await store.sql.execute(`update rejects set created_at = created_at - interval '15 days'`);
    await store.sql.execute(`update webhook_log set created_at = created_at - interval '15 days'`);
    expect((await runCheck(store, 'rejects')).result).toMatchObject({
      status: 'findings',
      severity: 'loss',
      found: 2,
    });
  });
});
