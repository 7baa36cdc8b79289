import { describe, expect, test } from 'vitest';
import { EXIT, UserError } from '../../src/model/errors.js';
import { checksumOf, readMigrations, type MigrationFile } from '../../src/store/migrations/status.js';
import {
  applyMigrations,
  assertMigrated,
  migrate,
  migrationStatus,
} from '../../src/store/migrations/migrate.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends, TEST_OPTIONS, useBackend, type TestBackend } from '../support/databases.js';

function file(name: string, script: string): MigrationFile {
  return { name, script, checksum: checksumOf(script) };
}

async function withStore(
  backend: TestBackend,
  kind: 'config' | 'emptyConfig',
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const store = await openStore(await backend[kind](), TEST_OPTIONS);
  await work(store).finally(() => store.close());
}

/** A migrated database whose bookkeeping the work may spoil; it is put right afterwards. */
async function withRecords(backend: TestBackend, work: (store: Store) => Promise<void>): Promise<void> {
  const store = await backend.open();
  await store.sql.execute('create table kept as table _prisma_migrations');
  try {
    await work(store);
  } finally {
    await store.sql.execute('delete from _prisma_migrations');
    await store.sql.execute('insert into _prisma_migrations select * from kept');
    await store.sql.execute('drop table kept');
  }
}

async function refusal(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw error;
  return error;
}

