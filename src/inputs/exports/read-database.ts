import { open, realpath, stat } from 'node:fs/promises';
import type { SourceItem } from '../../model/raw-entry.js';
import type { ItemQueue, Place } from '../item-queue.js';
import { layoutOf, partsOf, type Tables } from './database-layouts.js';
import { openSqlite, SqliteReadError, type SqliteFile } from './sqlite.js';

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
/** Rows that are given at a time. */
const PAGE = 500;

const UNKNOWN =
  'This is an SQLite database, and neither wacli’s nor the ChatStorage.sqlite of an iPhone. Of a log table, export the column of the webhook bodies as CSV; the backup of an Android phone is read by WhatsApp-Chat-Exporter (--json), whose result can be replayed.';
const EMPTY =
  'This is an SQLite database without tables. If it was copied while its program ran, all that was written is in the file with -wal behind its name: copy both, or end the program first.';
const CUT_OFF =
  'The database is shorter than it says itself: it was not copied whole. What came before is kept. Copy it again.';
const WHY: Readonly<Record<SqliteReadError['kind'], string>> = {
  unfinished:
    'A program was stopped while it wrote to this database, and the change is to be taken back first: the file with -journal behind its name says how. Open it once with the program that writes it, or with: sqlite3 FILE .tables',
  refused: 'The database cannot be read',
  content: 'The database is damaged, or a part of it is missing',
};
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

/** Whether a database is one that {@link readDatabase} knows. */
export async function isKnownDatabase(absolutePath: string): Promise<boolean> {
  let file: SqliteFile | undefined;
  try {
    file = await openSqlite(await realpath(absolutePath));
    return layoutOf(columnsByTable(file)) !== undefined;
  } catch (error) {
    if (!(error instanceof SqliteReadError)) throw error;
    // What is wrong with it is said when it is read.
    return true;
  } finally {
    file?.close();
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
  givenPath: string,
  queue: ItemQueue,
  { start, signal, onRead }: DatabaseOptions,
): AsyncGenerator<SourceItem[], void, undefined> {
  // The write-ahead log is beside the file itself, not beside a link to it.
  const absolutePath = await realpath(givenPath);
  const before = await stateOf(absolutePath);
  let file: SqliteFile | undefined;
  let last = start.line;
  try {
    file = await openSqlite(absolutePath);
    const tables = columnsByTable(file);
    const layout = layoutOf(tables);
    if (layout === undefined) {
      queue.problem('unreadable_input', tables.size === 0 ? EMPTY : UNKNOWN, 1);
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
    if (!(error instanceof SqliteReadError)) throw error;
    // What a writer did meanwhile explains whatever was found.
    if ((await stateOf(absolutePath)).text === before.text) {
      const isCut = error.kind === 'content' && (await isCutOff(absolutePath));
      const message = isCut ? CUT_OFF : `${WHY[error.kind]} (${error.message}). What came before is kept.`;
      queue.problem(isCut ? 'truncated_input' : 'unreadable_input', message, last + 1);
      yield queue.take();
      return;
    }
  } finally {
    file?.close();
  }
  const after = await stateOf(absolutePath);
  if (after.text !== before.text) queue.problem('changed_input', CHANGED, last + 1);
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

/** Whether a database has fewer pages than its own header says. */
async function isCutOff(absolutePath: string): Promise<boolean> {
  const file = await open(absolutePath);
  try {
    const { size } = await file.stat();
    const { bytesRead, buffer: header } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES) return true;
    const given = header.readUInt16BE(16);
    const pageBytes = given === 1 ? 65_536 : given;
    const isPower = pageBytes >= 512 && (pageBytes & (pageBytes - 1)) === 0;
    // The number of pages is right if the program that wrote it last counted them.
    const isCounted = header.readUInt32BE(24) === header.readUInt32BE(92);
    if (!isPower) return false;
    return size % pageBytes !== 0 || (isCounted && header.readUInt32BE(28) * pageBytes > size);
  } finally {
    await file.close();
  }
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
