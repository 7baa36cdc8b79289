import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fieldOf } from '../../src/store/copy-rows.js';
import type { SqlRow } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';

const PAGE = 10_000;

/** The columns of the messages table, in their order. */
export async function messageColumns(store: Store): Promise<string[]> {
  const rows = await store.sql.query(
    `select attname::text as name from pg_attribute
     where attrelid = 'messages'::regclass and attnum > 0 and not attisdropped order by attnum`,
  );
  return rows.map((row) => String(row.name));
}

/** Writes the messages table as a file in COPY's text format, in the order in which they came. */
export async function dumpMessages(store: Store, path: string): Promise<void> {
  const columns = await messageColumns(store);
  await pipeline(Readable.from(dump(store, columns)), createWriteStream(path));
}

async function* dump(store: Store, columns: readonly string[]): AsyncGenerator<string> {
  const selected = columns.map((column) => `${column}::text`).join(', ');
  let last = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = await store.sql.query(
      `select ${selected} from messages where id > $1::uuid order by messages.id limit ${PAGE}`,
      [last],
    );
    if (rows.length === 0) return;
    yield rows.map((row) => `${lineOf(columns, row)}\n`).join('');
    last = String(rows.at(-1)?.id);
  }
}

function lineOf(columns: readonly string[], row: SqlRow): string {
  return columns.map((column) => fieldOf(textOf(row[column]))).join('\t');
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
