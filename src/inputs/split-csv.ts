import { BACKSLASH, bomLength, COMMA, OPEN_BRACE, OPEN_BRACKET, SEMICOLON, skipBlank, TAB } from './bytes.js';
import { RowTime } from '../decode/envelopes/row-time.js';
import { BACKSLASHES, CsvScanner, type CsvCell, type CsvRecord } from './csv-scanner.js';
import { escapesOfCells, unescapedCell, type FileEscapes } from './escaped-values.js';
import { mayHoldBody } from './markers.js';
import type { ItemQueue, Place, Splitter } from './item-queue.js';
import { entryOfBodies, entryOfRow, personsColumns, saysWhoSigned, type NamedCell } from './row-entry.js';

/** How exports write "nothing" into a cell. */
const EMPTY_CELLS = new Set(['', '\\N', 'NULL', 'null']);

/** Splits a CSV export: each row whose JSON cell is not empty is an entry, with the time of its row. */
export class CsvSplitter implements Splitter {
  line: number;
  /** Where the current record starts. */
  #offset: number;
  /** Rows read so far, the header not counted. */
  #row: number;
  #headerIsNext: boolean;
  /** Offset of the current chunk. */
  #base: number;
  #scanner: CsvScanner;
  #json: CsvCell | undefined;
  /** The cells of the row, of any column, in which the word of a body is. */
  #bodies: NamedCell[] = [];
  /** Bytes of a cell that was too large to keep. */
  #tooLarge = 0;
  #time = new RowTime();
  /** The cells of the row that say who signed its body. */
  #signing: NamedCell[] = [];
  #damaged = false;
  readonly #persons: ReadonlySet<number>;

  constructor(
    private readonly queue: ItemQueue,
    private readonly layout: CsvLayout,
    start: Place,
  ) {
    this.#persons = personsColumns(layout.names ?? []);
    this.line = start.line;
    this.#offset = start.offset;
    this.#base = start.offset;
    this.#row = start.element;
    // A file's first record has no line end before it, wherever a byte order mark lets its text start.
    this.#headerIsNext = layout.names !== undefined && start.line === 0;
    const handler = {
      // Any cell may hold the headers, from any row on.
      wants: () => true,
      cell: (column: number, cell: CsvCell) => {
        this.#takeCell(column, cell);
      },
      record: (record: CsvRecord) => {
        this.#takeRecord(record);
      },
    };
    const quoting = layout.hasEscapes === true ? BACKSLASHES : undefined;
    this.#scanner = new CsvScanner(layout.delimiter, queue.maxEntryBytes, handler, quoting);
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
    this.#base += chunk.length;
  }

  end(damaged: boolean): void {
    this.#damaged = damaged;
    this.#scanner.end();
  }

  #takeCell(column: number, cell: CsvCell): void {
    if (column === this.layout.jsonColumn) this.#json = cell;
    if (cell.bytes === undefined) {
      this.#tooLarge = cell.size;
      return;
    }
    if (isEmpty(cell) || this.#persons.has(column)) return;
    const named: NamedCell = { name: this.layout.names?.[column], bytes: cell.bytes };
    this.#time.addCell(named.name ?? '', cell.bytes);
    const isJson = column === this.layout.jsonColumn;
    if (cell.bytes.length >= SHORTEST_BODY && isBody(cell, isJson))
      this.#bodies.push({ ...named, bytes: this.#plain(cell, cell.bytes) });
    else if (!isJson && saysWhoSigned(named)) this.#signing.push(named);
  }

