import type { Readable } from 'node:stream';
import { CsvScanner, type CsvCell } from '../inputs/csv-scanner.js';
import { openFileSource } from '../inputs/file-source.js';
import { openText } from '../inputs/open-text.js';
import type { ResolvedInput } from '../inputs/resolve-inputs.js';
import { ConfigError, UserError } from '../model/errors.js';
import { formatOrigin } from '../model/raw-entry.js';
import { newerCopy } from './copies.js';
import type { CrmConnection, CrmRecord, Dialect } from './crm.js';
import { wordIn } from './record.js';
import type { CrmSource } from './source.js';

export interface CrmFilesOptions {
  stdin: Readable;
  signal?: AbortSignal | undefined;
}

/** Rows per page. */
const PAGE = 5_000;
const CHUNK_BYTES = 256 * 1024;
/** A row may hold a whole WhatsApp Web message with its thumbnail. */
const MAX_ROW_BYTES = 16 * 1024 * 1024;

/** A file of rows of one table. */
interface TableFile {
  input: ResolvedInput;
  table: string;
  columns: ReadonlySet<string>;
}

/**
 * Opens exports of a CRM's tables (CSV with a header, NDJSON, a JSON array; also gzip, zstd and zip), each recognized
 * by its columns. The messages are read twice: once for the connections that they name. Other tables are kept in
 * memory. Throws ConfigError if a file is none of the CRM's tables, UserError if one is damaged: half an export would
 * make every message of the other half look lost.
 */
export async function openCrmFiles(
  inputs: readonly ResolvedInput[],
  known: Dialect,
  options: CrmFilesOptions,
): Promise<CrmSource> {
  const files: TableFile[] = [];
  for (const input of inputs) {
    if (input.kind === 'stdin') {
      throw new ConfigError('An export of a CRM is read twice; it cannot come from standard input.', {
        code: 'crm_export_stdin',
        remedy: 'Store it in a file, and name the file.',
      });
    }
    files.push({ input, ...(await recognize(input, known, options)) });
  }
  const dialect =
    known.version?.((table, column) =>
      files.some((file) => file.table === table && file.columns.has(column)),
    ) ?? known;
  const isNeedless = ({ table }: TableFile): boolean =>
    dialect.needlessTables?.some((needless) => needless.table === table) === true;
  const messages = files.filter(({ table }) => table === dialect.messages.table);
  if (messages.length === 0) {
    throw incomplete(dialect, dialect.messages.table);
  }
  for (const needed of dialect.neededFiles ?? []) {
    if (!files.some(({ table }) => table === needed)) throw incomplete(dialect, needed);
  }
  const tables = new Map<string, Map<string, CrmRecord>>();
  for (const { input, table } of files.filter(
    (file) => file.table !== dialect.messages.table && !isNeedless(file),
  )) {
    const known = tables.get(table) ?? new Map<string, CrmRecord>();
    tables.set(table, known);
    for await (const page of recordsOf(input, options)) {
      for (const record of page) {
        const id = wordIn(record, 'id');
        known.set(
          id ?? String(known.size),
          newerCopy(table, id === null ? undefined : known.get(id), record),
        );
      }
    }
  }
  const [connectionTable] = dialect.tables;
  const joined = dialect.join?.(tables);
  const read = async function* (): AsyncGenerator<readonly CrmRecord[], void, undefined> {
    for (const { input } of messages) {
      for await (const page of recordsOf(input, options))
        yield joined === undefined ? page : page.map(joined);
    }
  };
  const keys = new Set<string>();
  for await (const page of read()) {
    for (const record of page) {
      const row = dialect.readRow(record);
      keys.add(row.kind === 'message' ? row.message.connection : row.connection);
    }
  }
  const withOthers = dialect.joinConnection?.(tables);
  const named = [...((connectionTable && tables.get(connectionTable.table)?.values()) ?? [])].map((record) =>
    dialect.readConnection(withOthers?.(record) ?? record),
  );
  const connections = [...keys].map(
    (key): CrmConnection =>
      named.find((connection) => connection.key === key) ??
      (connectionTable === undefined ? dialect.readConnection({ connection: key }) : nameless(key)),
  );
  return {
    dialect,
    location: inputs.map((input) => (input.kind === 'file' ? input.path : 'stdin')).join(', '),
    connections,
    missingContacts: (dialect.contactFiles ?? []).filter(
      (needed) => !files.some(({ table }) => table === needed),
    ),
    passedOver: files.filter(isNeedless).map(({ input }) => pathOf(input)),
    mayRepeatRows: messages.every(({ columns }) => columns.has('id')),
    rows: async function* (wanted) {
      const only = new Set(wanted);
      for await (const page of read()) {
        yield page
          .map((record) => ({ row: dialect.readRow(record), record }))
          .filter(({ row }) => only.has(row.kind === 'message' ? row.message.connection : row.connection));
      }
    },
    pairs: async function* () {
      // A file of another table than the known ones is refused; pairs are in the messages and contacts alone.
    },
    close: () => Promise.resolve(),
  };
}

