import type { Store } from '../../src/store/store.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

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
      where c.relnamespace = ${OWN_SCHEMA} and c.relkind = 'r' and c.relname <> '_prisma_migrations'`,
  );
  const tables = childrenFirst(rows);
  const count = tables.map((table) => `(select count(*) from ${table})`).join(' + ');
  const deletes = tables.map((table) => `delete from ${table};`).join(' ');
  const sequences = await store.sql.query(
    `select c.oid::regclass::text as name from pg_class c
      where c.relnamespace = ${OWN_SCHEMA} and c.relkind = 'S'`,
  );
  const resets = sequences.map(({ name }) => `perform setval('${String(name)}', 1, false);`).join(' ');
  // A function of the session: its statements are planned once, and planning them costs ten times as much as running them.
  const make = `create function pg_temp.empty_again() returns void language plpgsql as $$ begin
    if ${count} > ${MANY_ROWS} then truncate ${tables.join(', ')}; else ${deletes} end if;
    ${resets}
    insert into organizations (id, slug, name) values ('00000000-0000-7000-8000-000000000001', 'default', 'Default');
  end $$`;
  return () =>
    store.transaction(async (tx) => {
      const [session] = await tx.query(`select to_regprocedure('pg_temp.empty_again()') is null as is_fresh`);
      if (session?.['is_fresh'] === true) await tx.execute(make);
      await tx.query('select pg_temp.empty_again()');
    });
}

/** All that a test can change beside rows: columns, constraints, indexes, triggers, functions, and the session's settings. */
export async function shapeOf(store: Store): Promise<string> {
  const here = OWN_SCHEMA;
  const lines = await store.sql.query(
    `select concat_ws(' ', c.relname, c.relkind, c.reloptions, c.relrowsecurity, a.attname, a.atttypid::regtype, a.attnotnull,
                      pg_get_expr(d.adbin, d.adrelid)) as line
       from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped and a.attnum > 0
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = ${here} and c.relkind in ('r', 'v', 'm')
     union all
     select concat_ws(' ', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = ${here}
     union all
     select concat_ws(' ', indisvalid, pg_get_indexdef(indexrelid)) from pg_index join pg_class c on c.oid = indexrelid
      where c.relnamespace = ${here}
     union all
     select concat_ws(' ', tgenabled, pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
     union all
     select concat_ws(' ', proname, md5(prosrc)) from pg_proc where pronamespace = ${here}
     union all
     select concat_ws(' ', 'schema', nspname) from pg_namespace where nspname !~ '^pg_(temp|toast)'
     union all
     select concat_ws(' ', 'setting', name, setting) from pg_settings where source = 'session' and name !~ '^transaction_'
      order by 1`,
  );
  return lines.map(({ line }) => String(line)).join('\n');
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