  /** `mysql -B`, `\\copy` and SELECT INTO OUTFILE double the backslashes of cells that have no quotes. */
  #plain(cell: CsvCell, bytes: Buffer): Buffer {
    const { delimiter, escapes } = this.layout;
    if (isBytea(bytes)) return bytes[1] === BACKSLASH ? bytes.subarray(1) : bytes;
    return delimiter === TAB && !cell.quoted ? unescapedCell(bytes, escapes) : bytes;
  }

  #takeRecord({ columns, end, newlines, ending }: CsvRecord): void {
    const before: Place = { offset: this.#offset, line: this.line, element: this.#row };
    const json = this.#json;
    const receivedAt = this.#time.at;
    const signing = this.#signing;
    const bodies = this.#bodies;
    const tooLarge = this.#tooLarge;
    this.#json = undefined;
    this.#tooLarge = 0;
    if (bodies.length > 0) this.#bodies = [];
    this.#time = new RowTime();
    if (signing.length > 0) this.#signing = [];
    this.line += newlines;
    this.#offset = this.#base + end;
    if (columns === 0) return;
    if (this.#headerIsNext) {
      this.#headerIsNext = false;
      return;
    }
    const element = this.#row++;
    const line = before.line + 1;
    const cut = ending === 'cut' || (ending === 'text' && columns <= this.layout.jsonColumn);
    if (cut && this.#damaged) return;
    const after = cut ? before : { offset: this.#offset, line: this.line, element: this.#row };
    const kept = json?.bytes !== undefined && !isEmpty(json) ? json.bytes : undefined;
    if (bodies.length > 0 || (kept !== undefined && tooLarge === 0)) {
      const entry = bodies.length > 0 ? entryOfBodies(bodies, signing) : entryOfRow(kept ?? NOTHING, signing);
      this.queue.entryWithin(entry, entry.length, line, after, { element, receivedAt });
    } else if (tooLarge > 0) {
      this.queue.entryWithin(undefined, tooLarge, line, after, { element, receivedAt });
    } else if (cut) {
      const message =
        'The file ends inside a row; what came before is kept. Fetch the file whole and replay it again.';
      this.queue.problem('truncated_input', message, line, before, element);
    } else {
      this.queue.skipped++;
    }
  }
}

const NOTHING = Buffer.alloc(0);
/** No body is shorter. */
const SHORTEST_BODY = 40;

function isEmpty({ bytes, quoted }: CsvCell): boolean {
  return (
    bytes !== undefined &&
    bytes.length <= 4 &&
    (bytes.length === 0 || (!quoted && EMPTY_CELLS.has(bytes.toString())))
  );
}

/** Whether a cell holds a body: in the column of the bodies in any notation, in others as nothing else, because people write there. */
function isBody(cell: CsvCell, isJsonColumn: boolean): boolean {
  if (cell.bytes === undefined) return false;
  if (isBytea(cell.bytes)) return true;
  if (!mayHoldBody(cell.bytes)) return false;
  return isJsonColumn || looksLikeJson(cell) || isEncoded(cell.bytes);
}

/** Nothing but base64: no comma splits it, and it needs no quotes. */
function isEncoded(bytes: Buffer): boolean {
  return /^[A-Za-z0-9+/_-]+={0,2}$/.test(bytes.toString('latin1'));
}

/** JSON in a column of bytes, as PostgreSQL writes it; `\\copy` without `csv` doubles the backslash. */
function isBytea(bytes: Buffer): boolean {
  return /^\\{1,2}x(?:7b|5b)(?:[\da-f]{2}){20,}$/i.test(bytes.toString('latin1'));
}

/** Where the log entries are in a CSV file. Columns are 0-based. */
export interface CsvLayout {
  delimiter: number;
  /** Names of the columns; undefined where the first record is an entry already (`copy … csv` without `header`). */
  names: readonly string[] | undefined;
  jsonColumn: number;
  /** Of cells without quotes. */
  escapes?: FileEscapes;
  /** Whether a backslash escapes in quoted cells. */
  hasEscapes?: boolean;
}

const DELIMITERS = [COMMA, SEMICOLON, TAB];
const JSON_NAMES = ['payload', 'body', 'rawbody', 'data', 'json', 'message'];
const COLUMN_NAME = /^[\p{L}\p{N}_ .:#$@()/-]{1,64}$/u;
const SAMPLE_RECORDS = 50;

/** A quoted cell of JSON whose own quotes are escaped by a backslash: `,"{\\"object\\":`. */
const ESCAPED_CELL = /(?:^|[,;\t\n])"\s*[{[][\s{[]*\\"/;

interface SampleRecord {
  cells: CsvCell[];
  whole: boolean;
}

/**
 * Recognizes CSV with a column of JSON in the beginning of a text. Returns `no_json` for CSV in which no column holds
 * JSON, and undefined for anything else.
 */
export function findCsvLayout(head: Buffer): CsvLayout | 'no_json' | undefined {
  if (ESCAPED_CELL.test(head.toString('latin1'))) {
    for (const delimiter of DELIMITERS) {
      const records = sample(head, delimiter, true);
      // A text of JSON in a line of its own is no table.
      const layout = (records[0]?.cells.length ?? 0) > 1 ? layoutWith(delimiter, records) : undefined;
      if (layout !== undefined && layout !== 'no_json') return { ...layout, hasEscapes: true };
    }
  }
  let table: CsvLayout | 'no_json' | undefined;
  for (const delimiter of DELIMITERS) {
    const layout = layoutWith(delimiter, sample(head, delimiter));
    if (layout !== undefined && layout !== 'no_json') return layout;
    table ??= layout;
  }
  return table;
}

function layoutWith(delimiter: number, records: SampleRecord[]): CsvLayout | 'no_json' | undefined {
  const [first, ...others] = records;
  if (first === undefined) return undefined;
  const isFirst = (isMarked: (cell: CsvCell) => boolean): number =>
    first.cells.findIndex(
      (cell) =>
        (cell.quoted || (first.cells.length > 1 && isBytes(cell))) && looksLikeJson(cell) && isMarked(cell),
    );
  const marked = isFirst(holdsBody);
  const inFirst = marked === -1 ? isFirst(() => true) : marked;
  if (inFirst !== -1 && !isTable(first, others, inFirst)) return undefined;
  if (inFirst !== -1) return { delimiter, names: undefined, jsonColumn: inFirst };
  const names = first.cells.map(({ bytes }) => bytes?.toString().trim() ?? '');
  if (!first.whole || !names.every((name) => COLUMN_NAME.test(name))) return undefined;
  // One column is one whatever would separate it from others.
  if (names.length === 1 && delimiter !== COMMA) return undefined;
  const rows = others.filter((row) => !row.whole || row.cells.length === names.length);
  if (rows.length * 2 < others.length) return undefined;
  const persons = personsColumns(names);
  const countsOf = (isBody: (cell: CsvCell) => boolean): number[] =>
    names.map((_, column) =>
      persons.has(column) ? 0 : rows.filter((row) => isIn(row, column, delimiter, isBody)).length,
    );
  // A program's lines in a table have words before the body.
  const jsonColumn =
    bestColumn(
      names,
      countsOf((cell) => looksLikeJson(cell) && holdsBody(cell)),
    ) ??
    bestColumn(names, countsOf(holdsBody)) ??
    bestColumn(names, countsOf(looksLikeJson));
  if (jsonColumn !== undefined) {
    if (names.length === 1 && isWrapped(rows)) return undefined;
    const cells = rows.flatMap(({ cells }) => cells[jsonColumn] ?? []);
    const written = cells.flatMap(({ bytes, quoted }) => (bytes === undefined || quoted ? [] : bytes));
    const escapes = delimiter === TAB ? escapesOfCells(written) : undefined;
    return { delimiter, names, jsonColumn, escapes };
  }
  return names.length > 1 && rows.length > 0 && rows.length === others.length ? 'no_json' : undefined;
}

/** What a program prints, and no table holds without quotes: the beginning of a value, or a quote. */
const OF_PRINT = /"|=>|[{[(]\s*(?:['"]|[\w$]{1,80}\s*:)/;

