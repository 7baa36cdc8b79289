import { expect, it } from 'vitest';
import { applyMigrations, migrate } from '../../src/store/migrations/migrate.js';
import { readMigrations } from '../../src/store/migrations/status.js';
import { backUp, fillEverything, restoreOn, tableDigests, withStore } from '../support/backups.js';
import { describeOnBackends } from '../support/databases.js';
import { shapeOf } from '../support/empty-database.js';
import { replayBodies } from '../support/replaying.js';
import { live } from '../support/webhooks.js';

/** What the first version stored, and later migrations change. */
const OLD_ROWS = [
  `insert into connections (id, organization_id, name, kind, history_sync_status)
   select gen_random_uuid(), id, 'shop', 'coexistence', 'completed' from organizations`,
  `insert into sync_runs (id, command, options, status, host, pid, started_at)
   values (gen_random_uuid(), 'replay', '{"connection": "shop"}', 'completed', 'h', 1, now())`,
  `insert into leads (id, organization_id, phone_number, source, first_seen_at)
   select gen_random_uuid(), id, '+5511912345678', 'live_message', now() from organizations`,
];

/** A backup of the first version, and what its database is once it is migrated in place. */
interface OldBackup {
  bytes: Buffer;
  digests: Record<string, string>;
  shape: string;
}

describeOnBackends('the tables of a backup', (backend) => {
  let old: Promise<OldBackup> | undefined;
  /** Made once: a new embedded database takes seconds. */
  const oldBackup = (): Promise<OldBackup> => (old ??= makeOldBackup());

  async function makeOldBackup(): Promise<OldBackup> {
    return withStore(
      await backend.emptyConfig(),
      async (store) => {
        await applyMigrations(store, (await readMigrations()).slice(0, 1));
        for (const statement of OLD_ROWS) await store.sql.execute(statement);
        const { bytes } = await backUp(store);
        await migrate(store);
        return { bytes, digests: await tableDigests(store), shape: await shapeOf(store) };
      },
      { asItIs: true },
    );
  }

  it('of an older version are brought up to this one, as a migration in place would', async () => {
    const known = await readMigrations();
    const { bytes, digests, shape } = await oldBackup();
    // Into nothing, and into tables of this version that hold nothing.
    for (const config of [await backend.emptyConfig(), await backend.config()]) {
      await withStore(
        config,
        async (store) => {
          expect(await restoreOn(store, bytes)).toMatchObject({
            schema: known[0]?.name,
            migrated: known.slice(1).map(({ name }) => name),
          });
          expect(await tableDigests(store)).toEqual(digests);
          expect(await shapeOf(store)).toBe(shape);
          expect(await store.sql.query(`select options ? 'connectionId' as filled from sync_runs`)).toEqual([
            { filled: true },
          ]);
        },
        { asItIs: true },
      );
    }
  });

  it('of an older version are refused where another program’s objects depend on newer ones, and these are named', async () => {
    const { bytes } = await oldBackup();
    await withStore(await backend.config(), async (store) => {
      await store.sql.execute('create view lead_phones as select phone_number from leads');
      await store.sql.execute(
        'create table deals (id int, lead_id uuid constraint deals_lead references leads (id))',
      );
      const refused = restoreOn(store, bytes);
      await expect(refused).rejects.toMatchObject({
        code: 'database_shared',
        exitCode: 2,
        remedy: expect.stringContaining('without these objects') as string,
      });
      await expect(refused).rejects.toThrow(/view lead_phones .*leads/);
      await expect(refused).rejects.toThrow(/deals_lead on table deals/);
      expect(await store.sql.query('select count(*)::int as n from lead_phones')).toEqual([{ n: 0 }]);
      await store.sql.execute('drop view lead_phones');
      await store.sql.execute('drop table deals');
      const [first] = await readMigrations();
      expect(await restoreOn(store, bytes)).toMatchObject({ schema: first?.name });
    });
  });

  backend.once('are refused where there is data, and it stays as it is', async () => {
    const store = await backend.open();
    await fillEverything(store);
    const { bytes } = await backUp(store);
    const statements = [
      `insert into saved_comparisons (name, crm, url, options) values ('s', 'table', '\\x02', '{}')`,
      `update organizations set name = 'Acme'`,
      `insert into organizations (id, slug, name) values (gen_random_uuid(), 'acme', 'Acme')`,
    ];
    for (const statement of backend.some(statements, () => 'data')) {
      const other = await backend.open();
      await other.sql.execute(statement);
      const before = await tableDigests(other);
      await expect(restoreOn(other, bytes)).rejects.toMatchObject({
        code: 'database_not_empty',
        exitCode: 2,
      });
      expect(await tableDigests(other)).toEqual(before);
      await other.close();
    }
  });

  it('may have another program’s beside them, also one that refers to them; its columns are not lost', async () => {
    const ADD = `alter table leads add column score integer`;
    const bytes = await withStore(await backend.config(), async (store) => {
      await store.sql.execute(ADD);
      await replayBodies(store, [live('A1', 0)]);
      await store.sql.execute('update leads set score = 7');
      return (await backUp(store)).bytes;
    });
    await withStore(await backend.config(), async (store) => {
      await expect(restoreOn(store, bytes)).rejects.toMatchObject({
        code: 'backup_columns',
        message: expect.stringContaining('leads.score (integer)') as string,
      });
      expect(await store.sql.query('select count(*)::int as n from leads')).toEqual([{ n: 0 }]);
      await store.sql.execute(ADD);
      await store.sql.execute('create table deals (lead_id uuid references leads (id), message text)');
      await restoreOn(store, bytes);
      expect(await store.sql.query('select score from leads')).toEqual([{ score: 7 }]);
    });
  });

  backend.once(
    'that no database could hold are an error of the file, although its hashes are right',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A1', 0)]);
      const { bytes } = await backUp(store);
      await store.close();
      await withStore(await backend.config(), async (other) => {
        await other.sql.execute(
          `alter table leads add constraint none check (phone_number is null) not valid`,
        );
        await expect(restoreOn(other, bytes)).rejects.toMatchObject({ code: 'backup_invalid', exitCode: 1 });
        expect(await other.sql.query('select count(*)::int as n from leads')).toEqual([{ n: 0 }]);
      });
    },
  );

  backend.once('take rows of any size, a few at a time', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)]);
    const SIZE = 24 * 1024 * 1024;
    await store.sql.execute(
      `update webhook_log set raw_body = decode(repeat(md5('1'), ${SIZE / 16}), 'hex') where id = (select max(id::text)::uuid from webhook_log)`,
    );
    const { bytes } = await backUp(store);
    const digests = await tableDigests(store);
    await store.close();
    await withStore(await backend.config(), async (copy) => {
      await restoreOn(copy, bytes);
      expect(await tableDigests(copy)).toEqual(digests);
    });
  });
});
