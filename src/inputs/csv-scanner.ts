import { BACKSLASH, ByteCollector, CARRIAGE_RETURN, NEWLINE, QUOTE } from './bytes.js';

/** A requested cell of a CSV record; `bytes` is undefined when the cell is over the limit. */
export interface CsvCell {
  bytes: Buffer | undefined;
  /** For reports: off by one where a line ends with a carriage return or a cut cell lacks its quote. */
  size: number;
  quoted: boolean;
}

export interface CsvRecord {
  /** Number of cells; 0 for a blank line. */
  columns: number;
  /** Index in the current chunk after the record's line end. */
  end: number;
  /** Line ends in it, those inside quotes included. */
  newlines: number;
  /** How the record ended: at a line end, at the end of the text, or at the end of the text inside a quoted cell. */
  ending: 'line' | 'text' | 'cut';
}

/** How a text writes a quote inside a quoted cell. */
export interface CsvQuoting {
  quote: number;
  /** What escapes: the quote itself, which is then doubled. */
  escape: number;
  /** Whether the cell tells what a backslash escapes: SELECT INTO OUTFILE … ENCLOSED BY '"' and Spark differ. */
  isGuessed?: boolean;
}

const DOUBLED: CsvQuoting = { quote: QUOTE, escape: QUOTE };
/** Of files whose quoted cells have backslashes before their quotes. */
export const BACKSLASHES: CsvQuoting = { quote: QUOTE, escape: BACKSLASH, isGuessed: true };

export interface CsvHandler {
  /** Whether to keep the cells of this column (0-based). */
  wants(column: number): boolean;
  cell(column: number, cell: CsvCell): void;
  record(record: CsvRecord): void;
}

/**
 * Reads RFC 4180 records across chunks: quotes, doubled quotes, line ends inside quotes.
 *
 * Written by hand because a checkpoint needs the exact offset and physical line of each record, a cell over the limit
 * must be skipped in constant memory, and a cut last record must still be returned; cells stay bytes, valid UTF-8 or not.
 */
export class CsvScanner {
  /**
   * `quote`: the last byte was a quote inside a quoted cell, the first of a pair or the closing one; `escape`: it was another byte
   * there that escapes.
   */
  #state: 'start' | 'plain' | 'quoted' | 'quote' | 'escape' = 'start';
  #column = 0;
  #quoted = false;
  /** Pairs of quotes in the current cell. */
  #pairs = 0;
  /** Whether the current record has any bytes. */
  #begun = false;
  #newlines = 0;
  #wanted: boolean;
  /** The cell as it is written, without its opening quote. */
  #raw: ByteCollector;

  constructor(
    private readonly delimiter: number,
    private readonly limit: number,
    private readonly handler: CsvHandler,
    private readonly quoting: CsvQuoting = DOUBLED,
  ) {
    // A cell of nothing but quotes is twice as long in the file.
    this.#raw = new ByteCollector(limit * 2 + 2);
    this.#wanted = handler.wants(0);
  }

  push(chunk: Buffer): void {
    let state = this.#state;
    let from = 0;
    const { quote, escape } = this.quoting;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (state === 'quoted') {
        if (byte === quote) state = 'quote';
        else if (byte === NEWLINE) this.#newlines++;
        else if (byte === escape) state = 'escape';
      } else if (state === 'escape') {
        state = 'quoted';
        if (byte === NEWLINE) this.#newlines++;
      } else if (state === 'quote' && byte === quote) {
        state = 'quoted';
        this.#pairs++;
      } else if (byte === this.delimiter) {
        this.#keep(chunk, from, at);
        this.#endCell();
        this.#begun = true;
        state = 'start';
        from = at + 1;
      } else if (byte === NEWLINE) {
        this.#keep(chunk, from, at);
        this.#newlines++;
        this.#endRecord(at + 1, 'line');
        state = 'start';
        from = at + 1;
      } else if (state === 'start' && byte === quote) {
        this.#quoted = true;
        this.#begun = true;
        state = 'quoted';
        from = at + 1;
      } else {
        if (byte !== CARRIAGE_RETURN) this.#begun = true;
        state = 'plain';
      }
    }
    this.#keep(chunk, from, chunk.length);
    this.#state = state;
  }

  end(): void {
    if (this.#begun)
      this.#endRecord(0, this.#state === 'quoted' || this.#state === 'escape' ? 'cut' : 'text');
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    if (this.#wanted && from < to) this.#raw.add(chunk.subarray(from, to));
  }

  #endRecord(end: number, ending: CsvRecord['ending']): void {
    const blank = !this.#begun;
    if (blank) this.#raw.take();
    else this.#endCell();
    const record = { columns: blank ? 0 : this.#column, end, newlines: this.#newlines, ending };
    this.#column = 0;
    this.#wanted = this.handler.wants(0);
    this.#begun = false;
    this.#newlines = 0;
    this.handler.record(record);
  }

  #endCell(): void {
    if (this.#wanted) {
      const size = this.#raw.size - this.#pairs - (this.#quoted ? 1 : 0);
      const raw = this.#raw.take();
      const bytes = raw === undefined ? undefined : this.#read(raw);
      this.handler.cell(this.#column, {
        bytes: bytes !== undefined && bytes.length > this.limit ? undefined : bytes,
        size,
        quoted: this.#quoted,
      });
    }
    this.#column++;
    this.#quoted = false;
    this.#pairs = 0;
    this.#wanted = this.handler.wants(this.#column);
  }

  #read(raw: Buffer): Buffer {
    const { quote, escape, isGuessed } = this.quoting;
    if (!this.#quoted || escape === quote) return readCell(raw, this.#quoted, quote);
    return isGuessed === true ? readEscaped(raw) : readQuoted(raw, quote, escape);
  }
}

