import { expect, test } from 'vitest';
import { sqlState } from '../../src/store/sql-state.js';
import { openStore } from '../../src/store/open-store.js';
import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends, TEST_OPTIONS, useBackend } from '../support/databases.js';

const INSERT = `insert into organizations (id, slug, name) values (gen_random_uuid(), $1, $1)`;

async function slugs(store: Store): Promise<unknown[]> {
  const rows = await store.sql.query(`select slug from organizations where slug <> 'default' order by slug`);
  return rows.map((row) => row.slug);
}

describeOnBackends('a transaction', (backend) => {
  test('keeps what it wrote when its work resolves', async () => {
    const store = await backend.open();
    const written = await store.transaction((tx) => tx.execute(INSERT, ['a']));
    expect(written).toBe(1);
    expect(await slugs(store)).toEqual(['a']);
  });

  test('runs statements that are sent at once one after the other, without a warning of the driver', async () => {
    const store = await backend.open();
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', note);
    const numbers = await store.transaction((tx) =>
      Promise.all([1, 2, 3].map(async (n) => (await tx.query('select $1::int as n', [n]))[0]?.['n'])),
    );
    // Node tells of warnings in its next turn.
    await new Promise(setImmediate);
    process.off('warning', note);
    expect({ numbers, warnings }).toEqual({ numbers: [1, 2, 3], warnings: [] });
  });

  test('lets a signal or a timer in between statements that follow one another', async () => {
    const store = await backend.open();
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 5);
    await store.transaction(async (tx) => {
      for (const end = performance.now() + 400; performance.now() < end;)
        await tx.query('select count(*) from generate_series(1, 1000)');
    });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });

  test('keeps nothing when its work throws, and passes the error on', async () => {
    const store = await backend.open();
    const work = store.transaction(async (tx) => {
      await tx.execute(INSERT, ['a']);
      throw new Error('mine');
    });
    await expect(work).rejects.toThrow('mine');
    expect(await slugs(store)).toEqual([]);
    await store.transaction((tx) => tx.execute(INSERT, ['b']));
    expect(await slugs(store)).toEqual(['b']);
  });

  test('fails when a statement failed in it, even if its work took no notice', async () => {
    const store = await backend.open();
    const work = store.transaction(async (tx) => {
      await tx.execute(INSERT, ['a']);
      await tx.query('select 1 / 0').catch(() => 'ignored');
      return 'stored';
    });
    await expect(work).rejects.toSatisfy((error) => sqlState(error) === '22012');
    expect(await slugs(store)).toEqual([]);
  });

  test('lives on after a failed statement that was rolled back to a savepoint', async () => {
    const store = await backend.open();
    await store.transaction(async (tx) => {
      await tx.execute(INSERT, ['a']);
      await tx.execute('savepoint before');
      await tx.execute(INSERT, ['a']).catch(() => tx.execute('rollback to savepoint before'));
    });
    expect(await slugs(store)).toEqual(['a']);
  });

  test('fails when its commit fails, time after time', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    await store.sql.execute(
      'create table late (id uuid references organizations (id) deferrable initially deferred)',
    );
    // More often than the pool has connections: each must come back.
    for (let round = 0; round < 5; round += 1) {
      const work = store.transaction((tx) => tx.execute('insert into late values (gen_random_uuid())'));
      await expect(work).rejects.toSatisfy((error) => sqlState(error) === '23503');
    }
    expect(await store.sql.query('select * from late')).toEqual([]);
    await store.close();
  });

  test('is tried again as often as asked after what another writer caused, and not otherwise', async () => {
    const store = await backend.open();
    for (const [state, attempts] of [
      ['40001', 3],
      ['40P01', 3],
      ['23505', 3],
      ['23503', 3],
      ['23514', 1],
    ] as const) {
      let tried = 0;
      const work = store.transaction(
        async (tx) => {
          tried += 1;
          await tx.execute(`do $$ begin raise exception 'no' using errcode = '${state}'; end $$`);
        },
        { retries: 2 },
      );
      await expect(work).rejects.toSatisfy((error) => sqlState(error) === state);
      expect(tried, state).toBe(attempts);
    }
  });

  test('is not tried again unless asked', async () => {
    const store = await backend.open();
    let tried = 0;
    const work = store.transaction(async (tx) => {
      tried += 1;
      await tx.execute(`insert into organizations select * from organizations`);
    });
    await expect(work).rejects.toSatisfy((error) => sqlState(error) === '23505');
    expect(tried).toBe(1);
  });

  test('waits for its turn while others run', async () => {
    const store = await backend.open();
    const names = Array.from({ length: 12 }, (_, index) => `t${String(index).padStart(2, '0')}`);
    await Promise.all(
      names.map((name) =>
        store.transaction(async (tx) => {
          await tx.execute(INSERT, [name]);
          await tx.query('select pg_sleep(0.01)::text');
        }),
      ),
    );
    expect(await slugs(store)).toEqual(names);
  });
});

const postgresql = useBackend('postgresql');

test('two transactions that deadlock both end, one of them by trying again', async () => {
  const store = await postgresql.open();
  for (const name of ['a', 'b']) await store.sql.execute(INSERT, [name]);
  const touch = (tx: Sql, slug: string): Promise<number> =>
    tx.execute('update organizations set name = name || $2 where slug = $1', [slug, '!']);

  let arrived = 0;
  async function crossing(first: string, second: string): Promise<void> {
    await store.transaction(
      async (tx) => {
        await touch(tx, first);
        arrived += 1;
        for (let wait = 0; arrived < 2 && wait < 100; wait += 1)
          await tx.query('select pg_sleep(0.02)::text');
        await touch(tx, second);
      },
      { retries: 5 },
    );
  }
  await Promise.all([crossing('a', 'b'), crossing('b', 'a')]);
  const rows = await store.sql.query(`select name from organizations where slug in ('a', 'b')`);
  expect(rows.map((row) => row.name).sort()).toEqual(['a!!', 'b!!']);
});
