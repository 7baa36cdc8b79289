import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { history, live, old, webLive } from '../support/webhooks.js';

/** Ana's first message live, live by WhatsApp Web, and in the history; and what follows. */
const LOG = [live('A1', 0), webLive('A1', 0), history([old('A1', 0)], { progress: 100 }), live('A2', 5)];
const GONE = 'delete from webhook_log where id = (select batch_id from messages where body = $1)';

async function lossOf(store: Store, enforce = false): Promise<unknown> {
  const { severity, checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce });
  const { found, remedy } = checks.find(({ check }) => check === 'raw_entry') ?? {};
  return { severity, found, command: remedy?.command };
}

const LOST = { severity: 'loss', found: 1, command: 'replay' };
const NOTHING_LOST = { severity: null, found: 0, command: undefined };

describeOnBackends('a raw entry that is gone', (backend) => {
  it('stays a loss while only other entries hold its message, and is none once it has come again', async () => {
    const store = await backend.open();
    await addConnection(store, { phoneNumberId: '800000000000001' });
    await replayBodies(store, LOG);
    expect(await lossOf(store)).toEqual(NOTHING_LOST);
    await store.sql.execute(GONE, ['A1']);
    expect(await lossOf(store)).toEqual(LOST);

    await replayLog(store, { which: 'all' });
    await night(store, { apply: true, register: true });
    const full = await night(store, { apply: true, register: true, full: true });
    expect(full.figures.lost).toBe(1);
    expect(await lossOf(store, true)).toEqual(LOST);

    // Of an entry that is stored still, and of one that is new.
    await replayBodies(store, LOG.slice(1));
    await replayBodies(
      store,
      [live('A1', 0, {}), live('A3', 9)].map((body) => JSON.stringify(body, null, 1).replaceAll('\n', ' ')),
    );
    expect(await lossOf(store)).toEqual(LOST);

    await replayBodies(store, LOG, { batchSize: 1 });
    expect(await lossOf(store)).toEqual(NOTHING_LOST);
    expect((await night(store, { apply: true, register: true, full: true })).figures.lost).toBe(0);
  });

  it('comes again in one batch with the others, in any order', async () => {
    for (const log of [LOG, [...LOG].reverse()]) {
      const store = await backend.open();
      await addConnection(store, { phoneNumberId: '800000000000001' });
      await replayBodies(store, LOG);
      await store.sql.execute(GONE, ['A1']);
      await store.sql.execute(GONE, ['A2']);
      await replayBodies(store, log);
      expect(await lossOf(store)).toEqual(NOTHING_LOST);
      await store.close();
    }
  });

  it('of an earlier version, whose id does not tell its bytes, ends with any file that holds its messages', async () => {
    const store = await backend.open();
    await addConnection(store, { phoneNumberId: '800000000000001' });
    await replayBodies(store, LOG);
    await store.sql.execute(GONE, ['A1']);
    await store.sql.execute(
      `update messages set batch_id = '019a0000-0000-7000-8000-000000000001' where body = 'A1'`,
    );
    await replayLog(store, { which: 'all' });
    expect(await lossOf(store)).toEqual(LOST);
    await replayBodies(store, LOG);
    expect(await lossOf(store)).toEqual(NOTHING_LOST);
  });
});
