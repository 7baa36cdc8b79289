import { z } from 'zod';
import type { Sql } from '../sql.js';
import { quoted, type ColumnShape, type SequenceState } from './tables.js';
import { OWN_SCHEMA } from '../own-schema.js';

/** So much is sent in one statement. */
const BATCH_BYTES = 4 * 1024 * 1024;
const NEWLINE = 10;
const COMMA = 44;
const OPEN = Buffer.from('[');
const CLOSE = Buffer.from(']');

/** Stores lines of NDJSON, as they were read; gives how many rows they are. PostgreSQL reads the JSON, nothing here does. */
export async function loadLines(
  tx: Sql,
  table: { name: string; columns: readonly ColumnShape[] },
  ndjson: Buffer,
): Promise<number> {
  const names = table.columns.map(({ name }) => quoted(name));
  const values = table.columns.map(({ name, type, asText }) =>
    asText ? `r.${quoted(name)}::${type}` : `r.${quoted(name)}`,
  );
  const types = table.columns.map(({ name, type, asText }) => `${quoted(name)} ${asText ? 'text' : type}`);
  const statement = `insert into ${quoted(table.name)} (${names.join(', ')}) overriding system value
    select ${values.join(', ')} from json_to_recordset($1::json) as r (${types.join(', ')})`;
  let rows = 0;
  let running = Promise.resolve(0);
  for (const array of arraysOf(ndjson)) {
    rows += await running;
    // The next array is made while PostgreSQL stores this one.
    running = tx.execute(statement, [array]);
  }
  return rows + (await running);
}

/** Whole lines, in pieces of at most {@link BATCH_BYTES} unless one line is longer, each as an array in JSON. */
function* arraysOf(ndjson: Buffer): Generator<string> {
  let start = 0;
  while (start < ndjson.length) {
    const most = start + BATCH_BYTES;
    let end = most >= ndjson.length ? ndjson.length - 1 : ndjson.lastIndexOf(NEWLINE, most);
    if (end <= start) end = ndjson.indexOf(NEWLINE, start);
    if (end === -1) end = ndjson.length;
    const piece = ndjson.subarray(start, end);
    // A line break inside a value is written as \n: these end the lines.
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) piece[at] = COMMA;
    yield Buffer.concat([OPEN, piece, CLOSE]).toString('utf8');
    start = end + 1;
  }
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
  const names = [`{${tables.map((name) => `"${name}"`).join(',')}}`];
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