/**
 * Whether records without a header are those of a table, whose bodies are in `column`: their cells agree, and none is a part of what a
 * program printed. A person can write a line of CSV into a text.
 */
function isTable(first: SampleRecord, others: readonly SampleRecord[], column: number): boolean {
  const isPrint = ({ bytes, quoted }: CsvCell): boolean =>
    !quoted && bytes !== undefined && OF_PRINT.test(bytes.toString('latin1'));
  if (first.cells.some(isPrint)) return false;
  const rows = others.filter(({ whole }) => whole);
  const agreeing = rows.filter(({ cells }) => {
    const cell = cells[column];
    return (
      cells.length === first.cells.length && cell !== undefined && (isEmpty(cell) || looksLikeJson(cell))
    );
  });
  return agreeing.length * 2 >= rows.length;
}

/** Whether the rows of one column are the lines of a few texts of base64. */
function isWrapped(rows: readonly SampleRecord[]): boolean {
  const tokens = rows.filter(({ cells: [cell] }) => cell?.bytes !== undefined && isEncoded(cell.bytes));
  const bodies = tokens.filter(({ cells: [cell] }) => cell !== undefined && holdsBody(cell));
  return tokens.length > 0 && bodies.length * 2 < tokens.length;
}

function bestColumn(names: string[], counts: number[]): number | undefined {
  const most = Math.max(...counts);
  if (most === 0) return undefined;
  const named = findName(
    names.map((name, column) => ((counts[column] ?? 0) > 0 ? name : '')),
    JSON_NAMES,
  );
  return named ?? counts.indexOf(most);
}

