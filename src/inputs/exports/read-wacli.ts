import { open, stat } from 'node:fs/promises';
import type { SourceItem } from '../../model/raw-entry.js';
import type { ItemQueue, Place } from '../item-queue.js';
import { openSqlite, type SqliteFile, type SqliteRow } from './sqlite.js';

const MAGIC = 'SQLite format 3\0';
/** Rows that are given at a time. */
const PAGE = 500;

/** Columns that say where wacli keeps a file, and what it calls a chat today: they change, and say nothing about the message. */
const LOCAL_COLUMNS = new Set(['rowid', 'chat_name', 'local_path', 'downloaded_at', 'media_unavailable_at']);
const NAME_COLUMNS = ['jid', 'push_name', 'full_name', 'first_name', 'business_name', 'system_name'];

const NOT_WACLI =
  'This is an SQLite database, and not the one of wacli. Of a log table, export the column of the webhook bodies as CSV; the backup of a phone is read by WhatsApp-Chat-Exporter (--json), whose result can be replayed.';
const CHANGED =
  'The database was written to while it was read: some rows may have been missed. Stop wacli, and replay it again.';

/** Whether a file begins as an SQLite database. */
export async function isSqlite(absolutePath: string): Promise<boolean> {
  // A pipe can be opened once only.
  if (!(await stat(absolutePath)).isFile()) return false;
  const file = await open(absolutePath);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return bytesRead === MAGIC.length && buffer.toString('latin1') === MAGIC;
  } finally {
    await file.close();
  }
}

export interface WacliOptions {
  /** What is done: `element` contacts, and the messages up to the row `line`. */
  start: Place;
  signal: AbortSignal | undefined;
  onRead: (bytesRead: number) => void;
}

/**
 * Reads the messages and contacts of wacli's database, one entry a row: `{"wacli": "messages", "row": {…}}`, with what other tables
 * say about the same message. The file is only read.
 */
export async function* readWacli(
  absolutePath: string,
  queue: ItemQueue,
  { start, signal, onRead }: WacliOptions,
): AsyncGenerator<SourceItem[], void, undefined> {
  const before = await stateOf(absolutePath);
  let file: SqliteFile | undefined;
  let last = start.line;
  try {
    file = await openSqlite(absolutePath);
    const tables = columnsByTable(file);
    if (!isWacli(tables)) {
      queue.problem('unreadable_input', NOT_WACLI, 1);
      yield queue.take();
      return;
    }
    const count = Number([...file.rows('select max(rowid) as last from messages')][0]?.last ?? 0);
    let found = 0;
    const give = async function* (): AsyncGenerator<SourceItem[], void, undefined> {
      if (++found % PAGE !== 0) return;
      onRead(Math.round((before.size * Math.min(last, count)) / Math.max(count, 1)));
      yield queue.take();
      // Reading SQLite is no I/O that waits: without this, a signal to stop would not be heard.
      await new Promise((resolve) => setImmediate(resolve));
    };
    if (start.line === 0 && tables.has('contacts')) {
      let element = start.element;
      for (const contact of file.rows(contactsSql(tables), [element])) {
        queueRow(queue, 'contacts', { row: contact }, { offset: 0, line: 0, element: ++element });
        yield* give();
        if (signal?.aborted === true) return;
      }
    }
    for (const message of file.rows(messagesSql(tables), [start.line])) {
      last = Number(message.rowid);
      queueRow(queue, 'messages', messageOf(message), { offset: 0, line: last, element: 0 });
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

type Tables = ReadonlyMap<string, ReadonlySet<string>>;

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

function isWacli(tables: Tables): boolean {
  const messages = tables.get('messages');
  return ['chat_jid', 'msg_id', 'sender_jid', 'ts', 'from_me'].every(
    (column) => messages?.has(column) === true,
  );
}

function contactsSql(tables: Tables): string {
  const columns = NAME_COLUMNS.filter((column) => tables.get('contacts')?.has(column) === true);
  return `select ${columns.join(', ')} from contacts order by jid limit -1 offset ?`;
}

/** The columns of other tables have a prefix, by which {@link messageOf} tells them apart. */
function messagesSql(tables: Tables): string {
  const columns = [
    'm.rowid as rowid',
    ...[...(tables.get('messages') ?? [])]
      .filter((column) => !LOCAL_COLUMNS.has(column))
      .map((column) => `m."${column}" as "${column}"`),
  ];
  const joins: string[] = [];
  for (const [prefix, table] of [
    ['location', 'message_locations'],
    ['poll', 'polls'],
  ] as const) {
    const own = [...(tables.get(table) ?? [])].filter(
      (column) => column !== 'chat_jid' && column !== 'msg_id' && column !== 'sender_jid',
    );
    if (own.length === 0) continue;
    columns.push(...own.map((column) => `${prefix}."${column}" as "${prefix}:${column}"`));
    joins.push(
      `left join ${table} ${prefix} on ${prefix}.chat_jid = m.chat_jid and ${prefix}.msg_id = m.msg_id`,
    );
  }
  return `select ${columns.join(', ')} from messages m ${joins.join(' ')} where m.rowid > ? order by m.rowid`;
}

/** The parts of an entry: the row itself, and what other tables say, where they say anything. */
function messageOf(row: SqliteRow): Record<string, SqliteRow> {
  const parts: Record<string, Record<string, SqliteRow[string]>> = { row: {} };
  for (const [name, value] of Object.entries(row)) {
    if (name === 'rowid') continue;
    const [, prefix = 'row', column = name] = /^(location|poll):(.+)$/.exec(name) ?? [];
    if (prefix !== 'row' && value === null) continue;
    (parts[prefix] ??= {})[column] = value;
  }
  return parts;
}

function queueRow(queue: ItemQueue, table: string, parts: Record<string, SqliteRow>, after: Place): void {
  const bytes = Buffer.from(JSON.stringify({ wacli: table, ...parts }, plainValue));
  const { line, element } = after;
  queue.entryWithin(bytes, bytes.length, Math.max(line, 1), after, line > 0 ? {} : { element: element - 1 });
}

/** Bytes as base64; integers beyond 2^53 as text. */
function plainValue(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return typeof value === 'bigint' ? String(value) : value;
}
