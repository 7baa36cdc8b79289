import { expect, it } from 'vitest';
import { acknowledgeAlerts, listAlerts } from '../../src/commands/alerts/alerts.js';
import { presentVerify } from '../../src/cli/views/verify.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { BRU, live } from '../support/webhooks.js';

const LIMITS = { historyMinutes: 60, silentHours: 1_000_000 };

/** What verify, and what the alerts count. */
async function counted(store: Store) {
  const result = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  const { counts, severity } = await listAlerts(testContext(store), { audit: true, ...LIMITS });
  return {
    words: presentVerify(result, 'degraded').document.verdict?.text,
    severities: [result.severity, severity],
    counts,
    notes: result.checks.reduce((sum, { notes = 0 }) => sum + notes, 0),
  };
}

describeOnServer('a check that finds a loss and notes something else', (backend) => {
  it('counts both, as the alerts do, and the note alone once the loss is accepted', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 5), live('B1', 9, { from: BRU })]);
    await store.sql.execute(`update messages set batch_id = gen_random_uuid() where body = 'A1'`);
    // No entry holds it any more, and it names none.
    await store.sql
      .execute(`delete from webhook_log where id = (select batch_id from messages where body = 'B1')
      or position('"A1"' in convert_from(raw_body, 'UTF8')) > 0`);
    await store.sql.execute(`update messages set batch_id = null where body = 'B1'`);
    const both = await counted(store);
    expect(both).toMatchObject({ severities: ['loss', 'loss'], counts: { lost: 1, notes: 1 }, notes: 1 });
    expect(both.words).toMatch(/^1 lost, 0 degraded, 1 note /);
    await acknowledgeAlerts(testContext(store), { alert: 'raw_entries_gone', ...LIMITS });
    expect(await counted(store)).toMatchObject({
      severities: ['note', 'note'],
      counts: { lost: 0, notes: 1 },
      notes: 1,
    });
    await acknowledgeAlerts(testContext(store), { alert: 'foreign_messages', ...LIMITS });
    expect(await counted(store)).toMatchObject({ severities: [null, null], counts: { notes: 0 }, notes: 0 });
  });
});