/** The column with the first of the wanted names, whatever its case, underscores and `@`. */
function findName(names: string[], wanted: string[]): number | undefined {
  const plain = names.map((name) => name.toLowerCase().replace(/[_ @]/g, ''));
  const found = wanted.map((name) => plain.indexOf(name)).find((column) => column !== -1);
  return found;
}

/** An unquoted cell counts only where commas inside it do not split it; otherwise a line of prose would look like CSV. */
function isIn(
  row: SampleRecord,
  column: number,
  delimiter: number,
  isBody: (cell: CsvCell) => boolean,
): boolean {
  const cell = row.cells[column];
  if (cell === undefined || !isBody(cell)) return false;
  const isToken = cell.bytes !== undefined && (isEncoded(cell.bytes) || isBytea(cell.bytes));
  return cell.quoted || isToken || (delimiter !== COMMA && row.cells.length > 1);
}

function isBytes({ bytes }: CsvCell): boolean {
  return bytes !== undefined && isBytea(bytes);
}

function looksLikeJson({ bytes }: CsvCell): boolean {
  if (bytes === undefined) return false;
  if (isBytea(bytes)) return true;
  const first = bytes[skipBlank(bytes)];
  return first === OPEN_BRACE || first === OPEN_BRACKET;
}

/** Whether a body is in a cell behind other words, or in another notation; without quotes, any line of a log would be one. */
function holdsBody({ bytes, quoted }: CsvCell): boolean {
  if (bytes === undefined) return false;
  return isBytea(bytes) || ((quoted || isEncoded(bytes)) && mayHoldBody(bytes));
}

/** The first records; the last one may be cut by the end of the sample. */
function sample(head: Buffer, delimiter: number, hasEscapes = false): SampleRecord[] {
  const records: SampleRecord[] = [];
  let cells: CsvCell[] = [];
  const handler = {
    wants: () => records.length < SAMPLE_RECORDS,
    cell: (_: number, cell: CsvCell) => {
      cells.push(cell);
    },
    record: ({ columns, ending }: CsvRecord) => {
      if (columns > 0 && records.length < SAMPLE_RECORDS) records.push({ cells, whole: ending === 'line' });
      cells = [];
    },
  };
  const scanner = new CsvScanner(delimiter, head.length, handler, hasEscapes ? BACKSLASHES : undefined);
  scanner.push(head.subarray(bomLength(head)));
  scanner.end();
  return records;
}
