import {
  BACKSLASH,
  ByteCollector,
  COMMA,
  isBlank,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  SEMICOLON,
  skipBlank,
  TAB,
  withoutMarks,
} from './bytes.js';
import type { ItemQueue, Place, Splitter } from './item-queue.js';
import { isRestOfJson } from '../decode/envelopes/json-rests.js';
import { RowTime } from '../decode/envelopes/row-time.js';
import { hasMarkedBytes, hasMarker } from './markers.js';
import { entryOfBodies, entryOfRow, personsColumns, saysWhoSigned, type NamedCell } from './row-entry.js';

const APOSTROPHE = 0x27;
const OPEN_PAREN = 0x28;
const CLOSE_PAREN = 0x29;
/** Table and column names of an INSERT or COPY; no real statement has more before its rows. */
export const LONGEST_HEAD = 64 * 1024;

const COPY = /^COPY (?<table>[^(;]+?)\s*(?:\((?<columns>[^)]*)\))? FROM stdin/i;
const INSERT =
  /^(?:INSERT|REPLACE)\s(?:\s*IGNORE\s)?\s*(?:INTO\s+)?(?<table>[^(]+?)\s*(?:\((?<columns>[^)]*)\))?\s*VALUES\s*\($/i;
/** SQL Server needs no INTO, and puts names into brackets. */
const SQL_SERVER =
  /^INSERT\s+(?:\[[^\]\n]{1,128}\]|[\w"]{1,128})(?:\.(?:\[[^\]\n]{1,128}\]|[\w"]{1,128}))*\s*(?:\([^)]{1,4000}\))?\s*VALUES\s*\(/im;
const BEGINS_INSERT = /^(?:INSERT|REPLACE)\b/i;
/** Columns and tables in which programs keep what they received. */
const BODY_COLUMN = /^(?:raw_?)?(?:payload|body|data|json|message|content|event|request)$/i;
const BODY_TABLE = /hook|event|payload|execution|queue|(?:^|[_.])logs?$/i;

/** Whether a text is a dump of a database as SQL, and whose notation its texts have; undefined when it is none. */
export function sniffSqlDump(head: Buffer): { mysql: boolean } | undefined {
  const text = head.toString('latin1');
  if (
    !/^\s*(?:--|\/\*|(?:SET|COPY|INSERT|REPLACE|CREATE|DROP|BEGIN|LOCK|USE|START|GO|PRINT|IF|ALTER)\b)/i.test(
      text,
    )
  )
    return undefined;
  const named = /^-- (PostgreSQL|MySQL|MariaDB)\b.* dump/im.exec(text)?.[1];
  const statement =
    /^(?:COPY [^;]+ FROM stdin|(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s+(`?))/im.exec(text) ??
    SQL_SERVER.exec(text);
  if (named === undefined && statement === null) return undefined;
  return { mysql: named === undefined ? statement?.[1] === '`' : /^M/i.test(named) };
}

/** What a cell holds as it is written. */
interface Cell {
  raw: ByteCollector;
  /** A text in apostrophes, and whether a backslash escapes in it; a word otherwise. */
  quoting: 'none' | 'standard' | 'backslash';
}

/** The part of a row that matters. */
interface Row {
  line: number;
  /** Its JSON, where no cell has the word of a body. */
  body: Buffer | undefined;
  /** The cells that have one. */
  bodies: NamedCell[];
  /** The cells that say who signed the body. */
  signing: NamedCell[];
  /** Bytes of a cell that was too large to keep. */
  tooLarge: number;
  time: RowTime;
}

/** The rows of one COPY block or one INSERT. */
interface Statement {
  /** Where it starts: a resumed run reads it from there. */
  place: Place;
  given: number;
  rows: number;
  table: string;
  columns: string[];
  /** Of them, those with what people wrote. */
  persons: ReadonlySet<number>;
}

/**
 * Splits the dump of a database: the rows of `COPY … FROM stdin` blocks and of INSERT statements, of PostgreSQL and of MySQL. An
 * entry is the cell of a row that holds a body, without the dump's escapes, with the time of its row. Rows of other tables are
 * skipped and counted.
 */
export class SqlSplitter implements Splitter {
  line: number;
  #offset: number;
  #state: 'head' | 'copy' | 'tuple' | 'between' = 'head';
  #head = '';
  #headPlace: Place;
  #statement: Statement | undefined;
  #copyLine: ByteCollector;
  #row: Row | undefined;
  #column = 0;
  #cell: Cell | undefined;
  #inText = false;
  /** The byte before is a backslash, or an apostrophe that may be the first of two. */
  #pending: 'escape' | 'apostrophe' | undefined;
  #depth = 0;
  /** Whether a comma after a row says that another one comes. */
  #wantsRow = false;

  constructor(
    private readonly queue: ItemQueue,
    private readonly isMysql: boolean,
    start: Place,
  ) {
    this.line = start.line;
    this.#offset = start.offset;
    this.#headPlace = { offset: start.offset, line: start.line, element: 0 };
    this.#copyLine = new ByteCollector(queue.maxEntryBytes * 2);
  }

  /** Whether more rows of the last statement may come. */
  get isInStatement(): boolean {
    return this.#statement !== undefined;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const from = at;
      switch (this.#state) {
        case 'head':
          at = this.#readHead(chunk, at);
          break;
        case 'copy':
          at = this.#readCopy(chunk, at);
          break;
        case 'tuple':
          at = this.#readTuple(chunk, at);
          break;
        case 'between':
          at = this.#readBetween(chunk, at);
          break;
      }
      this.#offset += at - from;
    }
  }

  end(damaged: boolean): void {
    const statement = this.#statement;
    const isInside = this.#state === 'tuple' || (this.#state === 'copy' && this.#copyLine.size > 0);
    if (damaged || statement === undefined || !isInside) return;
    this.queue.problem(
      'truncated_input',
      'The dump ends inside a row; what came before is kept. Fetch it whole and replay it again.',
      this.line + 1,
      { ...statement.place, given: statement.given },
      statement.rows,
    );
  }

  /** Reads up to the rows of a statement, or to the end of a line that has none. */
  #readHead(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) {
        this.line++;
        this.#endHeadLine(at + 1 - from);
        return at + 1;
      }
      if (this.#head === '' && isBlank(byte)) continue;
      if (byte === SEMICOLON && !/^(?:--|COPY\b|INSERT\b|REPLACE\b)/i.test(this.#head)) {
        // Several statements stand on one line.
        this.#newHead(at + 1 - from);
        return at + 1;
      }
      if (this.#head.length < LONGEST_HEAD) this.#head += String.fromCharCode(byte);
      if (byte !== OPEN_PAREN || !BEGINS_INSERT.test(this.#head)) continue;
      const insert = INSERT.exec(this.#head);
      if (insert === null) continue;
      this.#begin(insert.groups);
      this.#beginRow();
      return at + 1;
    }
    return chunk.length;
  }

  #endHeadLine(read: number): void {
    const copy = COPY.exec(this.#head);
    if (copy !== null) {
      this.#begin(copy.groups);
      this.#state = 'copy';
    } else if (
      BEGINS_INSERT.test(this.#head) &&
      !this.#head.includes(';') &&
      this.#head.length < LONGEST_HEAD
    ) {
      // The rows come on the next line.
      this.#head += ' ';
    } else {
      this.#newHead(read);
    }
  }

  #newHead(read: number): void {
    this.#state = 'head';
    this.#head = '';
    this.#statement = undefined;
    this.#headPlace = { offset: this.#offset + read, line: this.line, element: 0 };
  }

  #begin(groups: Readonly<Record<string, string | undefined>> = {}): void {
    const columns =
      groups.columns?.split(',').map((name) => name.trim().replace(/^["`[]|["`\]]$/g, '')) ?? [];
    const table = (groups.table ?? '').replace(/["`[\]]/g, '');
    this.#statement = {
      place: this.#headPlace,
      given: 0,
      rows: 0,
      table,
      columns,
      persons: personsColumns(columns),
    };
  }

  #readCopy(chunk: Buffer, from: number): number {
    const newline = chunk.indexOf(NEWLINE, from);
    this.#copyLine.add(chunk.subarray(from, newline === -1 ? chunk.length : newline));
    if (newline === -1) return chunk.length;
    const size = this.#copyLine.size;
    const taken = this.#copyLine.take();
    this.line++;
    const line = taken === undefined ? undefined : withoutMarks(taken);
    if (line?.length === 2 && line.toString('latin1') === '\\.') {
      this.#newHead(newline + 1 - from);
      return newline + 1;
    }
    this.#row = newRow(this.line);
    if (line === undefined) this.#row.tooLarge = size;
    else for (const [column, cell] of cellsOf(line).entries()) this.#takeValue(fromCopy(cell), column);
    this.#endRow();
    return newline + 1;
  }

  #beginRow(): void {
    this.#row = newRow(this.line + 1);
    this.#column = 0;
    this.#depth = 0;
    this.#beginCell();
    this.#state = 'tuple';
  }

  #beginCell(): void {
    this.#cell = { raw: new ByteCollector(this.queue.maxEntryBytes * 2), quoting: 'none' };
    this.#inText = false;
    this.#pending = undefined;
  }

  #readTuple(chunk: Buffer, from: number): number {
    let kept = from;
    const cell = this.#cell;
    if (cell === undefined) return chunk.length;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) this.line++;
      if (this.#pending === 'escape') {
        this.#pending = undefined;
        continue;
      }
      if (this.#pending === 'apostrophe') {
        this.#pending = undefined;
        if (byte === APOSTROPHE) continue;
        this.#inText = false;
      }
      if (this.#inText) {
        if (byte === BACKSLASH && cell.quoting === 'backslash') this.#pending = 'escape';
        else if (byte === APOSTROPHE) this.#pending = 'apostrophe';
        continue;
      }
      if (byte === APOSTROPHE) {
        cell.raw.add(chunk.subarray(kept, at));
        kept = at;
        const before = (cell.raw.peek() ?? Buffer.alloc(0)).toString('latin1').trim();
        cell.quoting = this.isMysql || /^e$/i.test(before) ? 'backslash' : 'standard';
        this.#inText = true;
      } else if (byte === OPEN_PAREN) {
        this.#depth++;
      } else if (byte === CLOSE_PAREN && this.#depth > 0) {
        this.#depth--;
      } else if (byte === COMMA || byte === CLOSE_PAREN) {
        if (this.#depth > 0) continue;
        cell.raw.add(chunk.subarray(kept, at));
        this.#takeCell(cell);
        if (byte === COMMA) {
          this.#column++;
          this.#beginCell();
        } else {
          this.#endRow();
          this.#state = 'between';
          this.#wantsRow = false;
        }
        return at + 1;
      }
    }
    cell.raw.add(chunk.subarray(kept));
    return chunk.length;
  }

  /** Between the rows of an INSERT. SQL Server ends no statement: any word after a row may begin the next one. */
  #readBetween(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) this.line++;
      if (isBlank(byte)) continue;
      if (byte === COMMA) this.#wantsRow = true;
      else if (byte === OPEN_PAREN) {
        this.#beginRow();
        return at + 1;
      } else if (!this.#wantsRow) {
        const end = byte === SEMICOLON ? at + 1 : at;
        this.#newHead(end - from);
        return end;
      }
    }
    return chunk.length;
  }

  #takeCell({ raw, quoting }: Cell): void {
    const size = raw.size;
    const written = raw.take();
    if (written === undefined) {
      if (this.#row !== undefined) this.#row.tooLarge = size;
    } else {
      this.#takeValue(fromLiteral(written, quoting), this.#column);
    }
  }

  #takeValue(value: Buffer | undefined, column: number): void {
    const row = this.#row;
    const { columns = [], table = '', persons } = this.#statement ?? {};
    if (row === undefined || value === undefined || value.length === 0 || persons?.has(column) === true)
      return;
    const name = columns[column];
    row.time.addCell(name, value);
    const cell: NamedCell = { name, bytes: value };
    if (saysWhoSigned(cell)) row.signing.push(cell);
    const first = value[skipBlank(value)];
    const isJson = first === OPEN_BRACE || first === OPEN_BRACKET;
    const isMarked = hasMarker(value) || (isJson && hasMarkedBytes(value));
    const isOfBodies = BODY_TABLE.test(table) || (name !== undefined && BODY_COLUMN.test(name));
    const isBody = isOfBodies && (isJson || isRestOfJson(value.toString('latin1')));
    if (isMarked) row.bodies.push(cell);
    else if (isBody) row.body ??= value;
  }

  #endRow(): void {
    const row = this.#row;
    const statement = this.#statement;
    if (row === undefined || statement === undefined) return;
    this.#row = undefined;
    const element = statement.rows++;
    const { body, bodies, signing } = row;
    if (body === undefined && bodies.length === 0 && row.tooLarge === 0) {
      this.queue.skipped++;
      return;
    }
    const after = { ...statement.place, given: ++statement.given };
    const receivedAt = row.time.at;
    const marked = bodies.length > 0 ? entryOfBodies(bodies, signing) : undefined;
    const entry = marked ?? (body === undefined ? undefined : entryOfRow(body, signing));
    const size = entry?.length ?? row.tooLarge;
    this.queue.entryWithin(entry, size, row.line, after, { element, receivedAt });
  }
}

