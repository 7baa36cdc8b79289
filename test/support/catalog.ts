import { z } from 'zod';
import type { Store } from '../../src/store/store.js';
import type { TableShape } from './prisma-schema.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

/** What Prisma cannot express, as the database has it. */
export interface CatalogExtras {
  /** By name: the table and the condition, as PostgreSQL writes it. */
  checks: Record<string, { table: string; definition: string }>;
  /** Partial, expression or covering indexes, by name: their definition. */
  specialIndexes: Record<string, string>;
  /** `table.column` of what is not compared in the database's own order: the collation. */
  collations: Record<string, string>;
}

const OWN_TABLES = `c.relnamespace = ${OWN_SCHEMA} and c.relname <> '_prisma_migrations'`;

/** Reads from PostgreSQL's catalogs what the migrations have made. */
export async function readCatalog(
  store: Store,
): Promise<{ tables: Record<string, TableShape>; extras: CatalogExtras }> {
  const tables: Record<string, TableShape> = {};
  const extras: CatalogExtras = { checks: {}, specialIndexes: {}, collations: {} };
  const tableOf = (name: string): TableShape =>
    (tables[name] ??= { columns: {}, primaryKey: { name: '', columns: [] }, indexes: {}, foreignKeys: {} });

  for (const row of await columns(store)) {
    tableOf(row.table).columns[row.name] = {
      type: row.type,
      notNull: row.not_null,
      default: row.default,
    };
    if (row.collation !== 'default' && row.collation !== '') {
      extras.collations[`${row.table}.${row.name}`] = row.collation;
    }
  }
  for (const row of await indexes(store)) {
    if (row.special) extras.specialIndexes[row.name] = row.definition;
    else if (row.is_primary) tableOf(row.table).primaryKey = { name: row.name, columns: row.columns };
    else {
      tableOf(row.table).indexes[row.name] = {
        unique: row.is_unique,
        method: row.method,
        columns: row.columns,
      };
    }
  }
  for (const row of await constraints(store)) {
    if (row.kind === 'c') extras.checks[row.name] = { table: row.table, definition: row.definition };
    else {
      tableOf(row.table).foreignKeys[row.name] = {
        columns: row.columns,
        table: row.target,
        references: row.references,
        onUpdate: ACTIONS[row.on_update] ?? row.on_update,
        onDelete: ACTIONS[row.on_delete] ?? row.on_delete,
      };
    }
  }
  return { tables, extras };
}

const ACTIONS: Readonly<Record<string, string>> = {
  a: 'noaction',
  r: 'restrict',
  c: 'cascade',
  n: 'setnull',
  d: 'setdefault',
};

const ColumnRow = z.object({
  table: z.string(),
  name: z.string(),
  type: z.string(),
  not_null: z.boolean(),
  default: z.string().nullable(),
  collation: z.string(),
});

async function columns(store: Store): Promise<z.output<typeof ColumnRow>[]> {
  const rows = await store.sql.query(
    `select c.relname::text as "table", a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
            a.attnotnull as not_null, pg_get_expr(d.adbin, d.adrelid) as "default", coalesce(k.collname::text, '') as collation
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       left join pg_collation k on k.oid = a.attcollation
      where c.relkind = 'r' and ${OWN_TABLES}`,
  );
  return rows.map((row) => ColumnRow.parse(row));
}

const IndexRow = z.object({
  table: z.string(),
  name: z.string(),
  method: z.string(),
  is_unique: z.boolean(),
  is_primary: z.boolean(),
  special: z.boolean(),
  columns: z.array(z.string()),
  definition: z.string(),
});

async function indexes(store: Store): Promise<z.output<typeof IndexRow>[]> {
  const rows = await store.sql.query(
    `select c.relname::text as "table", x.relname::text as name, m.amname::text as method, i.indisunique as is_unique,
            i.indisprimary as is_primary,
            (i.indpred is not null or i.indexprs is not null or i.indnatts <> i.indnkeyatts) as special,
            array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
                    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum order by k.place) as columns,
            pg_get_indexdef(x.oid) as definition
       from pg_index i
       join pg_class x on x.oid = i.indexrelid
       join pg_class c on c.oid = i.indrelid
       join pg_am m on m.oid = x.relam
      where ${OWN_TABLES}`,
  );
  return rows.map((row) => IndexRow.parse(row));
}

const ConstraintRow = z.object({
  table: z.string(),
  name: z.string(),
  kind: z.enum(['c', 'f']),
  columns: z.array(z.string()),
  target: z.string(),
  references: z.array(z.string()),
  on_update: z.string(),
  on_delete: z.string(),
  definition: z.string(),
});

async function constraints(store: Store): Promise<z.output<typeof ConstraintRow>[]> {
  const names = (table: string, numbers: string): string =>
    `array(select a.attname::text from unnest(${numbers}) with ordinality as n (attnum, place)
             join pg_attribute a on a.attrelid = ${table} and a.attnum = n.attnum order by n.place)`;
  const rows = await store.sql.query(
    `select c.relname::text as "table", k.conname::text as name, k.contype::text as kind, ${names('k.conrelid', 'k.conkey')} as columns,
            coalesce((select t.relname::text from pg_class t where t.oid = k.confrelid), '') as target,
            ${names('k.confrelid', 'k.confkey')} as references, k.confupdtype::text as on_update, k.confdeltype::text as on_delete,
            pg_get_constraintdef(k.oid) as definition
       from pg_constraint k join pg_class c on c.oid = k.conrelid
      where k.contype in ('c', 'f') and ${OWN_TABLES}`,
  );
  return rows.map((row) => ConstraintRow.parse(row));
}
