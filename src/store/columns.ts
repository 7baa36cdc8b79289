import { createHash } from 'node:crypto';
import type { JsonObject } from '../model/json.js';
import { arrayLiteral, type ArrayElement } from './array-literal.js';
import {
  booleanOf,
  bytesOf,
  exactObjectOf,
  integerOf,
  isJsonObject,
  isTime,
  jsonObjectOrNull,
  textOf,
  textOrNull,
  textsOf,
  timeOf,
  wordOf,
} from './row.js';
import type { SqlParameter, SqlRow, Sql } from './sql.js';

/** How to read one kind of column from a row and write it in a statement. */
export interface Codec<V> {
  /** The column's name, if the key differs. */
  name?: string;
  /** The type that `unnest` gives the column. */
  type: 'uuid' | 'text' | 'integer' | 'bigint' | 'boolean' | 'timestamptz' | 'jsonb' | 'bytea';
  /** The column's own type, if different: an array cannot be an element of `unnest`, so it travels as text. */
  cast?: string;
  read: (row: SqlRow, name: string) => V;
  /** Whether a value that is not null can be read; absent: always. One that cannot reads as null where null is allowed. */
  holds?: (value: unknown) => boolean;
  /** The value as an element of an array literal, or a field of COPY. */
  element: (value: V) => ArrayElement;
  /** Bytes, never null, that travel as they are when inserted: an array would hold them in hexadecimal digits. */
  isLong?: boolean;
}

const itself = <V>(value: V): V => value;

export const uuid: Codec<string> = { type: 'uuid', read: textOf, element: itself };
export const text: Codec<string> = { type: 'text', read: textOf, element: itself };
export const integer: Codec<number> = { type: 'integer', read: integerOf, element: itself };
export const bigint: Codec<number> = { type: 'bigint', read: integerOf, element: itself };
export const boolean: Codec<boolean> = { type: 'boolean', read: booleanOf, element: itself };
export const bytes: Codec<Uint8Array> = { type: 'bytea', read: bytesOf, element: itself };
/** Never null: see {@link Codec.isLong}. */
export const longBytes: Codec<Uint8Array> = { ...bytes, isLong: true };

/** Milliseconds since 1970. */
export const time: Codec<number> = {
  type: 'timestamptz',
  read: timeOf,
  holds: isTime,
  element: (ms) => new Date(ms),
};

export const texts: Codec<readonly string[]> = {
  type: 'text',
  cast: 'text[]',
  read: textsOf,
  element: arrayLiteral,
};

/** Texts returned by a query as one, joined by `separator`; none for null or an empty text. */
export function list(separator: string): Codec<string[]> {
  return {
    type: 'text',
    read: (row, name) => (textOrNull(row, name) ?? '').split(separator).filter((element) => element !== ''),
    element: (elements) => elements.join(separator),
  };
}

export const jsonObject: Codec<JsonObject> = jsonObjectAs((value) => value);

/** Of the journal: an object that reads as absent would undo what never happened. */
export const exactObject: Codec<JsonObject> = json(exactObjectOf);

/** A jsonb column that holds an object, as `parse` understands it. */
export function jsonObjectAs<V>(parse: (value: JsonObject) => V): Codec<V> {
  return { ...json((row, name) => parse(jsonObjectOrNull(row, name) ?? {})), holds: isJsonObject };
}

/** A jsonb column parsed by `read`. */
export function json<V>(read: (row: SqlRow, name: string) => V): Codec<V> {
  return {
    type: 'jsonb',
    read,
    element: (value) => JSON.stringify(value),
  };
}

/** One word of an enumeration. */
export function word<W extends string>(words: readonly W[]): Codec<W> {
  return { type: 'text', read: (row, name) => wordOf(row, name, words), element: itself };
}

export function orNull<V>(codec: Codec<V>): Codec<V | null> {
  return {
    ...codec,
    isLong: false,
    element: (value) => (value === null ? null : codec.element(value)),
    read: (row, name) => {
      const value = row[name];
      return value === null || value === undefined || codec.holds?.(value) === false
        ? null
        : codec.read(row, name);
    },
  };
}

/** A column with a name other than its key. */
export function named<V>(name: string, codec: Codec<V>): Codec<V> {
  return { ...codec, name };
}

/** One column of a statement that writes rows `R`. */
export interface WrittenColumn<R> {
  name: string;
  type: Codec<unknown>['type'];
  cast: string | undefined;
  key: keyof R;
  element: (row: R) => ArrayElement;
  isLong: boolean;
}

/** One column of a row `R`, of any type. */
export interface Column<R> extends WrittenColumn<R> {
  readInto: (target: Partial<R>, row: SqlRow) => void;
}

/** All columns of a table, or of a query's rows: for reading and writing. */
export type Columns<R> = readonly Column<R>[];

/** A subset: enough to write, but not to read a row. */
export type WrittenColumns<R> = readonly WrittenColumn<R>[];

/** The type of a row once read: `RowOf<typeof COLUMNS>`. */
export type RowOf<C> = C extends Columns<infer R> ? R : never;

