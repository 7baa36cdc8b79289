import { expect, it } from 'vitest';
import { readTables } from '../../src/store/dump/tables.js';
import { readMigrations } from '../../src/store/migrations/status.js';
import { backUp, fillEverything, restoreInto, tableDigests, withStore } from '../support/backups.js';
import { describeOnServer } from '../support/databases.js';
import { shapeOf } from '../support/empty-database.js';

describeOnServer('backup and restore', (backend) => {
  it('give the same rows, tables and file again', async () => {
    const store = await backend.open();
    await fillEverything(store);
    const { access_log: nobody, ...unchanged } = await tableDigests(store);
    const { bytes, result } = await backUp(store);
    const before = await tableDigests(store);
    expect(before, 'a backup changes nothing, and says who has it').toMatchObject(unchanged);
    expect([nobody?.slice(0, 2), before['access_log']?.slice(0, 2)]).toEqual(['0 ', '1 ']);
    const isEmpty = ([, digest]: [string, string]) => digest.startsWith('0 ');
    expect(Object.entries(before).filter(isEmpty), 'tables without a row').toEqual([]);
    expect(result.tables.map(({ table }) => table).sort()).toEqual(
      Object.keys(before).filter((name) => name !== 'change_journal_id_seq'),
    );

    const config = await backend.emptyConfig();
    const restored = await restoreInto(config, bytes);
    expect(restored).toMatchObject({ rows: result.rows, migrated: [], sealedRows: 5, backend: backend.name });
    const untouched = await backend.config();
    const shape = await withStore(untouched, shapeOf);
    await withStore(config, async (copy) => {
      expect(await tableDigests(copy)).toEqual(before);
      expect(await shapeOf(copy)).toBe(shape);
      const again = await backUp(copy);
      const others = ({ tables }: typeof result) => tables.filter(({ table }) => table !== 'access_log');
      expect(others(again.result)).toEqual(others(result));
    });
  });

  it('copy the tables of this tool, and no others', async () => {
    const config = await backend.config();
    await withStore(config, async (store) => {
      await store.sql.execute('create table customers (id int primary key)');
      const names = (await readTables(store.sql, await readMigrations())).map(({ name }) => name);
      expect(names).not.toContain('customers');
      expect(names).not.toContain('_prisma_migrations');
    });
  });
});
