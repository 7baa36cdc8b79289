import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnServer, TEST_OPTIONS } from '../support/databases.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { watchReads } from '../support/table-reads.js';
import { ANA, BRU, CAR, echo, edit, history, live, old, revoke, status } from '../support/webhooks.js';

const PEOPLE = [ANA, BRU, CAR];

/** Chunks with many messages, copies of them, and what follows them, about three people. */
const LOG = PEOPLE.flatMap((from, n) => [
  live(`L${n}`, n * 100, { from }),
  history(
    [
      ...Array.from({ length: 7 }, (_, at) => old(`H${n}-${at}`, at - 900, { from })),
      old(`L${n}`, n * 100, { from }),
    ],
    { order: n + 1, progress: 100 },
    { id: from },
  ),
  echo(`E${n}`, n * 100 + 5, { to: from }),
  live(`M${n}`, n * 100 + 9, { from }),
]).concat([
  status('L0', 'read', 5),
  edit('L0', 'L0-2', 50, { type: 'text', text: { body: 'L0, edited' } }),
  revoke('M0', 60),
]);

/** By the order of the entries: what is left of each, and how many messages are expected of it. */
function bodies(store: Store): Promise<unknown> {
  return value(
    store,
    `select json_agg(json_build_array(coalesce(body_state, ''), octet_length(raw_body) > 0, body_messages) order by id) from webhook_log`,
  );
}

async function miscounted(store: Store): Promise<unknown> {
  return value(
    store,
    `select count(*)::int from webhook_log w where body_state = 'pruned'
       and body_messages <> (select count(*) from messages m where m.batch_id = w.id)`,
  );
}

describeOnServer('prune, however many entries it compares and empties at once', (backend) => {
  it('keeps and empties the same entries, and expects the same messages of them', async () => {
    const ends: unknown[][] = [];
    const sizes = [
      [1000, 1000],
      [1, 1],
      [2, 5],
      [7, 3],
    ] as const;
    for (const [together, batchSize] of sizes) {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await store.sql.execute(`delete from messages where body = 'H1-3'`);
      await store.sql.execute(`update messages set body = 'other' where body = 'L0, edited'`);
      const { entries, status: how } = await pruned(store, { ...EVERYTHING, batchSize }, together);
      expect(await miscounted(store)).toBe(0);
      ends.push([entries, how, await bodies(store)]);
      await store.close();
    }
    for (const end of ends) expect(end).toEqual(ends[0]);
    // What is in doubt about two people keeps all of theirs.
    expect(ends[0]?.slice(0, 2)).toMatchObject([{ kept: 11, pruned: 4 }, 'partial']);
  });

  const changes = [
    ['deleted', `delete from messages where body = 'M1' or body = 'H2-3'`],
    ['changed', `update messages set body = 'other' where body = 'M1' or body = 'H2-3'`],
  ] as const;
  it.each(changes)(
    'never loses what another program has %s meanwhile: the log restores it, or verify says so',
    async (how, sql) => {
      const kept: number[] = [];
      for (let at = 1; ; at += 1) {
        const store = await backend.open();
        await replayBodies(store, LOG);
        let [transactions, isDamaged] = [0, false];
        const shared: Store = {
          ...store,
          transaction: async (work, options) => {
            transactions += 1;
            if (transactions === at) {
              isDamaged = true;
              await store.sql.execute(sql);
            }
            return store.transaction(work, options);
          },
        };
        const { entries } = await pruned(shared, EVERYTHING, 4);
        const isUnseen = (await findingsBeside(store)).length === 0;
        const isPruned = Number(
          await value(store, `select count(*)::int from webhook_log where body_messages > 0`),
        );
        await store.close();
        if (!isDamaged) break;
        // What is changed once its body is gone, nothing can tell from the text that came.
        if (isUnseen) expect([how, isPruned > 0]).toEqual(['changed', true]);
        if (entries.kept > 0) kept.push(at);
      }
      // Also after everything was compared.
      expect(kept.length).toBeGreaterThan(5);
    },
  );

  it('reads the messages a few times, whatever the number of batches, in a database without statistics', async () => {
    const store = await openStore(await backend.config(), { ...TEST_OPTIONS, poolSize: 1 });
    try {
      for (const table of ['messages', 'webhook_log'])
        await store.sql.execute(`alter table ${table} set (autovacuum_enabled = off)`);
      const many = Array.from({ length: 300 }, (_, n) => live(`K${n}`, n));
      await replayBodies(store, many);
      // Of another program: no entry has them, and nothing has to look at them.
      await store.sql.execute(
        `insert into messages (id, connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, timestamp,
           source, sync_source, is_sync_initial, evidence)
         select gen_random_uuid(), m.connection_id, 'stranger ' || n, m.conversation_id, m.lead_id, 'S' || n, 'INBOUND', 'text',
           now(), 'live', 'webhook', false, 3
         from (select * from messages limit 1) m cross join generate_series(1, 20000) n`,
      );
      const watched = watchReads(store);
      const { entries } = await pruned(watched.store, { ...EVERYTHING, batchSize: 10 }, 1000);
      expect(entries).toMatchObject({ pruned: 300, kept: 0 });
      const read = watched.reads.filter(({ table }) => table === 'messages').map(({ rows }) => rows);
      expect(read.reduce((sum, rows) => sum + rows, 0)).toBeLessThan(4 * 20_300);
      expect(await miscounted(store)).toBe(0);
    } finally {
      await store.close();
    }
  });
});