/**
 * Columns by the keys of the row: `pushName` is the column `push_name`. The row's type follows from them, so a new column is
 * one line here.
 */
export function columns<R extends object>(codecs: { [K in keyof R]: Codec<R[K]> }): Columns<R> {
  const all: Column<R>[] = [];
  for (const key in codecs) all.push(column<R, typeof key>(key, codecs[key]));
  return all;
}

function column<R, K extends keyof R & string>(key: K, codec: Codec<R[K]>): Column<R> {
  const name = codec.name ?? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return {
    name,
    type: codec.type,
    cast: codec.cast,
    key,
    readInto: (target, row) => {
      target[key] = codec.read(row, name);
    },
    element: (row) => (row[key] === null ? null : codec.element(row[key])),
    isLong: codec.isLong ?? false,
  };
}

/** The columns with these keys. */
export function only<R>(all: WrittenColumns<R>, ...keys: readonly (keyof R)[]): WrittenColumns<R> {
  return all.filter(({ key }) => keys.includes(key));
}

/** All columns except those with these keys. */
export function without<R>(all: WrittenColumns<R>, ...keys: readonly (keyof R)[]): WrittenColumns<R> {
  return all.filter(({ key }) => !keys.includes(key));
}

/** Reads every column of a driver row. */
export function rowOf<R>(all: Columns<R>, row: SqlRow): R {
  const target: Partial<R> = {};
  for (const { readInto } of all) readInto(target, row);
  if (!isWhole(all, target)) throw new Error('a row was read without some of its columns');
  return target;
}

export function rowsOf<R>(all: Columns<R>, rows: readonly SqlRow[]): R[] {
  return rows.map((row) => rowOf(all, row));
}

function isWhole<R>(all: Columns<R>, target: Partial<R>): target is R {
  return all.every(({ key }) => key in target);
}

/** `id, name`; with a row prefix: `m.id, m.name`. */
export function columnNames<R>(some: WrittenColumns<R>, row?: string): string {
  return some.map(({ name }) => (row === undefined ? name : `${row}.${name}`)).join(', ');
}

/** `name = r.name`, for `set`. */
export function assignments<R>(some: WrittenColumns<R>): string {
  return some.map((one) => `${one.name} = ${valueOf(one)}`).join(', ');
}

function valueOf<R>({ name, cast }: WrittenColumn<R>): string {
  return cast === undefined ? `r.${name}` : `r.${name}::${cast}`;
}

/**
 * `unnest($1::uuid[], $2::text[]) as r (id, name)`; parameters are numbered from `first`. Rows travel as one array per
 * column, so a batch of any size costs one round trip and one plan.
 */
export function unnestTable<R>(some: WrittenColumns<R>, first = 1): string {
  const arrays = some.map(({ type }, index) => `$${first + index}::${type}[]`).join(', ');
  return `unnest(${arrays}) as r (${columnNames(some)})`;
}

/**
 * The same, joined to the rows of `table` that have these ids, for `update … from … where table.id = r.found_id`. The
 * fence (`offset 0`) makes it one look-up by primary key per row: unfenced, the planner of a table without statistics
 * scans it, or one of its partial indexes, for every batch.
 */
export function unnestFound<R>(
  table: string,
  some: WrittenColumns<R>,
  {
    first = 1,
    condition = 'true',
  }: { first?: number; /** Further conditions for the table's row. */ condition?: string } = {},
): string {
  return `(select found.id as found_id, r.* from ${unnestTable(some, first)}
           cross join lateral (select id from ${table} where id = r.id and ${condition} offset 0) found) r`;
}

/** The parameters of {@link unnestTable}. */
export function unnestParameters<R>(some: WrittenColumns<R>, rows: readonly R[]): SqlParameter[] {
  return some.map((column) => arrayOf(column, rows));
}

function arrayOf<R>({ element }: WrittenColumn<R>, rows: readonly R[]): string {
  return arrayLiteral(rows.map(element));
}

/** `name = excluded.name`, for `on conflict … do update set`. */
export function excluded<R>(some: WrittenColumns<R>): string {
  return some.map(({ name }) => `${name} = excluded.${name}`).join(', ');
}

/** The rows of a table with `column` in these ids. No ids, no statement. */
export async function readByIds<R>(
  sql: Sql,
  table: string,
  all: Columns<R>,
  column: string,
  ids: readonly string[],
): Promise<R[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query(`select ${columnNames(all)} from ${table} where ${column} = any($1::uuid[])`, [
    arrayLiteral(ids),
  ]);
  return rowsOf(all, rows);
}

/**
 * Inserts rows in one statement, and returns the number written. `rest` ends the statement and defines conflict
 * handling; without it a conflict throws. `fixed`: columns with the same SQL expression for every row. No rows, no
 * statement.
 */
export async function insertRows<R>(
  tx: Sql,
  table: string,
  some: WrittenColumns<R>,
  rows: readonly R[],
  rest = '',
  fixed: Readonly<Record<string, string>> = {},
): Promise<number> {
  if (rows.length === 0) return 0;
  const names = [...Object.keys(fixed), columnNames(some)].join(', ');
  const sent = pack(some, rows);
  const values = [...Object.values(fixed), ...sent.values].join(', ');
  return tx.execute(
    `insert into ${table} (${names}) select ${values} from ${sent.from}
     ${rest}`,
    sent.parameters,
  );
}

