import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyRows } from '../../src/store/copy-rows.js';
import { bytes, columns, integer, jsonObject, orNull, text, texts, time } from '../../src/store/columns.js';
import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { prepareBatch } from '../../src/store/transactions.js';
import { describeOnBackends } from '../support/databases.js';
import { anyCharacter } from '../support/any-text.js';
import { tries } from '../support/seed.js';

const COLUMNS = columns({
  n: integer,
  said: orNull(text),
  names: texts,
  at: orNull(time),
  kept: orNull(jsonObject),
  body: bytes,
});

/** What COPY's format could misread, beside ordinary text. */
const word = fc.oneof(
  fc.string({ unit: anyCharacter }).map((value) => value.replaceAll('\u0000', '')),
  fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', 'N', '.', ',', '"', '{', '}', 'é', '😀') }),
  fc.constantFrom('', '\\N', '\\.', '\\\\.', 'null', '\\x00', '\r\n', '\\\n'),
);
const row = fc.record({
  said: fc.option(word),
  names: fc.array(word, { maxLength: 3 }),
  at: fc.option(fc.integer({ min: 0, max: 4_000_000_000_000 })),
  kept: fc.option(fc.dictionary(fc.constantFrom('a', 'b\\'), word).map((value) => ({ ...value }))),
  body: fc.uint8Array({ maxLength: 20 }),
});

async function copied(store: Store, rows: readonly (typeof row extends fc.Arbitrary<infer R> ? R : never)[]) {
  return store.transaction(async (tx) => {
    await tx.execute(
      `create temporary table copied (n integer, said text, names text[], at timestamptz, kept jsonb, body bytea) on commit drop`,
    );
    const { copy } = tx;
    if (copy === undefined) throw new Error('a transaction without COPY');
    const numbered = rows.map((one, n) => ({ n, ...one }));
    const count = await copyRows(copy, 'copied', COLUMNS, numbered);
    const stored = await tx.query(
      `select said, to_jsonb(names) as names, extract(epoch from at)::float8 * 1000 as at, kept, body from copied order by n`,
    );
    return { count, stored };
  });
}

describeOnBackends('rows by COPY', (backend) => {
  test('come back as they were', async () => {
    const store = await backend.open();
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 600 }), async (rows) => {
        const { count, stored } = await copied(store, rows);
        expect(count).toBe(rows.length);
        expect(
          stored.map((one) => ({ ...one, at: one['at'] === null ? null : Math.round(Number(one['at'])) })),
        ).toEqual(rows.map((one) => ({ ...one, kept: one.kept === null ? null : { ...one.kept } })));
      }),
      { numRuns: tries(25) },
    );
  });

  test('are no way into a table with row-level security, so that a batch inserts there', async () => {
    const store = await backend.open();
    const isCopying = (tx: Sql): boolean => tx.copy !== undefined;
    await expect(
      store.transaction(async (tx) => {
        expect(isCopying(await prepareBatch(tx, store.backend))).toBe(true);
        await tx.execute('create role wa_reconcile_test_guarded nologin');
        await tx.execute('alter table messages enable row level security');
        await tx.execute('set local role wa_reconcile_test_guarded');
        expect(isCopying(await prepareBatch(tx, store.backend))).toBe(false);
        throw new Error('undone');
      }),
    ).rejects.toThrow('undone');
  });

  test('a row that is there fails the transaction, and the next one works', async () => {
    const store = await backend.open();
    const twice = store.transaction(async (tx) => {
      await tx.execute('create temporary table once (n integer primary key) on commit drop');
      await tx.copy?.('copy once (n) from stdin', ['1\n', '2\n1\n', '3\n']);
    });
    await expect(twice).rejects.toMatchObject({ code: '23505' });
    expect((await copied(store, [])).count).toBe(0);
  });

  test('lines that cannot be made fail the transaction, and the next one works', async () => {
    const store = await backend.open();
    function* broken(): Generator<string> {
      yield '1\n';
      throw new Error('no more lines');
    }
    const failing = store.transaction(async (tx) => {
      await tx.execute('create temporary table broken (n integer) on commit drop');
      await tx.copy?.('copy broken (n) from stdin', broken());
    });
    await expect(failing).rejects.toThrow('no more lines');
    expect((await copied(store, [])).count).toBe(0);
  });
});
