import { expect, it } from 'vitest';
import { explain } from '../../src/commands/explain/explain.js';
import { CHECK_NAMES, type CheckResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { typed } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { BRU, live } from '../support/webhooks.js';

const LOG = [
  live('x', 0, { id: 'wamid.A' }),
  live('y', 5, { id: 'wamid.B', from: BRU }),
  live('z', 9, { id: 'wamid.C' }),
];

describeOnServer('two messages that have each other’s ids', (backend) => {
  it('are restored by reconcile', async () => {
    const { store, before } = await swapped();
    await night(store, { apply: true });
    expect(await normalizedDatabase(store)).toEqual(before);
    expect((await rawLog(store)).status).toBe('ok');
  });

  it('are restored by what verify and explain advise', async () => {
    const { store, before } = await swapped();
    expect(typed((await rawLog(store)).remedy)).toBe('wa-reconcile verify --enforce');
    const { remedies } = await explain(testContext(store), {
      subject: 'wamid.A',
      scan: false,
      bodies: false,
      limit: 10,
    });
    expect(remedies).toContainEqual({ do: 'unlink' });
    await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: true });
    expect(typed((await rawLog(store)).remedy)).toBe('wa-reconcile replay --all');
    await replayLog(store, { which: 'all' });
    expect(await normalizedDatabase(store)).toEqual(before);
    expect((await rawLog(store)).status).toBe('ok');
  });

  async function swapped(): Promise<{ store: Store; before: unknown }> {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await normalizedDatabase(store);
    for (const [from, to] of [
      ['wamid.A', 'held'],
      ['wamid.B', 'wamid.A'],
      ['held', 'wamid.B'],
    ])
      await store.sql.execute(`update messages set external_id = '${to}' where external_id = '${from}'`);
    return { store, before };
  }
});

async function rawLog(store: Store): Promise<CheckResult> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  const found = checks.find(({ check }) => check === 'raw_log');
  if (found === undefined) throw new Error('raw_log did not run');
  return found;
}