/** From so many rows on, a value that all of them share travels once. Fewer would make a statement of their own for little. */
const MANY_ROWS = 100;

/** Rows on their way into a table: the SQL of their columns' values, of the table `r` that these are taken from, and the parameters. */
interface Packed {
  values: string[];
  from: string;
  parameters: SqlParameter[];
}

/**
 * Rows as one array per column, but for what would only be repeated or spelled out: a value that many rows share travels once, and
 * long bytes as one value that is cut into pieces again. Half of a batch's bytes are one or the other.
 */
function pack<R>(some: WrittenColumns<R>, rows: readonly R[]): Packed {
  const packed: Packed = { values: [], from: '', parameters: [] };
  const arrays: string[] = [];
  const names: string[] = [];
  const send = (value: SqlParameter): string => `$${packed.parameters.push(value)}`;
  const array = (name: string, type: string, value: SqlParameter): void => {
    arrays.push(`${send(value)}::${type}[]`);
    names.push(name);
  };
  for (const [index, column] of some.entries()) {
    const { name, type, cast } = column;
    if (column.isLong) {
      const pieces = rows.map((row) => bytesIn(row, column));
      const whole = `${send(Buffer.concat(pieces))}::bytea`;
      array(`${name}_from`, 'integer', arrayLiteral(startsOf(pieces)));
      array(`${name}_length`, 'integer', arrayLiteral(pieces.map(({ byteLength }) => byteLength)));
      packed.values.push(`substring(${whole} from r.${name}_from for r.${name}_length)`);
    } else if (index > 0 && isShared(column, rows)) {
      const one = `(${send(arrayOf(column, rows.slice(0, 1)))}::${type}[])[1]`;
      packed.values.push(cast === undefined ? one : `${one}::${cast}`);
    } else {
      array(name, type, arrayOf(column, rows));
      packed.values.push(valueOf(column));
    }
  }
  packed.from = `unnest(${arrays.join(', ')}) as r (${names.join(', ')})`;
  return packed;
}

/** Where each piece begins in all of them; SQL counts from 1. */
function startsOf(pieces: readonly Uint8Array[]): number[] {
  let start = 1;
  return pieces.map(({ byteLength }) => {
    const own = start;
    start += byteLength;
    return own;
  });
}

function bytesIn<R>(row: R, { name, key }: WrittenColumn<R>): Uint8Array {
  const value = row[key];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${name}: a row without its bytes`);
  return value;
}

function isShared<R>({ key }: WrittenColumn<R>, rows: readonly R[]): boolean {
  if (rows.length < MANY_ROWS) return false;
  const [first] = rows.slice(0, 1).map((row) => row[key]);
  return rows.every((row) => row[key] === first);
}

/**
 * Sets the columns `changing` of rows by id, and returns the number written. Skips rows that already have these values:
 * a second replay leaves no dead rows. `condition`: further requirements for the stored row. `also`: further columns.
 */
export async function updateRows<R>(
  tx: Sql,
  table: string,
  all: WrittenColumns<R>,
  changing: WrittenColumns<R>,
  rows: readonly R[],
  { condition, also = '' }: { condition?: string; also?: string } = {},
): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `update ${table} set ${assignments(changing)}${also}
     from ${unnestFound(table, all, condition === undefined ? {} : { condition })}
     where ${table}.id = r.found_id
       and (${columnNames(changing, table)}) is distinct from (${columnNames(changing, 'r')})`,
    unnestParameters(all, rows),
  );
}

const PAGE = 1000;

/**
 * The rows of a query, a page at a time, through a cursor: only inside a transaction. Memory stays flat whatever the
 * number of rows, and the query runs once, where keyset pages would sort or group once per page.
 */
export async function* streamRows(
  tx: Sql,
  query: string,
  parameters: readonly SqlParameter[] = [],
  pageSize = PAGE,
): AsyncGenerator<SqlRow[], void, undefined> {
  // Named by the query: `fetch` is prepared once per session, and must keep returning the same columns.
  const name = `wa_${createHash('sha256').update(query).digest('hex').slice(0, 24)}`;
  await tx.execute(`declare ${name} no scroll cursor for ${query}`, parameters);
  // After an early exit or an error, the cursor ends with its transaction; closing it would only hide the error.
  for (;;) {
    const rows = await tx.query(`fetch forward ${pageSize} from ${name}`);
    if (rows.length > 0) yield rows;
    if (rows.length < pageSize) break;
  }
  await tx.execute(`close ${name}`);
}

/** The same, with every row read. */
export async function* streamRowsOf<R>(
  tx: Sql,
  columns: Columns<R>,
  query: string,
  parameters: readonly SqlParameter[] = [],
  pageSize = PAGE,
): AsyncGenerator<R[], void, undefined> {
  for await (const page of streamRows(tx, query, parameters, pageSize)) yield rowsOf(columns, page);
}
