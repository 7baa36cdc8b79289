import { expect, it } from 'vitest';
import { editConnection } from '../../src/commands/connections/save.js';
import { listAlerts } from '../../src/commands/alerts/alerts.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { BRU, FIRST, live, status, wamid } from '../support/webhooks.js';

const LOG = [live('A1', 0), live('B1', 9, { from: BRU }), status('Z', 'delivered', 21)];

async function answers(store: Store) {
  const { severity, checks } = await verify(testContext(store), {
    checks: new Set(CHECK_NAMES),
    enforce: false,
  });
  const listed = await listAlerts(testContext(store), {
    audit: true,
    historyMinutes: 60,
    silentHours: 1_000_000,
  });
  const reconciled = await night(store, { apply: true, register: true });
  return {
    severities: [severity, listed.severity, reconciled.report?.severity ?? null],
    remedies: [
      checks.find(({ check }) => check === 'raw_log')?.remedy,
      ...listed.alerts.filter(({ severity: one }) => one !== 'note').map((one) => one.remedy),
    ],
  };
}

describeOnServer('a connection whose phone_number_id was changed', (backend) => {
  it('is told by every command, with the edit that ends it', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = (await answers(store)).severities;
    await store.sql.execute(`update connections set phone_number_id = '999999'`);
    const [connection] = await store.sql.query('select name from connections');
    const name = String(connection?.['name']);
    const edit = { command: 'connection edit', args: [name, '--phone-number-id', FIRST.id] };
    const { severities, remedies } = await answers(store);
    expect(severities).toEqual(['degraded', 'degraded', 'degraded']);
    expect(remedies).toMatchObject([edit, edit]);
    expect(await ask(store, wamid('A1'))).toMatchObject({
      remedies: [{ do: 'edit_connection', connection: name, phoneNumberId: FIRST.id }],
    });
    await editConnection(testContext(store), name, { phoneNumberId: FIRST.id });
    expect((await answers(store)).severities).toEqual(before);
    expect(await ask(store, wamid('A1'))).toMatchObject({ findings: [], remedies: [] });
  });
});
