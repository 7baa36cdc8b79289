import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { assertMigrated, migrate, migrationStatus } from '../../src/store/migrations/migrate.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { insertRow } from '../support/damage.js';
import { select, value } from '../support/shown.js';

describeOnBackends('a store', (backend) => {
  test('is migrated and empty when a test opens it', async () => {
    const store = await backend.open();
    await assertMigrated(store);
    expect(await value(store, 'select count(*)::int from leads')).toBe(0);
    expect(await select(store, 'select slug from organizations')).toEqual([{ slug: 'default' }]);
  });

  test('gives rows as Date, bigint, bytes and parsed JSON', async () => {
    const store = await backend.open();
    const rows = await store.sql.query(
      `select $1::timestamptz as at, 7::bigint as big, '\\x01ff'::bytea as bytes, '{"a":[1]}'::jsonb as json, $2::text[] as texts`,
      [new Date('2026-03-01T10:00:00.123Z'), '{a,NULL,"b c"}'],
    );
    expect(rows).toEqual([
      {
        at: new Date('2026-03-01T10:00:00.123Z'),
        big: 7n,
        bytes: Uint8Array.from([1, 255]),
        json: { a: [1] },
        texts: ['a', null, 'b c'],
      },
    ]);
  });

  test('takes parameters as they are, whatever they look like', async () => {
    const store = await backend.open();
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const texts = ['2026-03-01T10:00:00.000Z', '{}', '[1]', 'NULL', '42', '', "it's", '\\x00', 'é😀'];
    const rows = await store.sql.query(
      `select ${texts.map((_, index) => `$${index + 1}::text`).join(" || '|' || ")} as texts, $10::bytea as bytes,
              $11::bigint as big, $12::double precision as fraction, $13::boolean as truth, $14::text as nothing`,
      [...texts, bytes, 2 ** 40, 0.1, true, null],
    );
    expect(rows).toEqual([
      { texts: texts.join('|'), bytes, big: 2n ** 40n, fraction: 0.1, truth: true, nothing: null },
    ]);
  });

  test('counts what a statement wrote', async () => {
    const store = await backend.open();
    const insert = `insert into organizations (id, slug, name)
                    select gen_random_uuid(), 's' || n, 'x' from generate_series(1, 7) n`;
    expect(await store.sql.execute(insert)).toBe(7);
    expect(await store.sql.execute(`update organizations set name = 'y' where name = 'x'`)).toBe(7);
    expect(await store.sql.execute(`delete from organizations where name = 'x'`)).toBe(0);
  });

  test('is emptied between tests', async () => {
    for (const round of [1, 2]) {
      const store = await backend.open();
      expect(await value(store, 'select count(*)::int from organizations'), `round ${round}`).toBe(1);
      await insertRow(store, 'organizations', { id: randomUUID(), slug: 'other', name: 'Other' });
      await store.close();
    }
  });

  test('opens a database of its own', async () => {
    const config = await backend.emptyConfig();
    const store = await openStore(config, TEST_OPTIONS);
    await migrate(store);
    expect((await migrationStatus(store)).pending).toEqual([]);
    await store.close();
    await store.close();
  });
});