function newRow(line: number): Row {
  return { line, body: undefined, bodies: [], signing: [], tooLarge: 0, time: new RowTime() };
}

function cellsOf(line: Buffer): Buffer[] {
  const cells: Buffer[] = [];
  for (let from = 0; from <= line.length;) {
    const tab = line.indexOf(TAB, from);
    const to = tab === -1 ? line.length : tab;
    cells.push(line.subarray(from, to));
    from = to + 1;
  }
  return cells;
}

const COPY_ESCAPES = new Map(Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }));
const MYSQL_ESCAPES = new Map(Object.entries({ '0': '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' }));

/** A cell of COPY's text format; undefined for a null. */
function fromCopy(cell: Buffer): Buffer | undefined {
  if (!cell.includes(BACKSLASH)) return cell;
  const text = cell.toString('latin1');
  if (text === '\\N') return undefined;
  return fromHex(Buffer.from(withoutBackslashes(text, COPY_ESCAPES), 'latin1'));
}

/** A literal of INSERT: a text, a number in hexadecimal (a blob of mysqldump), or a word. */
function fromLiteral(written: Buffer, quoting: Cell['quoting']): Buffer | undefined {
  const text = written.toString('latin1').trim();
  if (quoting === 'none') {
    const [, hex] = /^0x((?:[\da-f]{2})+)$/i.exec(text) ?? [];
    return hex === undefined ? undefined : Buffer.from(hex, 'hex');
  }
  const open = text.indexOf("'");
  const inside = text.slice(open + 1, text.lastIndexOf("'")).replaceAll("''", "'");
  if (/^x$/i.test(text.slice(0, open).trim())) return Buffer.from(inside, 'hex');
  const plain = quoting === 'backslash' ? withoutBackslashes(inside, MYSQL_ESCAPES) : inside;
  return fromHex(Buffer.from(plain, 'latin1'));
}

function withoutBackslashes(text: string, escapes: ReadonlyMap<string, string>): string {
  return text.replace(/\\([\s\S])/g, (_, escaped: string) => escapes.get(escaped) ?? escaped);
}

/** A bytea is written in hexadecimal. */
function fromHex(value: Buffer): Buffer {
  if (value[0] !== BACKSLASH || value[1] !== 0x78) return value;
  const hex = value.toString('latin1', 2);
  return /^(?:[\da-f]{2})+$/i.test(hex) ? Buffer.from(hex, 'hex') : value;
}