function nameless(key: string): CrmConnection {
  return { key, name: '', phoneNumberId: null, phone: null, isCloudApi: null };
}

function incomplete({ title, messages, tables }: Dialect, needed: string): ConfigError {
  const { columns = [] } = [messages, ...tables].find(({ table }) => table === needed) ?? {};
  return new ConfigError(`None of the files is the table ${needed} of ${title}.`, {
    code: 'crm_export_incomplete',
    remedy: `Export the table ${needed} too, with the columns ${columns.join(', ')}.`,
  });
}

/** Which table of the CRM a file is, by its first record. */
async function recognize(
  input: ResolvedInput,
  dialect: Dialect,
  options: CrmFilesOptions,
): Promise<Omit<TableFile, 'input'>> {
  const tables = [dialect.messages, ...dialect.tables, ...(dialect.optionalTables ?? [])];
  const needless = dialect.needlessTables ?? [];
  const { names, isEmpty } = await columnsOf(input, options);
  // The table that asks for most columns: another may have all columns of a smaller one.
  const found = [...tables, ...needless]
    .filter(({ columns }) => columns.every((column) => names.has(column)))
    .sort((a, b) => b.columns.length - a.columns.length)[0];
  const path = pathOf(input);
  // Without a message, everything would look lost; any other table may be empty.
  if (isEmpty && (names.size === 0 || found?.table === dialect.messages.table)) {
    throw new ConfigError(`${path} has no rows.`, {
      code: 'crm_export_empty',
      remedy: 'Export the table again, CSV with a header line or NDJSON.',
    });
  }
  if (found !== undefined) return { table: found.table, columns: names };
  throw new ConfigError(`${path} is none of the tables of ${dialect.title}.`, {
    code: 'crm_unknown',
    remedy: `Looked for: ${tables.map(({ table, columns }) => `${table} (${columns.join(', ')})`).join('; ')}. It has: ${[...names].slice(0, 20).map(shownName).join(', ')}.`,
  });
}

const LONGEST_NAME = 40;

/** A column's name as it may be printed: the file may be anything, also one whose bytes are no text. */
function shownName(name: string): string {
  const shown = name.slice(0, LONGEST_NAME).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return name.length > LONGEST_NAME ? `${shown}…` : shown;
}

/** The columns of a file, by its header or its first record. */
async function columnsOf(
  input: ResolvedInput,
  options: CrmFilesOptions,
): Promise<{ names: ReadonlySet<string>; isEmpty: boolean }> {
  let header: readonly string[] = [];
  const pages = recordsOf(input, options, 1, (names) => {
    header = names;
  });
  for await (const [first] of pages) {
    if (first !== undefined) return { names: new Set(Object.keys(first)), isEmpty: false };
  }
  return { names: new Set(header), isEmpty: true };
}

