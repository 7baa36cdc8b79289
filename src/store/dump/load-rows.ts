import { z } from 'zod';
import { arrayLiteral } from '../array-literal.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { copyOfNdjson } from './copy-of-ndjson.js';
import { quoted, type ColumnShape, type SequenceState } from './tables.js';
import { OWN_SCHEMA } from '../own-schema.js';

/** A part of a table: whole lines of NDJSON, and how many they are said to be. */
export interface DumpedPart {
  ndjson: Buffer;
  rows: number;
  /** Throws what a part with another number of rows is. */
  refuse: (rows: number) => never;
}

/**
 * Stores the rows of a table; gives how many they are. One COPY takes them all: the server stores a part while the next one is made.
 * Throws NotARow for what is no row, and whatever a part throws. Fails where {@link readGuarded} names the table.
 */
export async function loadRows(
  tx: Sql,
  table: { name: string; columns: readonly ColumnShape[] },
  parts: AsyncIterable<DumpedPart>,
): Promise<number> {
  if (tx.copy === undefined) throw new Error('rows are loaded inside a transaction');
  const names = table.columns.map(({ name }) => quoted(name));
  return tx.copy(
    `copy ${quoted(table.name)} (${names.join(', ')}) from stdin`,
    copyOfParts(table.columns, parts),
  );
}

async function* copyOfParts(
  columns: readonly ColumnShape[],
  parts: AsyncIterable<DumpedPart>,
): AsyncGenerator<Buffer> {
  for await (const { ndjson, rows: expected, refuse } of parts) {
    let rows = 0;
    for (const piece of copyOfNdjson(columns, ndjson)) {
      rows += piece.rows;
      yield piece.text;
    }
    if (rows !== expected) refuse(rows);
  }
}

/** The tables where row-level security holds for us: PostgreSQL refuses `copy … from` there. */
export async function readGuarded(tx: Sql, tables: readonly string[]): Promise<string[]> {
  const rows = await tx.query(
    `select c.relname::text as name from pg_class c
     where c.relnamespace = ${OWN_SCHEMA} and c.relname = any($1::text[]) and row_security_active(c.oid) order by c.relname`,
    [arrayLiteral(tables)],
  );
  return rows.map((row) => textOf(row, 'name'));
}

/** Sets sequences to where they stood. */
export async function restoreSequences(tx: Sql, sequences: readonly SequenceState[]): Promise<void> {
  for (const { name, lastValue, isCalled } of sequences) {
    await tx.query('select setval($1::text::regclass, $2::bigint, $3::boolean)', [
      quoted(name),
      lastValue,
      isCalled,
    ]);
  }
}

const definition = z.object({ table: z.string(), name: z.string(), definition: z.string() });
type Definition = z.output<typeof definition>;

/** What is taken off the tables while rows are loaded, in the caller's transaction; `putBack` makes it again, and checks it. */
export interface SetAside {
  putBack: () => Promise<void>;
}

/**
 * Takes off the foreign keys and the indexes other than primary keys: to build an index once, and to check a key for all rows
 * together, takes a third of the time of doing it row by row. What another program's table refers to stays.
 */
export async function setConstraintsAside(tx: Sql, tables: readonly string[]): Promise<SetAside> {
  const ours = `c.relnamespace = ${OWN_SCHEMA} and c.relname = any($1::text[])`;
  const names = [arrayLiteral(tables)];
  const keys = await definitions(
    tx,
    `select c.relname::text as "table", k.conname::text as name, pg_get_constraintdef(k.oid) as definition
     from pg_constraint k join pg_class c on c.oid = k.conrelid
     where k.contype = 'f' and ${ours} order by k.conname`,
    names,
  );
  for (const { table, name } of keys) {
    await tx.execute(`alter table ${quoted(table)} drop constraint ${quoted(name)}`);
  }
  const indexes = await definitions(
    tx,
    `select c.relname::text as "table", x.relname::text as name, pg_get_indexdef(x.oid) as definition
     from pg_index i join pg_class x on x.oid = i.indexrelid join pg_class c on c.oid = i.indrelid
     where ${ours} and not i.indisprimary and i.indisvalid
       and not exists (select from pg_constraint k where k.conindid = x.oid) order by x.relname`,
    names,
  );
  for (const { name } of indexes) await tx.execute(`drop index ${quoted(name)}`);
  return {
    putBack: async () => {
      for (const index of indexes) await tx.execute(index.definition);
      for (const { table, name, definition: text } of keys) {
        await tx.execute(`alter table ${quoted(table)} add constraint ${quoted(name)} ${text}`);
      }
    },
  };
}

async function definitions(tx: Sql, query: string, names: string[]): Promise<Definition[]> {
  return (await tx.query(query, names)).map((row) => definition.parse(row));
}
