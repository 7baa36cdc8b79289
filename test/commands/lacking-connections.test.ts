import { expect, it } from 'vitest';
import { editConnection } from '../../src/commands/connections/save.js';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { select } from '../support/shown.js';
import { BRU, BUSINESS, CAR, live } from '../support/webhooks.js';

const LOG = [live('A1', 0), live('B1', 9, { from: BRU })];

const LOST = [
  ['its number', `display_phone_number = null`, 'lacks its number,'],
  ['its WABA', `waba_id = null`, 'lacks its WABA,'],
  [
    'both, and all that entries have said',
    `display_phone_number = null, numbers = '{}', waba_id = null, waba_ids = '{}'`,
    'lacks its number and its WABA,',
  ],
] as const;

function connections(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    'select name, display_phone_number, numbers::text, waba_id, waba_ids::text, phone_number_id from connections',
  );
}

describeOnBackends('H1: a connection that lost', (backend) => {
  it.each(LOST)('%s, is told, and gets it back from the log', async (_, change, detail) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await night(store, { apply: true });
    const before = await connections(store);
    const tell = async (): Promise<void> => {
      await store.sql.execute(`update connections set ${change}`);
      const { result } = await runCheck(store, 'consistency');
      expect(result).toMatchObject({ found: 1, remedy: 'wa-reconcile replay --all' });
      expect(result.samples).toMatchObject([{ detail: expect.stringContaining(detail) as string }]);
    };
    await tell();
    await replayLog(store, { which: 'all' });
    expect(await connections(store)).toEqual(before);
    await tell();
    const mended = await night(store, { apply: true });
    expect(mended).toMatchObject({ status: 'completed', figures: { corrected: 1 } });
    expect(await connections(store)).toEqual(before);
    expect((await runCheck(store, 'consistency')).result.found).toBe(0);
  });

  backend.once('what a person has entered since: that stays', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await editConnection(testContext(store), `+${BUSINESS}`, { phone: `+${CAR}`, wabaId: '777777' });
    const before = await connections(store);
    await night(store, { apply: true, full: true });
    expect(await connections(store)).toEqual(before);
    expect((await runCheck(store, 'consistency')).result.found).toBe(0);
  });
});