describeOnBackends('migrations', (backend) => {
  test('are all on record after the first use, and a second run applies none', async () => {
    await withStore(backend, 'emptyConfig', async (store) => {
      const known = (await readMigrations()).map(({ name }) => name);
      const { applied } = await migrate(store);
      // The embedded database has migrated itself by being opened.
      expect(applied).toEqual(backend.name === 'pglite' ? [] : known);
      const status = await migrationStatus(store);
      expect(status.applied.map(({ name }) => name)).toEqual(known);
      expect(await migrate(store)).toEqual({ applied: [] });
      await assertMigrated(store);
    });
  });

  test('are recorded in the very table that Prisma keeps', async () => {
    await withStore(backend, 'config', async (store) => {
      const columns = await store.sql.query(
        `select column_name::text as name, data_type::text as type, character_maximum_length::int as length,
                is_nullable::text as nullable, column_default::text as "default"
           from information_schema.columns where table_name = '_prisma_migrations' order by ordinal_position`,
      );
      const timestamp = 'timestamp with time zone';
      expect(columns.map((column) => Object.values(column))).toEqual([
        ['id', 'character varying', 36, 'NO', null],
        ['checksum', 'character varying', 64, 'NO', null],
        ['finished_at', timestamp, null, 'YES', null],
        ['migration_name', 'character varying', 255, 'NO', null],
        ['logs', 'text', null, 'YES', null],
        ['rolled_back_at', timestamp, null, 'YES', null],
        ['started_at', timestamp, null, 'NO', 'now()'],
        ['applied_steps_count', 'integer', null, 'NO', '0'],
      ]);
      const [record] = await store.sql.query(
        'select * from _prisma_migrations order by migration_name limit 1',
      );
      const [first] = await readMigrations();
      expect(record).toMatchObject({
        migration_name: first?.name,
        checksum: first?.checksum,
        logs: null,
        rolled_back_at: null,
        applied_steps_count: 1,
      });
      expect(record?.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(record?.finished_at).toBeInstanceOf(Date);
    });
  });

  test('that fail are rolled back whole, and those before them stay', async () => {
    await withStore(backend, 'config', async (store) => {
      const known = [
        ...(await readMigrations()),
        file('90000000000001_good', 'create table extra (id int); insert into extra values (1);'),
        file(
          '90000000000002_bad',
          'insert into extra values (2);\n-- oops\ninsert into no_such_table values (1);',
        ),
      ];
      const error = await refusal(applyMigrations(store, known));
      expect(error).toMatchObject({ code: 'migration_failed', exitCode: EXIT.failure });
      expect(error.message).toContain('90000000000002_bad');
      expect(error.message).toContain('insert into no_such_table');
      expect(await store.sql.query('select id from extra')).toEqual([{ id: 1 }]);
      const names = await store.sql.query(
        'select migration_name::text as name from _prisma_migrations order by 1',
      );
      expect(names.at(-1)).toEqual({ name: '90000000000001_good' });
    });
  });

  test('of a newer version are refused', async () => {
    await withRecords(backend, async (store) => {
      await applyMigrations(store, [...(await readMigrations()), file('90000000000001_future', 'select 1;')]);
      for (const work of [migrate, assertMigrated]) {
        const error = await refusal(work(store));
        expect(error).toMatchObject({ code: 'database_newer', exitCode: EXIT.usage });
        expect(error.message).toContain('90000000000001_future');
      }
    });
  });

  test('that Prisma began and did not finish are refused, until it is said what became of them', async () => {
    await withRecords(backend, async (store) => {
      await store.sql.execute('update _prisma_migrations set finished_at = null');
      expect(await refusal(migrate(store))).toMatchObject({
        code: 'migration_incomplete',
        exitCode: EXIT.usage,
      });
      // What `prisma migrate resolve --applied` leaves: the failed row rolled back, and a new finished one.
      await store.sql.execute(
        `with failed as (update _prisma_migrations set rolled_back_at = now() returning *)
         insert into _prisma_migrations (id, checksum, finished_at, migration_name)
         select gen_random_uuid()::text, checksum, now(), migration_name from failed`,
      );
      expect(await migrate(store)).toEqual({ applied: [] });
    });
  });

  test('whose file was edited afterwards are refused', async () => {
    await withRecords(backend, async (store) => {
      await store.sql.execute(`update _prisma_migrations set checksum = repeat('0', 64)`);
      expect(await refusal(migrate(store))).toMatchObject({
        code: 'migration_changed',
        exitCode: EXIT.usage,
      });
    });
  });

  test('whose file has other line ends are the same', async () => {
    await withRecords(backend, async (store) => {
      const windows = (await readMigrations()).map(({ name, script }) =>
        file(name, script.replaceAll('\n', '\r\n')),
      );
      expect(await applyMigrations(store, windows)).toEqual({ applied: [] });
    });
  });

  test('are not applied over tables that another program made', async () => {
    await withStore(backend, 'config', async (store) => {
      await store.sql.execute('drop table _prisma_migrations');
      const error = await refusal(migrate(store));
      expect(error).toMatchObject({ code: 'database_foreign', exitCode: EXIT.usage });
      expect(error.message).toContain('organizations');
    });
  });

  test("are not mixed with another program's", async () => {
    await withRecords(backend, async (store) => {
      await store.sql.execute(
        `update _prisma_migrations set migration_name = '2020_other_' || migration_name`,
      );
      const error = await refusal(migrate(store));
      expect(error).toMatchObject({ code: 'database_foreign', exitCode: EXIT.usage });
      expect(error.message).toContain('2020_other_');
    });
  });
});

describe('a PostgreSQL that nobody has migrated', () => {
  const backend = useBackend('postgresql');

  test('is left as it is when it is opened, and the message says what to run', async () => {
    await withStore(backend, 'emptyConfig', async (store) => {
      const error = await refusal(assertMigrated(store));
      expect(error).toMatchObject({
        code: 'migrations_pending',
        exitCode: EXIT.usage,
        remedy: { command: 'db migrate', args: [] },
      });
      expect(await store.sql.query(`select 1 from pg_class where relname = '_prisma_migrations'`)).toEqual(
        [],
      );
      expect((await migrationStatus(store)).pending).not.toEqual([]);
    });
  });

  test('with tables of others beside is migrated all the same', async () => {
    await withStore(backend, 'emptyConfig', async (store) => {
      await store.sql.execute('create table invoices (id int)');
      await migrate(store);
      await assertMigrated(store);
    });
  });
});
