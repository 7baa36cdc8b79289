import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { around } from '../../src/store/transactions.js';
import { describeOnBackends } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies } from '../support/replaying.js';
import { select, value } from '../support/shown.js';
import { ANA, BRU, CAR, item, live, status, wamid, webhook } from '../support/webhooks.js';

/** A store whose transactions tell every statement before it is sent; what `before` throws is the statement's error. */
function telling(store: Store, before: (text: string, tx: Sql) => Promise<void> | void): Store {
  return {
    ...store,
    sql: store.sql,
    assertSpace: () => store.assertSpace(),
    transaction: (work, options) =>
      store.transaction(
        (tx) =>
          work(
            around(tx, async (run, text) => {
              await before(text, tx);
              return run();
            }),
          ),
        options,
      ),
  };
}

const RAW = /^\s*insert into webhook_log/;

const ENTRIES = `select status, error, attempts, counters is not null as counted, run_id is not null as has_run
  from webhook_log order by received_at, id`;

const stored = (store: Store): Promise<unknown> =>
  value(
    store,
    `select (select count(*) from webhook_log)::int + (select count(*) from messages)::int + (select count(*) from leads)::int`,
  );

/** Three people, of whom two claim one id (M9), with statuses and the same body twice. */
const LOG = [
  live('A1', 1),
  webhook('messages', {
    messages: [
      item('B1', 2, { from: BRU }),
      item('A1', 3, { id: wamid('A1', ANA), from: CAR }),
      item('C1', 4, { from: CAR }),
    ],
  }),
  status('A1', 'read', 5),
  live('A2', 6),
  live('A2', 6),
];

describeOnBackends('raw entries that are stored before their messages are merged', (backend) => {
  backend.once('leave before any message does, and before the leads', async () => {
    const store = await backend.open();
    const told: string[] = [];
    await replayBodies(
      telling(store, (text) => {
        told.push(text);
      }),
      LOG,
    );
    const at = (pattern: RegExp): number => told.findIndex((text) => pattern.test(text));
    const entries = at(RAW);
    expect(entries).toBeGreaterThan(-1);
    expect(at(/^\s*insert into leads/)).toBeGreaterThan(entries);
    expect(at(/^\s*(insert into|copy) messages/)).toBeGreaterThan(entries);
  });

  backend.once(
    'M9: end as partial if merging rejects one of their messages, as in a batch of their own',
    async () => {
      const [store, alone] = [await backend.open(), await backend.open()];
      await replayBodies(store, LOG);
      await replayBodies(alone, LOG, { batchSize: 1 });
      const entries = await select(store, ENTRIES);
      expect(entries).toContainEqual({
        status: 'partial',
        error: '1 rejected',
        attempts: 1,
        counted: true,
        has_run: true,
      });
      expect(entries.filter(({ status: word }) => word === 'partial')).toHaveLength(1);
      expect(await normalizedDatabase(store)).toEqual(await normalizedDatabase(alone));
    },
  );

  backend.once(
    'M9: end as partial in the slice of a larger body that was rejected, and no earlier',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG, { batchSize: 2 });
      const words = await select(store, `select status, error from webhook_log where status <> 'processed'`);
      expect(words).toEqual([{ status: 'partial', error: '1 rejected' }]);
    },
  );

  backend.once('are there or absent with all else, whichever statement fails', async () => {
    const whole = await backend.open();
    await replayBodies(whole, LOG);
    const expected = await normalizedDatabase(whole);
    const store = await backend.open();
    let failed = 0;
    for (let n = 1; ; n += 1) {
      let left = n;
      const failing = telling(store, () => {
        left -= 1;
        if (left === 0) throw new Error('killed');
      });
      const ended = await replayBodies(failing, LOG).catch(() => null);
      if (left > 0) break;
      // The last transaction only closes the run: the batch has committed.
      if (ended !== null || (await stored(store)) !== 0) break;
      failed += 1;
    }
    expect(failed).toBeGreaterThan(20);
    await replayBodies(store, LOG);
    expect((await normalizedDatabase(store))['messages']).toEqual(expected['messages']);
    expect((await normalizedDatabase(store))['webhook_log']).toEqual(expected['webhook_log']);
  });

  backend.once(
    'are waited for when merging fails meanwhile: no statement is sent after the rollback',
    async () => {
      const store = await backend.open();
      const order: string[] = [];
      const slow = telling(store, async (text) => {
        if (RAW.test(text)) {
          await delay(30);
          order.push('entries');
        }
        if (/^\s*insert into leads/.test(text)) throw new Error('killed');
      });
      const watched: Store = {
        ...slow,
        transaction: (work, options) =>
          slow.transaction(async (tx) => {
            try {
              return await work(tx);
            } catch (error) {
              order.push('end');
              throw error;
            }
          }, options),
      };
      await expect(replayBodies(watched, LOG)).rejects.toThrow('killed');
      await delay(60);
      expect(order).toEqual(['entries', 'end']);
      expect(await stored(store)).toBe(0);
    },
  );

  it('are stored again with the whole batch when another writer was in the way of them', async () => {
    const store = await backend.open();
    let left = 1;
    const disturbed = telling(store, async (text, tx) => {
      if (!RAW.test(text) || left === 0) return;
      left -= 1;
      // Everything that follows in this transaction fails, too, for another reason, which no repetition would mend.
      await tx.execute(`do $$ begin raise exception 'another writer' using errcode = '40001'; end $$`);
    });
    const result = await replayBodies(disturbed, LOG);
    expect(left).toBe(0);
    expect(result.messages).toMatchObject({ created: 4, rejected: { id_collision: 1 } });
    expect(await value(store, `select count(*)::int from webhook_log`)).toBe(4);
    expect(await value(store, `select max(attempts) from webhook_log`)).toBe(1);
  });
});
