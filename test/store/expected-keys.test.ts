import { expect, it } from 'vitest';
import {
  isKeySound,
  MESSAGE_KEY,
  readConstraintStates,
  readKeyStates,
  UNIQUE_KEYS,
} from '../../src/store/checks/schema.js';
import { openStore } from '../../src/store/open-store.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

describeOnBackends('what verify expects of the catalog is what the migrations make', (backend) => {
  it('every unique index, and no other', async () => {
    const { sql } = await backend.open();
    const rows = await sql.query(
      `select replace(indexdef, ' ON ' || quote_ident(schemaname) || '.', ' ON ') as definition from pg_indexes
       where schemaname = current_schema() and indexdef like 'CREATE UNIQUE INDEX%' and tablename <> '_prisma_migrations'`,
    );
    const expected = UNIQUE_KEYS.map(
      ({ index, table, columns, where }) =>
        `CREATE UNIQUE INDEX ${index} ON ${table} USING btree (${columns.join(', ')})` +
        (where === undefined ? '' : ` WHERE (${where.replace("'open'", "'open'::text")})`),
    );
    expect(rows.map((row) => row['definition']).sort()).toEqual(expected.sort());
    const states = await readKeyStates(sql);
    for (const [key, state] of states) expect(state).toEqual({ state: 'sound', by: key.index });
  });

  it('one of them alone: by whatever name, and not by an index of another table', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    const { sql } = store;
    const isSound = (): Promise<boolean> => isKeySound(sql, MESSAGE_KEY);
    expect(await isSound()).toBe(true);
    await sql.execute(`alter index ${MESSAGE_KEY.index} rename to another_name`);
    expect(await isSound()).toBe(true);
    await sql.execute('drop index another_name');
    expect(await isSound()).toBe(false);
    await sql.execute(`create table other (${MESSAGE_KEY.columns.map((name) => `${name} text`).join(', ')})`);
    await sql.execute(
      `create unique index ${MESSAGE_KEY.index} on other (${MESSAGE_KEY.columns.join(', ')})`,
    );
    expect(await isSound()).toBe(false);
    await store.close();
  });

  it('every foreign key and check, and no other', async () => {
    const { sql } = await backend.open();
    const states = await readConstraintStates(sql);
    expect(states.filter(({ fault }) => fault !== null)).toEqual([]);
    const [row] = await sql.query(
      `select count(*)::int as count from pg_constraint c join pg_class t on t.oid = c.conrelid
       where t.relnamespace = ${OWN_SCHEMA} and c.contype in ('f', 'c') and t.relname <> '_prisma_migrations'`,
    );
    expect(row?.['count']).toBe(states.length);
  });
});
