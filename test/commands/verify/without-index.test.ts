import { expect, it } from 'vitest';
import type { VerifyResult, VerifiedItem } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import { openStore } from '../../../src/store/open-store.js';
import { inSnapshot } from '../../../src/store/transactions.js';
import type { Store } from '../../../src/store/store.js';
import { BY_INDEX, openMessageLookup } from '../../../src/store/tables/message-lookup.js';
import { readMessages } from '../../../src/store/tables/messages.js';
import {
  describeOnBackends,
  describeOnServer,
  TEST_OPTIONS,
  type TestBackend,
} from '../../support/databases.js';
import { replayBodies, testContext } from '../../support/replaying.js';
import { watchReads } from '../../support/table-reads.js';
import { history, live, old, wamid, webLive } from '../../support/webhooks.js';

const MESSAGES = 3_000;

/** Every index by which a message could be found. */
async function dropIndexes(store: Store): Promise<void> {
  await store.sql.execute('alter table messages drop constraint messages_pkey cascade');
  for (const index of ['messages_connection_id_external_id_key', 'messages_stanza_id_idx'])
    await store.sql.execute(`drop index ${index}`);
}

async function openOwn(backend: TestBackend): Promise<Store> {
  return openStore(await backend.config(), TEST_OPTIONS);
}

async function proof(store: Store): Promise<{ result: VerifyResult; items: VerifiedItem[] }> {
  const items: VerifiedItem[] = [];
  const result = await verify(testContext(store), {
    checks: new Set(['raw_log'] as const),
    enforce: false,
    onItem: (item) => {
      if (item.sign !== '=') items.push(item);
    },
  });
  return { result, items };
}

describeOnServer('the accounting proof without an index on messages', (backend) => {
  it('reads the messages a few times, not once per item', async () => {
    const store = await openOwn(backend);
    try {
      const chunk = Array.from({ length: MESSAGES }, (_, i) => old(`H${i}`, i - MESSAGES));
      await replayBodies(store, [history(chunk, { phase: 1, order: 1, progress: 100 })]);
      await dropIndexes(store);
      const watched = watchReads(store);
      const { result } = await proof(watched.store);
      expect(result).toMatchObject({ messages: MESSAGES, missing: 0 });
      const rows = watched.reads.filter(({ table }) => table === 'messages').map((read) => read.rows);
      expect(Math.max(...rows)).toBeLessThan(10 * MESSAGES);
    } finally {
      await store.close();
    }
  });

  it('finds what it finds with them', async () => {
    const store = await openOwn(backend);
    try {
      await replayBodies(store, [live('A', 1), live('B', 2), live('C', 3), webLive('C', 3), webLive('W', 4)]);
      const gone = `delete from messages where external_id = $1`;
      expect(await store.sql.execute(gone, [wamid('A')])).toBe(1);
      const body = `update messages set body = 'other' where external_id = $1`;
      expect(await store.sql.execute(body, [wamid('B')])).toBe(1);
      const withIndexes = await proof(store);
      expect(withIndexes.items.length).toBeGreaterThanOrEqual(2);
      await dropIndexes(store);
      const without = await proof(store);
      expect(without.items).toEqual(withIndexes.items);
      expect(without.result.missing).toBe(withIndexes.result.missing);
    } finally {
      await store.close();
    }
  });
});

describeOnBackends('messages are found by their ids', (backend) => {
  it('in the same row by index, by the copy of a snapshot, and by a scan', async () => {
    const store = await openOwn(backend);
    try {
      await replayBodies(store, [live('A', 1), live('B', 2), webLive('W', 4)]);
      await store.sql.execute('drop index messages_connection_id_external_id_key');
      await store.sql.execute(
        `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).*
         from messages m where external_id = $1`,
        [wamid('A')],
      );
      const stored = await store.sql.query('select distinct connection_id, external_id from messages');
      const keys = (...ids: string[]): { connectionId: string; id: string }[] =>
        ids.map((id) => {
          const row = stored.find((one) => one['external_id'] === id) ?? stored[0];
          return { connectionId: String(row?.['connection_id']), id };
        });
      const read = (sql: Store['sql'], lookup: typeof BY_INDEX): ReturnType<typeof readMessages> =>
        readMessages(sql, keys(wamid('A'), wamid('B'), 'nobody'), keys('W', 'nobody'), lookup);
      const scanned = await read(store.sql, await openMessageLookup(store.sql));
      const copied = await inSnapshot(store, async (sql) => read(sql, await openMessageLookup(sql)), {
        findsMessages: true,
      });
      const looked = await read(store.sql, BY_INDEX);
      const ids = (rows: typeof looked): string[] => rows.map(({ id }) => id).sort();
      expect(looked).toHaveLength(3);
      expect(ids(copied)).toEqual(ids(looked));
      expect(ids(scanned)).toEqual(ids(looked));
    } finally {
      await store.close();
    }
  });

  it('also where no temporary table may be made', async () => {
    const store = await openOwn(backend);
    try {
      await replayBodies(store, [live('A', 1)]);
      await dropIndexes(store);
      // A standby refuses it in the same way.
      const found = await inSnapshot(
        {
          ...store,
          transaction: (work, options) =>
            store.transaction(async (tx) => {
              await tx.execute('set transaction read only');
              return work(tx);
            }, options),
        },
        async (sql) => {
          const [row] = await sql.query('select id from connections');
          const key = [{ connectionId: String(row?.['id']), id: wamid('A') }];
          return readMessages(sql, key, [], await openMessageLookup(sql));
        },
        { findsMessages: true },
      );
      expect(found).toHaveLength(1);
    } finally {
      await store.close();
    }
  });
});