/** The rows of a file, a page at a time. `onHeader` is told the columns of a CSV. */
async function* recordsOf(
  input: ResolvedInput,
  { stdin, signal }: CrmFilesOptions,
  pageSize = PAGE,
  onHeader?: (names: readonly string[]) => void,
): AsyncGenerator<CrmRecord[], void, undefined> {
  const text = await openText(input, 0, { stdin, signal, chunkBytes: CHUNK_BYTES, onRead: () => undefined });
  if (text.kind !== 'text') {
    if (text.kind !== 'unreadable') await text.close();
    throw damaged(pathOf(input), text.message);
  }
  if (/^\s*[[{]/.test(text.head.toString('latin1', 0, 1024))) {
    await text.close();
    yield* jsonRecords(input, stdin, signal, pageSize);
    return;
  }
  yield* csvRecords(pathOf(input), text, pageSize, onHeader);
}

async function* jsonRecords(
  input: ResolvedInput,
  stdin: Readable,
  signal: AbortSignal | undefined,
  pageSize: number,
): AsyncGenerator<CrmRecord[], void, undefined> {
  const source = openFileSource([input], {
    stdin,
    maxEntryBytes: MAX_ROW_BYTES,
    ...(signal === undefined ? {} : { signal }),
  });
  let page: CrmRecord[] = [];
  for await (const item of source.items()) {
    if (item.kind === 'problem') throw damaged(formatOrigin(item.problem.origin), item.problem.message);
    const place = formatOrigin(item.entry.origin);
    page.push(parseRecord(Buffer.from(item.entry.bytes).toString(), place));
    if (page.length === pageSize) {
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}

function parseRecord(text: string, place: string): CrmRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(place, 'This is no JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw damaged(place, 'This is no row.');
  return { ...value };
}

async function* csvRecords(
  path: string,
  { head, chunks }: { head: Buffer; chunks: AsyncIterable<Buffer> },
  pageSize: number,
  onHeader?: (names: readonly string[]) => void,
): AsyncGenerator<CrmRecord[], void, undefined> {
  let header: string[] | undefined;
  let line = 1;
  let cells: CsvCell[] = [];
  let page: CrmRecord[] = [];
  const scanner = new CsvScanner(delimiterOf(head), MAX_ROW_BYTES, {
    wants: () => true,
    cell: (column, cell) => {
      cells[column] = cell;
    },
    record: ({ columns, newlines, ending }) => {
      const row = cells;
      cells = [];
      const at = line;
      line += newlines;
      if (columns === 0) return;
      if (ending === 'cut' || (header !== undefined && columns !== header.length)) {
        throw damaged(
          `${path}:${at}`,
          'This row has not the columns of the header: the file is cut or no CSV.',
        );
      }
      if (header === undefined) {
        header = row.map((cell) => textOf(cell) ?? '');
        onHeader?.(header);
      } else page.push(Object.fromEntries(header.map((name, column) => [name, textOf(row[column])])));
    },
  });
  for await (const chunk of chunks) {
    scanner.push(chunk);
    while (page.length >= pageSize) {
      yield page.slice(0, pageSize);
      page = page.slice(pageSize);
    }
  }
  scanner.end();
  if (page.length > 0) yield page;
}

/** The delimiter that the header has most of. */
function delimiterOf(head: Buffer): number {
  const [header = ''] = head.toString().split('\n', 1);
  const counted = [',', ';', '\t'].map((delimiter) => ({ delimiter, count: header.split(delimiter).length }));
  counted.sort((a, b) => b.count - a.count);
  return (counted[0]?.delimiter ?? ',').charCodeAt(0);
}

/** An unquoted empty cell, `\N` and `NULL` are what exports write for nothing. */
function textOf(cell: CsvCell | undefined): string | null {
  const text = cell?.bytes?.toString() ?? null;
  return cell?.quoted === false && (text === '' || text === '\\N' || text === 'NULL') ? null : text;
}

function damaged(place: string, why: string): UserError {
  return new UserError(`${place}: ${why}`, {
    code: 'crm_export_damaged',
    remedy: 'Export the table again. A partial export would make every other message look lost.',
  });
}

function pathOf(input: ResolvedInput): string {
  return input.kind === 'file' ? input.path : 'stdin';
}
