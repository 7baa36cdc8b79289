import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { typed } from '../support/checking.js';
import { dumpDatabase } from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { live, status, webLive } from '../support/webhooks.js';

const NAMED = [live('A1', 0), status('A1', 'read', 15), '{"broken": ', webLive('W1', 20)];
/** It names no connection: the run that stores it does. */
const NAMELESS = [{ ...webLive('W2', 30), sessionId: null }];
const STRANGE = '01990000-0000-7000-8000-00000000abcd';

async function replayFiles(store: Store): Promise<void> {
  await replayBodies(store, NAMED);
  await replayBodies(store, NAMELESS, { connection: 'loja' });
}

const MENDS: Record<string, (store: Store) => Promise<unknown>> = {
  'replay --all': (store) => replayLog(store, { which: 'all' }),
  'replay FILE': replayFiles,
  'reconcile --apply --full': (store) => night(store, { apply: true, full: true }),
};

function entries(store: Store): Promise<unknown[]> {
  return store.sql.query('select id, connection_scope, status, error from webhook_log order by id');
}

/** What is in the database besides the records of runs. */
async function content(store: Store): Promise<unknown> {
  const { messages, leads, conversations, tickets } = await dumpDatabase(store);
  return { messages, leads, conversations, tickets };
}

async function checkOf(store: Store, name: string) {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks.find(({ check }) => check === name);
}

describeOnBackends('raw entries whose connection does not exist', (backend) => {
  it('are findings, and at their own again after every command that mends', async () => {
    const store = await backend.open();
    await replayFiles(store);
    await night(store, { apply: true });
    const [sound, rows] = [await entries(store), await content(store)];
    expect(sound).toHaveLength(5);
    for (const [command, mend] of backend.some(Object.entries(MENDS), () => 'mend')) {
      expect(await store.sql.execute('update webhook_log set connection_scope = $1', [STRANGE])).toBe(5);

      for (const name of ['consistency', 'raw_log'])
        expect(typed((await checkOf(store, name))?.remedy ?? null), command).toBe(
          'wa-reconcile replay --all',
        );
      const [entry] = await store.sql.query('select id from webhook_log order by id limit 1');
      expect((await ask(store, `log:${String(entry?.['id'])}`)).findings, command).toMatchObject([
        { reason: 'misfiled' },
      ]);

      await mend(store);
      expect(await entries(store), command).toEqual(sound);
      expect(await content(store), command).toEqual(rows);
      expect(await checkOf(store, 'consistency'), command).toMatchObject({ status: 'ok' });
      expect((await night(store)).figures, command).toMatchObject({ degraded: 0 });
    }
  });
});