/** The value of a quoted cell in which backslashes escape. */
function readEscaped(written: Buffer): Buffer {
  const raw = written.toString('latin1');
  const text = raw.slice(0, endOfEscaped(raw));
  const plain = text.replace(MYSQL, (_, escaped?: string) => (escaped === '0' ? '\0' : (escaped ?? '"')));
  // Spark escapes quotes and the backslashes before them; any others are the JSON's own.
  const isSpark = OWN_ESCAPE.test(text) || NO_ESCAPE.test(plain);
  const value = isSpark
    ? text.replace(SPARK, (_, run: string = '') => `${'\\'.repeat(Math.floor(run.length / 2))}"`)
    : plain;
  return Buffer.from(value, 'latin1');
}

/** Where the quote is that ends a cell: none that is escaped or doubled. */
function endOfEscaped(raw: string): number {
  for (let at = 0; at < raw.length; at++) {
    if (raw[at] === '\\') at++;
    else if (raw[at] === '"' && raw[at + 1] === '"') at++;
    else if (raw[at] === '"') return at;
  }
  return raw.length;
}

const MYSQL = /\\(["\\\n\r0])|""/g;
const SPARK = /(\\+)"|""/g;
/** A backslash that escapes nothing which MySQL does. */
const OWN_ESCAPE = /(?<!\\)(?:\\\\)*\\(?!["\\\n\r0])/;
/** A backslash that no JSON has. */
const NO_ESCAPE = /(?<!\\)(?:\\\\)*\\(?!["\\/bfnrtu])/;

/** The value of a quoted cell in which a byte escapes quotes and itself, and nothing else. */
function readQuoted(raw: Buffer, quote: number, escape: number): Buffer {
  const value = Buffer.allocUnsafe(raw.length);
  let length = 0;
  for (let at = 0; at < raw.length; at++) {
    const next = raw[at + 1];
    if (raw[at] === escape && (next === quote || next === escape)) at++;
    else if (raw[at] === quote) break;
    value[length++] = raw[at] ?? 0;
  }
  return value.subarray(0, length);
}

/** The value of a cell: without doubled quotes, the closing quote, and a carriage return at the end of the line. */
function readCell(written: Buffer, quoted: boolean, mark: number): Buffer {
  const raw = written[written.length - 1] === CARRIAGE_RETURN ? written.subarray(0, -1) : written;
  if (!quoted) return raw;
  let quote = raw.indexOf(mark);
  if (quote === -1 || quote === raw.length - 1) return quote === -1 ? written : raw.subarray(0, quote);
  const value = Buffer.allocUnsafe(raw.length);
  let length = raw.copy(value, 0, 0, quote);
  for (; quote < raw.length; quote++) {
    const byte = raw[quote] ?? 0;
    if (byte === mark) {
      quote++;
      if (raw[quote] !== mark) {
        // The closing quote: text after it is kept as it is.
        length += raw.copy(value, length, quote);
        break;
      }
    }
    value[length++] = byte;
  }
  return value.subarray(0, length);
}
