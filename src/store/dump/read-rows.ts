import { integerOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { NdjsonOfCopy, type Lines } from './ndjson-of-copy.js';
import { quoted, type ColumnShape, type TableShape } from './tables.js';

/** So much of rows is asked for at once, as far as their sizes tell before. */
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_ROWS = 2_000;
/** Sizes are asked for in so large pages. */
const SIZES = 10_000;
/** Above this, PostgreSQL may have compressed a value, whose text is then larger than its place. */
const MAY_BE_COMPRESSED = 1_900;

/** A column that is copied with another value than the stored one. */
export interface ComputedColumn {
  column: string;
  /** What the value is read from, beside the row `t`: one row at most. */
  join: string;
  /** Null where the stored value is. */
  value: string;
}

/** Which rows of a table are meant: a condition on `t`, and the columns that have another value than the stored one. */
export interface RowSelection {
  condition: string;
  columns: readonly ComputedColumn[];
}

export const ALL_ROWS: RowSelection = { condition: 'true', columns: [] };

/**
 * The rows of a table as lines of NDJSON, in the order of its key, inside the caller's snapshot. Nothing here looks into a value. A
 * column without a value has no key.
 */
export async function* readLines(
  tx: Sql,
  table: TableShape,
  selection: RowSelection = ALL_ROWS,
): AsyncGenerator<Lines> {
  const other = new Map(selection.columns.map((computed) => [computed.column, computed]));
  const order =
    table.key.length === 0 ? '' : `order by ${table.key.map((name) => `t.${quoted(name)}`).join(', ')}`;
  const joins = selection.columns.map(({ join }) => join).join(' ');
  const from = `from ${quoted(table.name)} t ${joins} where ${selection.condition} ${order}`;
  const columns = table.columns.map((column) => {
    const name = quoted(column.name);
    return `${inJson(column, other.get(column.name)?.value ?? `t.${name}`)} as ${name}`;
  });
  const rows = `select ${columns.join(', ')} ${from}`;
  yield* tx.copyOut === undefined ? byCursors(tx, table, rows, from) : byCopy(tx.copyOut, table, rows);
}

/** A value as it stands in a line. Bytes as PostgreSQL escapes them: what is mostly text takes half of the digits that it would. */
function inJson({ type, asText }: ColumnShape, value: string): string {
  if (type === 'bytea') return `encode(${value}, 'escape')`;
  return asText ? `(${value})::text` : value;
}

async function* byCopy(
  copyOut: NonNullable<Sql['copyOut']>,
  table: TableShape,
  rows: string,
): AsyncGenerator<Lines> {
  const lines = new NdjsonOfCopy(table.columns);
  for await (const piece of copyOut(`copy (${rows}) to stdout`)) {
    yield* lines.push(piece);
  }
  yield* lines.end();
}

/**
 * Where COPY would need memory for all rows. Two cursors run side by side: the first tells how large the next rows are, so that the
 * second never fetches more than memory is to hold, whatever is in a column.
 */
async function* byCursors(tx: Sql, table: TableShape, rows: string, from: string): AsyncGenerator<Lines> {
  await tx.execute(
    `declare dump_sizes no scroll cursor for select (${table.columns.map(sizeOf).join(' + ')})::float8 as size ${from}`,
  );
  await tx.execute(
    `declare dump_rows no scroll cursor for select json_strip_nulls(row_to_json(r))::text as line from (${rows}) r`,
  );
  try {
    for await (const count of batchesBySize(tx)) {
      const lines = (await tx.query(`fetch ${count} from dump_rows`)).map((row) => textOf(row, 'line'));
      if (lines.length > 0) yield { ndjson: Buffer.from(`${lines.join('\n')}\n`), rows: lines.length };
    }
  } finally {
    // After a failed statement they are gone with the transaction.
    await tx.execute('close dump_sizes').catch(() => undefined);
    await tx.execute('close dump_rows').catch(() => undefined);
  }
}

/** How many rows to fetch, again and again. */
async function* batchesBySize(tx: Sql): AsyncGenerator<number> {
  let rows = 0;
  let bytes = 0;
  for (;;) {
    const sizes = await tx.query(`fetch ${SIZES} from dump_sizes`);
    for (const row of sizes) {
      const size = integerOf(row, 'size');
      if (rows > 0 && (rows >= BATCH_ROWS || bytes + size > BATCH_BYTES)) {
        yield rows;
        rows = 0;
        bytes = 0;
      }
      rows += 1;
      bytes += size;
    }
    if (sizes.length < SIZES) break;
  }
  if (rows > 0) yield rows;
}

/** SQL: about how many characters a column takes in a line. None of these reads a value that is stored apart, but the last. */
function sizeOf({ name, type }: ColumnShape): string {
  const column = `t.${quoted(name)}`;
  const own = name.length + 8;
  if (type === 'bytea') return `${own} + 2 * coalesce(octet_length(${column}), 0)::float8`;
  if (type === 'text' || type.startsWith('character varying')) {
    return `${own} + coalesce(octet_length(${column}), 0)`;
  }
  if (/^(?:uuid|integer|bigint|boolean|timestamp.*)$/.test(type)) return `${own + 32}`;
  return `${own} + coalesce(case when pg_column_size(${column}) > ${MAY_BE_COMPRESSED} then octet_length(${column}::text)
    else 2 * pg_column_size(${column}) end, 0)::float8`;
}
