import { z } from 'zod';
import { ourTables, type MigrationFile } from '../migrations/status.js';
import type { Sql } from '../sql.js';
import { OWN_SCHEMA } from '../own-schema.js';

/** A table as the catalog has it, as far as its rows have to be copied. */
export interface TableShape {
  name: string;
  columns: readonly ColumnShape[];
  /** Of the primary key: the order of the rows, which makes two backups of equal tables equal. */
  key: readonly string[];
  sequences: readonly SequenceState[];
}

export interface ColumnShape {
  name: string;
  /** As SQL writes it: `timestamp(3) with time zone`. */
  type: string;
  /**
   * Copied as PostgreSQL's own text: JSON cannot hold it exactly. A jsonb `null` would come back as no value, an array without
   * its bounds.
   */
  asText: boolean;
}

/** How a value stands in JSON, and how that differs from COPY's text. */
export type ValueKind = 'text' | 'number' | 'boolean' | 'time';

export function valueKind({ type, asText }: ColumnShape): ValueKind {
  if (asText) return 'text';
  if (type === 'integer' || type === 'bigint') return 'number';
  if (type === 'boolean') return 'boolean';
  return type.startsWith('timestamp') ? 'time' : 'text';
}

export interface SequenceState {
  name: string;
  lastValue: string;
  isCalled: boolean;
}

/** Types that JSON holds exactly, and that PostgreSQL reads from it as it wrote them. */
const EXACT_IN_JSON =
  /^(?:uuid|text|character varying(?:\(\d+\))?|integer|bigint|boolean|bytea|timestamp(?:\(\d\))? with time zone)$/;

const tableRow = z.object({ name: z.string(), key: z.array(z.string()), parents: z.array(z.string()) });
const columnRow = z.object({ table: z.string(), name: z.string(), type: z.string() });
const sequenceRow = z.object({ table: z.string(), name: z.string() });

/**
 * The tables that this tool's migrations have made, referenced ones first. Another program's tables in the same schema are not
 * ours to copy.
 */
export async function readTables(sql: Sql, known: readonly MigrationFile[]): Promise<TableShape[]> {
  const ours = new Set(ourTables(known));
  const here = `c.relnamespace = ${OWN_SCHEMA} and c.relkind in ('r', 'p')`;
  const tables = await sql.query(
    `select c.relname::text as name,
       to_jsonb(array(select a.attname::text from pg_index i
              cross join lateral unnest(i.indkey::int2[]) with ordinality as k (attnum, place)
              join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
              where i.indrelid = c.oid and i.indisprimary order by k.place)) as key,
       to_jsonb(array(select p.relname::text from pg_constraint k join pg_class p on p.oid = k.confrelid
              where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid)) as parents
     from pg_class c where ${here} order by c.relname`,
  );
  const columns = await sql.query(
    `select c.relname::text as "table", a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where ${here} and a.attgenerated = '' order by c.relname, a.attnum`,
  );
  const sequences = await sql.query(
    `select c.relname::text as "table", s.relname::text as name
     from pg_class c
     join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.classid = 'pg_class'::regclass
     join pg_class s on s.oid = d.objid and s.relkind = 'S'
     where ${here} order by s.relname`,
  );
  const columnsOf = groupedByTable(columns.map((row) => columnRow.parse(row)));
  const sequencesOf = groupedByTable(sequences.map((row) => sequenceRow.parse(row)));
  const found = tables.map((row) => tableRow.parse(row)).filter(({ name }) => ours.has(name));
  const shapes: TableShape[] = [];
  for (const { name, key } of parentsFirst(found)) {
    const states: SequenceState[] = [];
    for (const sequence of sequencesOf.get(name) ?? []) states.push(await readSequence(sql, sequence.name));
    shapes.push({
      name,
      key,
      columns: (columnsOf.get(name) ?? []).map((column) => ({
        name: column.name,
        type: column.type,
        asText: !EXACT_IN_JSON.test(column.type),
      })),
      sequences: states,
    });
  }
  return shapes;
}

const sequenceState = z.object({ last_value: z.bigint(), is_called: z.boolean() });

async function readSequence(sql: Sql, name: string): Promise<SequenceState> {
  const [row] = await sql.query(`select last_value, is_called from ${quoted(name)}`);
  const { last_value: lastValue, is_called: isCalled } = sequenceState.parse(row);
  return { name, lastValue: String(lastValue), isCalled };
}

/** A name as SQL takes it, whatever is in it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function groupedByTable<T extends { table: string }>(rows: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(row.table, [...(groups.get(row.table) ?? []), row]);
  return groups;
}

function parentsFirst<T extends { name: string; parents: readonly string[] }>(tables: readonly T[]): T[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const order = new Set<T>();
  const visit = (table: T, path: readonly string[]): void => {
    for (const parent of table.parents) {
      const found = byName.get(parent);
      if (found !== undefined && !path.includes(parent)) visit(found, [...path, table.name]);
    }
    order.add(table);
  };
  for (const table of tables) visit(table, []);
  return [...order];
}
