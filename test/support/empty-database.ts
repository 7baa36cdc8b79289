import type { Store } from '../../src/store/store.js';

/** Above this many rows a table is truncated: their dead versions would slow down the tests that come after. */
const MANY_ROWS = 500;

/**
 * Gives a function that takes a migrated store back to how the migrations left it. Deleting from tables with few rows is ten
 * times as quick as truncating them, which writes a new file per table and index.
 */
export async function createEmptier(store: Store): Promise<() => Promise<void>> {
  const rows = await store.sql.query(
    `select c.relname::text as name,
            array(select k.confrelid::regclass::text from pg_constraint k
                   where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as parents
       from pg_class c
      where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relname <> '_prisma_migrations'`,
  );
  const tables = childrenFirst(rows);
  const count = tables.map((table) => `(select count(*) from ${table})`).join(' + ');
  return async () => {
    const [total] = await store.sql.query(`select (${count})::int as rows`);
    await store.transaction(async (tx) => {
      if (Number(total?.rows) > MANY_ROWS) await tx.execute(`truncate ${tables.join(', ')}`);
      else for (const table of tables) await tx.execute(`delete from ${table}`);
      await tx.execute(
        `insert into organizations (id, slug, name) values ('00000000-0000-7000-8000-000000000001', 'default', 'Default')`,
      );
    });
  };
}

function childrenFirst(rows: readonly Record<string, unknown>[]): string[] {
  const parents = new Map(rows.map((row) => [String(row.name), (row.parents ?? []) as string[]]));
  const order: string[] = [];
  const visit = (table: string): void => {
    if (order.includes(table)) return;
    for (const parent of parents.get(table) ?? []) visit(parent);
    order.push(table);
  };
  for (const table of parents.keys()) visit(table);
  return order.reverse();
}
