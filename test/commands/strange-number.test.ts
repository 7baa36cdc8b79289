import { expect, it } from 'vitest';
import { editConnection } from '../../src/commands/connections/save.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { ANA, BRU, BUSINESS, history, live, old } from '../support/webhooks.js';

const LOG = [
  history([old('A0', -900)], { progress: 100 }),
  live('A1', 0),
  live('A2', 60),
  live('B1', 30, { from: BRU }),
];

async function verified(store: Store) {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks
    .filter(({ status }) => status === 'findings')
    .map(({ check, remedy, samples }) => ({ check, remedy, samples }));
}

describeOnServer('I4: a connection that was given the number of a contact', (backend) => {
  it('takes nothing from the contact, is told, and gets its own number back', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await normalizedDatabase(store);
    await store.sql.execute(`update connections set numbers = '{+${ANA}}'`);
    const name = `+${BUSINESS}`;
    const told = [
      {
        check: 'consistency',
        remedy: { command: 'connection edit', args: [name, '--phone', name] },
        samples: [{ detail: expect.stringContaining(`+${ANA}`) as string }],
      },
    ];
    expect(await verified(store)).toMatchObject(told);
    await replayLog(store, { which: 'all' });
    await night(store, { apply: true, full: true });
    // Meanwhile it is taken for the business itself.
    await replayBodies(store, [live('A3', 120)]);
    expect(await verified(store)).toMatchObject(told);
    const after = await normalizedDatabase(store);
    expect(after.messages).toEqual(before.messages);
    expect(after.leads).toEqual(before.leads);

    await editConnection(testContext(store), name, { phone: name });
    await replayLog(store, { which: 'failed' });
    expect(await verified(store)).toEqual([]);
    expect((await normalizedDatabase(store)).messages).toHaveLength((before.messages ?? []).length + 1);
  });

  it('gives the contact up where a person says that the number is its own', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await editConnection(testContext(store), `+${BUSINESS}`, { phone: `+${ANA}` });
    expect(await verified(store)).toContainEqual(
      expect.objectContaining({
        check: 'consistency',
        remedy: expect.objectContaining({ command: 'replay' }) as unknown,
      }),
    );
    await night(store, { apply: true });
    expect(await store.sql.query(`select from leads where phone_number = '+${ANA}'`)).toEqual([]);
    expect((await verified(store)).map(({ check }) => check)).not.toContain('consistency');
  });
});
