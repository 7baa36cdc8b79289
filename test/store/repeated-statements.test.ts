import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { sqlState } from '../../src/store/sql-state.js';
import type { SqlParameter } from '../../src/store/sql.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';

describeOnBackends('a statement that a transaction runs again', (backend) => {
  it('is prepared once, and takes other parameters', async () => {
    const store = await backend.open();
    const text = `select $1::int + 1 as n, 'numbers' as what`;
    const numbers = async (): Promise<unknown[]> =>
      store.transaction(async (tx) => {
        const rows = [await tx.query(text, [1]), await tx.query(text, [2]), await tx.query(text, [3])];
        return rows.map(([row]) => row?.['n']);
      });
    expect(await numbers()).toEqual([2, 3, 4]);
    expect(await numbers()).toEqual([2, 3, 4]);
    const names = await store.transaction((tx) =>
      tx.query('select name from pg_prepared_statements where statement = $1', [text]),
    );
    expect(names).toHaveLength(1);
  });

  it('gives every type of value back as the first time', async () => {
    const store = await backend.open();
    const values: readonly SqlParameter[] = [
      "an \u00e9 and a ' and a \\",
      '{"a":[1,"\u{1f600}"]}',
      '{"x","NULL",NULL,"say \\"hi\\""}',
      -7,
      '9007199254740993',
      1.5,
      false,
      new Date('2026-01-02T03:04:05.678Z'),
      Uint8Array.of(0, 1, 92, 255),
      null,
    ];
    const types = [
      'text',
      'jsonb',
      'text[]',
      'int',
      'bigint',
      'float8',
      'boolean',
      'timestamptz',
      'bytea',
      'uuid',
    ];
    const text = `select ${types.map((type, index) => `$${index + 1}::${type} as v${index}`).join(', ')}`;
    const [first, second, none] = await store.transaction(async (tx) => [
      await tx.query(text, values),
      await tx.query(text, values),
      await tx.query(
        text,
        types.map(() => null),
      ),
    ]);
    expect(second).toEqual(first);
    expect(first[0]).toMatchObject({ v3: -7, v4: 9_007_199_254_740_993n, v6: false, v7: values[7] });
    expect(Object.values(none[0] ?? {})).toEqual(types.map(() => null));
  });

  it('counts the rows that it writes', async () => {
    const store = await backend.open();
    const text = `insert into organizations (id, slug, name)
      select gen_random_uuid(), slug, slug from unnest($1::text[]) as s (slug)`;
    const written = await store.transaction(async (tx) => [
      await tx.execute(text, ['{a,b}']),
      await tx.execute(text, ['{c}']),
      await tx.execute(text, ['{}']),
    ]);
    expect(written).toEqual([2, 1, 0]);
  });

  it('fails with its own error, and runs after it', async () => {
    const store = await backend.open();
    const text = 'select 10 / $1::int as n';
    const got = await store.transaction(async (tx) => {
      const before = [await tx.query(text, [1]), await tx.query(text, [2])];
      await tx.execute('savepoint here');
      const error: unknown = await tx.query(text, [0]).catch((reason: unknown) => reason);
      await tx.execute('rollback to savepoint here');
      return { before, state: sqlState(error), after: await tx.query(text, [5]) };
    });
    expect(got).toEqual({ before: [[{ n: 10 }], [{ n: 5 }]], state: '22012', after: [{ n: 2 }] });
    await expect(store.transaction((tx) => tx.query(text, [0]))).rejects.toSatisfy(
      (error) => sqlState(error) === '22012',
    );
    expect(await store.transaction((tx) => tx.query(text, [5]))).toEqual([{ n: 2 }]);
  });

  it('cannot be read: says so each time', async () => {
    const store = await backend.open();
    for (let times = 0; times < 3; times += 1) {
      await expect(store.transaction((tx) => tx.query('select $1::int from nowhere', [1]))).rejects.toSatisfy(
        (error) => sqlState(error) === '42P01',
      );
    }
  });

  it('sees a table as it is now: another column type, a table of the same name', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    const text = 'select count(*)::int as n from things where n = $1';
    const count = (): Promise<unknown> => store.transaction((tx) => tx.query(text, [1]));
    await store.sql.execute('create table things (n int)');
    await store.sql.execute('insert into things values (1), (1)');
    for (let times = 0; times < 3; times += 1) expect(await count()).toEqual([{ n: 2 }]);
    await store.sql.execute('alter table things add column m text');
    expect(await count()).toEqual([{ n: 2 }]);
    await store.sql.execute('drop table things');
    await store.sql.execute('create table things (n int)');
    expect(await count()).toEqual([{ n: 0 }]);
    await store.close();
  });
});
