import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { migrate } from '../../src/store/migrations/migrate.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { backUp, restoreInto, tableDigests, withStore } from '../support/backups.js';
import { runChild } from '../support/child-process.js';
import { describeOnBackends, TEST_OPTIONS, useBackend } from '../support/databases.js';
import { insertRow } from '../support/damage.js';
import { value } from '../support/shown.js';

const AT = new Date('2026-03-01T10:00:00.123Z');

/** How values are written, as no other program expects it. */
const FORMS = [
  `bytea_output to ''escape''`,
  'extra_float_digits to -3',
  `datestyle to ''SQL, DMY''`,
  `intervalstyle to ''iso_8601''`,
  'standard_conforming_strings to off',
];

describe('a PostgreSQL whose settings are meant for something else', () => {
  const backend = useBackend('postgresql');

  /** For the sessions that follow. */
  async function set(store: Store, settings: readonly string[]): Promise<void> {
    for (const setting of settings) {
      await store.sql.execute(
        `do $$ begin execute format('alter database %I set ${setting}', current_database()); end $$`,
      );
    }
  }

  async function open(setting: string): Promise<Store> {
    const config = await backend.config();
    await withStore(config, (before) => set(before, [setting]));
    return openStore(config, TEST_OPTIONS);
  }

  test('in another time zone keeps every instant', async () => {
    const store = await open(`timezone to ''America/Sao_Paulo''`);
    const [row] = await store.sql.query(
      `select $1::timestamptz as bound, '2026-03-01T10:00:00.123Z'::timestamptz as spelled, ($1::timestamptz at time zone 'UTC')::text as stored`,
      [AT],
    );
    expect(row).toEqual({ bound: AT, spelled: AT, stored: '2026-03-01 10:00:00.123' });
    await store.close();
  });

  test('that writes values in another form gives the same ones', async () => {
    const config = await backend.config();
    await withStore(config, (store) => set(store, FORMS));
    await withStore(config, async (store) => {
      expect(await value(store, `select '\\x005c7bff'::bytea`)).toEqual(
        new Uint8Array([0, 0x5c, 0x7b, 0xff]),
      );
      expect(await value(store, `select (0.1::float8 + 0.2::float8)::text`)).toBe('0.30000000000000004');
      expect(await value(store, `select '1 day 02:00'::interval::text`)).toBe('1 day 02:00:00');
      expect(await value(store, `select '2026-03-01'::date::text`)).toBe('2026-03-01');
    });
  });

  test('that writes values in another form loses no digit in a backup', async () => {
    const [from, to] = [await backend.config(), await backend.config()];
    for (const config of [from, to]) {
      await withStore(config, async (store) => {
        await set(store, FORMS);
        await store.sql.execute('alter table organizations add column score double precision');
      });
    }
    const bytes = await withStore(from, async (store) => {
      await store.sql.execute('update organizations set score = 0.1::float8 + 0.2::float8');
      return (await backUp(store)).bytes;
    });
    await restoreInto(to, bytes);
    await withStore(to, async (store) => {
      expect(await value(store, 'select score = 0.1::float8 + 0.2::float8 from organizations')).toBe(true);
    });
  });

  test('with a statement timeout does not stop a long statement', async () => {
    const store = await open('statement_timeout to 50');
    await store.sql.query('select pg_sleep(0.2)::text');
    await store.transaction((tx) => tx.query('select pg_sleep(0.2)::text'));
    await store.close();
  });

  test('with a timeout for idle transactions does not end a transaction that thinks', async () => {
    const store = await open('idle_in_transaction_session_timeout to 50');
    const rows = await store.transaction(async (tx) => {
      await tx.query('select 1');
      await new Promise((resolve) => setTimeout(resolve, 300));
      return tx.query('select 2 as two');
    });
    expect(rows).toEqual([{ two: 2 }]);
    await store.close();
  });

  test('shows who is connected', async () => {
    const store = await backend.open();
    const [row] = await store.sql.query(`select current_setting('application_name') as name`);
    expect(row?.name).toBe('wa-reconcile');
  });
});

describe('a schema of its own', () => {
  const backend = useBackend('postgresql');

  function inSchema(config: DatabaseConfig, schema: string): DatabaseConfig {
    if (config.kind !== 'postgresql') throw new Error('not a server');
    const url = new URL(config.url);
    url.searchParams.set('schema', schema);
    return { kind: 'postgresql', url: url.toString() };
  }

  test.each(['crm', 'CRM', 'a.b', 'b C', `Odd 'name'; -- with, all \\ $1`, 'ünïcode'])(
    '%s is made and used',
    async (schema) => {
      const config = await backend.emptyConfig();
      const store = await openStore(inSchema(config, schema), TEST_OPTIONS);
      await migrate(store);
      expect(await value(store, 'select count(*)::int from organizations')).toBe(1);
      const rows = await store.sql.query(
        `select table_schema::text as schema from information_schema.tables where table_name = 'organizations'`,
      );
      expect(rows).toEqual([{ schema }]);
      await store.sql.execute(`update organizations set name = 'Acme'`);
      const { bytes } = await backUp(store);
      const digests = await tableDigests(store);
      await store.close();
      const target = inSchema(await backend.emptyConfig(), schema);
      await restoreInto(target, bytes);
      expect(await withStore(target, tableDigests)).toEqual(digests);
    },
  );

  test('keeps two installations in one database apart', async () => {
    const config = await backend.emptyConfig();
    for (const schema of ['one', 'two']) {
      const store = await openStore(inSchema(config, schema), TEST_OPTIONS);
      await migrate(store);
      await insertRow(store, 'organizations', { id: randomUUID(), slug: schema, name: schema });
      expect(await value(store, 'select count(*)::int from organizations')).toBe(2);
      await store.close();
    }
  });
});

describeOnBackends('a machine in another time zone', (backend) => {
  test('keeps every instant', async () => {
    const config = await backend.config();
    const { stdout, stderr } = await runChild(
      `const { openStore } = await load('src/store/open-store');
       const store = await openStore(input.config, { command: 'test', host: 'test', pid: process.pid });
       const at = new Date(input.at);
       const [row] = await store.sql.query("select $1::timestamptz as bound, ($1::timestamptz at time zone 'UTC')::text as stored", [at]);
       await store.close();
       console.log(JSON.stringify(row));`,
      { input: { config, at: AT }, env: { TZ: 'America/Sao_Paulo', PGTZ: 'Asia/Tokyo' } },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ bound: AT.toISOString(), stored: '2026-03-01 10:00:00.123' });
  });
});
