import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { history, live, old, status, webLive } from '../support/webhooks.js';

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
  backend.once(
    'stays a loss while only other entries hold its message, and is none once it has come again',
    async () => {
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
    },
  );

  backend.once('comes again in one batch with the others, in any order', async () => {
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

  backend.once(
    'of an earlier version, whose id does not tell its bytes, ends with any file that holds its messages',
    async () => {
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
    },
  );

  it('stays a loss while only a history chunk or a pending update names it', async () => {
    const store = await backend.open();
    // Each twice, in other bytes: what comes again is one of them, after the other.
    const first = [history([], { progress: 100 }), status('Z', 'delivered', 21)];
    const second = [history([], { progress: 99 }), status('Z', 'delivered', 21, { pricing: {} })];
    await replayBodies(store, first);
    await replayBodies(store, second);
    await store.sql.execute(
      `delete from webhook_log where id in (select webhook_log_id from history_chunks union select webhook_log_id from pending_facts)`,
    );
    const lost = { severity: 'loss', found: 2, command: 'replay' };
    expect(await lossOf(store)).toEqual(lost);
    await replayLog(store, { which: 'all' });
    await replayBodies(store, second);
    expect(await lossOf(store)).toEqual(lost);
    await replayBodies(store, [...second, ...first]);
    expect(await lossOf(store)).toMatchObject({ found: 0 });
  });
});

describeOnServer('a chunk of the ledger that its entry does not hold', (backend) => {
  it('is corrected from the raw log by a replay', async () => {
    const store = await backend.open();
    const chunks = [1, 2, 3].map((order) =>
      history([old(`H${order}`, -900)], { order, progress: order * 33 }),
    );
    await replayBodies(store, [...chunks, live('A1', 0)]);
    const ledger =
      'select phase, chunk_order, progress, messages, webhook_log_id from history_chunks order by 1, 2';
    const before = await store.sql.query(ledger);
    await store.sql.execute('update history_chunks set chunk_order = 7 where chunk_order = 2');
    await replayLog(store, { which: 'all' });
    expect(await store.sql.query(ledger)).toEqual(before);
    await store.sql.execute('update history_chunks set chunk_order = 7 where chunk_order = 3');
    await night(store, { apply: true, register: true });
    expect(await store.sql.query(ledger)).toEqual(before);
  });
});
