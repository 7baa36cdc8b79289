import { open, stat } from 'node:fs/promises';
import type { SourceItem } from '../../model/raw-entry.js';
import type { ItemQueue, Place } from '../item-queue.js';
import { layoutOf, partsOf, type Tables } from './database-layouts.js';
import { openSqlite, type SqliteFile } from './sqlite.js';

const MAGIC = 'SQLite format 3\0';
/** Rows that are given at a time. */
const PAGE = 500;

const UNKNOWN =
  'This is an SQLite database, and neither wacli’s nor the ChatStorage.sqlite of an iPhone. Of a log table, export the column of the webhook bodies as CSV; the backup of an Android phone is read by WhatsApp-Chat-Exporter (--json), whose result can be replayed.';
const CHANGED =
  'The database was written to while it was read: some rows may have been missed. Stop the program that writes it, and replay it again.';

/** Whether a file begins as an SQLite database. */
export async function isSqlite(absolutePath: string): Promise<boolean> {
  // A pipe can be opened only once.
  if (!(await stat(absolutePath)).isFile()) return false;
  const file = await open(absolutePath);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.toString('latin1') === MAGIC;
  } finally {
    await file.close();
  }
}

export interface DatabaseOptions {
  /** What is done: `element` people, and the messages up to the row `line`. */
  start: Place;
  signal: AbortSignal | undefined;
  onRead: (bytesRead: number) => void;
}

/**
 * Reads the messages and people of a database of a phone or of wacli, one entry a row: `{"wacli": "messages", "row": {…}}`, with what
 * other tables say about the same message. The file is only read.
 */
export async function* readDatabase(
  absolutePath: string,
  queue: ItemQueue,
  { start, signal, onRead }: DatabaseOptions,
): AsyncGenerator<SourceItem[], void, undefined> {
  const before = await stateOf(absolutePath);
  let file: SqliteFile | undefined;
  let last = start.line;
  try {
    file = await openSqlite(absolutePath);
    const layout = layoutOf(columnsByTable(file));
    if (layout === undefined) {
      queue.problem('unreadable_input', UNKNOWN, 1);
      yield queue.take();
      return;
    }
    const count = Number([...file.rows(layout.lastSql)][0]?.last ?? 0);
    let found = 0;
    const give = async function* (): AsyncGenerator<SourceItem[], void, undefined> {
      if (++found % PAGE !== 0) return;
      onRead(Math.round((before.size * Math.min(last, count)) / Math.max(count, 1)));
      yield queue.take();
      // Reading SQLite never yields: without this, a stop signal would not be noticed.
      await new Promise((resolve) => setImmediate(resolve));
    };
    if (start.line === 0 && layout.peopleSql !== undefined) {
      let element = start.element;
      for (const person of file.rows(layout.peopleSql, [element])) {
        const entry = { [layout.key]: layout.people, row: person };
        queueEntry(queue, entry, { offset: 0, line: 0, element: ++element });
        yield* give();
        if (signal?.aborted === true) return;
      }
    }
    for (const message of file.rows(layout.messagesSql, [start.line])) {
      last = Number(message.rowid);
      const entry = { [layout.key]: 'messages', ...partsOf(message) };
      queueEntry(queue, entry, { offset: 0, line: last, element: 0 });
      yield* give();
      if (signal?.aborted === true) return;
    }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'SQLite3Error') throw error;
    queue.problem(
      'truncated_input',
      `The database cannot be read: ${error.message}. What came before is kept.`,
      last + 1,
    );
  } finally {
    file?.close();
  }
  const after = await stateOf(absolutePath);
  if (after.text !== before.text) queue.problem('truncated_input', CHANGED, last + 1);
  yield queue.take();
}

/** Size and time of the database and of its write-ahead log. */
async function stateOf(absolutePath: string): Promise<{ size: number; text: string }> {
  const [main, wal] = await Promise.all([
    stat(absolutePath),
    stat(`${absolutePath}-wal`).catch(() => undefined),
  ]);
  return { size: main.size, text: [main, wal].map((one) => `${one?.size} ${one?.mtimeMs}`).join(' ') };
}

function columnsByTable(file: SqliteFile): Tables {
  const tables = new Map<string, Set<string>>();
  const sql = `select m.name as table_name, c.name as column_name from sqlite_master m
    join pragma_table_info(m.name) c where m.type = 'table'`;
  for (const { table_name: table, column_name: column } of file.rows(sql)) {
    if (typeof table !== 'string' || typeof column !== 'string') continue;
    const known = tables.get(table);
    if (known === undefined) tables.set(table, new Set([column]));
    else known.add(column);
  }
  return tables;
}

function queueEntry(queue: ItemQueue, entry: object, after: Place): void {
  const bytes = Buffer.from(JSON.stringify(entry, plainValue));
  const { line, element } = after;
  const details = line > 0 ? {} : { element: element - 1 };
  queue.entryWithin(bytes, bytes.length, Math.max(line, 1), after, details);
}

/** Bytes as base64; integers beyond 2^53 as text. */
function plainValue(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'bigint' ? String(value) : value;
}
