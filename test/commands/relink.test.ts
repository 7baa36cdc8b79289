import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { BRU, echo, history, live, old } from '../support/webhooks.js';

const LOG = [
  history([old('H1', -900), old('H2', -800)], { progress: 100 }),
  live('A1', 0),
  live('A2', 5),
  live('B1', 9, { from: BRU }),
  echo('A3', 12),
];

const DAMAGES = {
  'an entry of the same contact': `(select batch_id from messages where body = 'A2')`,
  'an entry of another contact': `(select batch_id from messages where body = 'B1')`,
  'the history': `(select batch_id from messages where body = 'H1')`,
  nothing: 'null',
};
const WRONG = ['an entry of the same contact', 'an entry of another contact', 'the history'] as const;

const MENDS: Record<string, (store: Store) => Promise<unknown>> = {
  'replay --all': (store) => replayLog(store, { which: 'all' }),
  'replay FILE': (store) => replayBodies(store, LOG),
  reconcile: (store) => night(store, { apply: true, register: true }),
};

async function linkOf(store: Store, body: string): Promise<unknown> {
  const [row] = await store.sql.query('select batch_id from messages where body = $1', [body]);
  return row?.['batch_id'];
}

function verified(store: Store, enforce = false) {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce });
}

describeOnBackends('a message that names the wrong raw entry', (backend) => {
  for (const [what, entry] of backend.onServer(Object.entries(DAMAGES))) {
    it(`${what}, names the one that holds it after every command that mends`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await night(store, { apply: true, register: true });
      const right = [await linkOf(store, 'A1'), await linkOf(store, 'A3')];
      for (const [command, mend] of Object.entries(MENDS)) {
        await store.sql.execute(`update messages set batch_id = ${entry} where body in ('A1', 'A3')`);
        const { severity, checks } = await verified(store);
        expect(severity, command).toBe(entry === 'null' ? 'note' : 'loss');
        if (entry !== 'null')
          expect(checks.find(({ check }) => check === 'raw_log')?.remedy).toMatchObject({
            command: 'replay',
            args: ['--all'],
          });
        await mend(store);
        expect([await linkOf(store, 'A1'), await linkOf(store, 'A3')], command).toEqual(right);
        expect(await verified(store), command).toMatchObject({ severity: null, findings: 0 });
      }
    });
  }

  it.each(WRONG)('%s, names the one that holds it after verify --enforce', async (what) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const first = await linkOf(store, 'A1');
    await store.sql.execute(`update messages set batch_id = ${DAMAGES[what]} where body = 'A1'`);
    expect(await verified(store, true)).toMatchObject({ severity: null, recomputed: { messages: 1 } });
    expect(await linkOf(store, 'A1')).toBe(first);
  });
});
