import { expect, it } from 'vitest';
import { acknowledgeAlerts, listAlerts, unacknowledgeAlerts } from '../../src/commands/alerts/alerts.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { history, live, old, SECOND, webhook } from '../support/webhooks.js';

const LIMITS = { historyMinutes: 60, silentHours: 1_000_000 };

/** A day with everything that `verify` notes: a gap, a declined history, an entry that nobody can read, an unknown format. */
const DAY = [
  live('A1', 0),
  history([old('A0', -60)], { order: 1, progress: 40 }),
  history([old('A2', -30)], { order: 3, progress: 100 }),
  webhook('history', { history: [{ errors: [{ code: 2593109, title: 'declined' }] }] }, SECOND),
  live('B1', 5, { id: undefined }),
  '{"object":"whatsapp_business_account","ent',
  { app: 'x', version: 2 },
];

async function severities(store: Store) {
  const { severity, checks } = await verify(testContext(store), {
    checks: new Set(CHECK_NAMES),
    enforce: false,
  });
  const listed = await listAlerts(testContext(store), { audit: true, ...LIMITS });
  const reconciled = await night(store, { apply: true });
  return {
    verify: severity,
    alerts: listed.severity,
    reconcile: reconciled.report?.severity ?? null,
    notes: checks.flatMap(({ check, notes = 0 }) => (notes === 0 ? [] : check)),
  };
}

describeOnServer('what was acknowledged', (backend) => {
  it('counts nowhere: neither as a finding nor as a note', async () => {
    const store = await backend.open();
    await replayBodies(store, DAY);
    const { alerts } = await listAlerts(testContext(store), { audit: true, ...LIMITS });
    for (const { id } of alerts) await acknowledgeAlerts(testContext(store), { alert: id, ...LIMITS });
    expect(await severities(store)).toEqual({ verify: null, alerts: null, reconcile: null, notes: [] });

    await unacknowledgeAlerts(testContext(store), { alert: 'declined' });
    expect(await severities(store)).toEqual({
      verify: 'note',
      alerts: 'note',
      reconcile: 'note',
      notes: ['history_ledger'],
    });
  });
});
