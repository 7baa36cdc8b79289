import { BACKSLASH, COMMA, NEWLINE, QUOTE } from './bytes.js';
import { CsvScanner, type CsvCell, type CsvRecord } from './csv-scanner.js';

/** How a COPY statement says that its rows are written as CSV. */
export interface CopyCsvForm {
  delimiter: number;
  quote: number;
  escape: number;
  /** What a cell without quotes holds where there is no value. */
  nothing: string;
  hasHeader: boolean;
}

/** A word, a literal, or a bracket of a statement's options. */
const TOKEN = /E'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|[\w$]+|[()]/gi;
const OFF = /^(?:false|off|0)$/i;
const ON = /^(?:true|on|1|match)$/i;

/**
 * The options of `COPY … FROM stdin`, as PostgreSQL takes them: `WITH (FORMAT csv, DELIMITER ';')`, or `CSV DELIMITER AS ';'` before
 * version 9. undefined for the text format.
 */
export function copyCsvForm(options: string): CopyCsvForm | undefined {
  let isCsv = false;
  let hasHeader = false;
  const literals = new Map<string, string>();
  let depth = 0;
  let name = '';
  for (const [token] of options.matchAll(TOKEN)) {
    if (token.endsWith("'")) {
      literals.set(name, literalOf(token));
      continue;
    }
    const word = token.toLowerCase();
    if (word === 'where' && depth === 0) break;
    if (word === '(') depth++;
    if (word === ')') depth--;
    // Deeper are names of columns.
    if (depth > 1 || word === 'as' || word === '(' || word === ')') continue;
    if (word === 'csv') isCsv ||= depth === 0 || name === 'format';
    else if (word === 'header') hasHeader = true;
    else if (name === 'header' && OFF.test(word)) hasHeader = false;
    if (name !== 'header' || !(OFF.test(word) || ON.test(word))) name = word;
  }
  // `FORMAT 'csv'` is one, too.
  if (!isCsv && literals.get('format')?.toLowerCase() !== 'csv') return undefined;
  const quote = byteOf(literals.get('quote')) ?? QUOTE;
  return {
    delimiter: byteOf(literals.get('delimiter') ?? literals.get('delimiters')) ?? COMMA,
    quote,
    escape: byteOf(literals.get('escape')) ?? quote,
    nothing: literals.get('null') ?? '',
    hasHeader,
  };
}

function literalOf(token: string): string {
  const isEscaped = /^E/i.test(token);
  const inside = token.slice(isEscaped ? 2 : 1, -1).replaceAll("''", "'");
  return isEscaped
    ? inside.replace(/\\(.)/g, (_, escaped) => (escaped === 't' ? '\t' : String(escaped)))
    : inside;
}

/** PostgreSQL takes one byte. */
function byteOf(text: string | undefined): number | undefined {
  return text?.length === 1 ? text.charCodeAt(0) : undefined;
}

export interface CopyCsvHandler {
  /** `value`: undefined where there is none, or where it is over the limit; then `size` is its size. */
  cell(column: number, value: Buffer | undefined, size: number): void;
  row(): void;
  header(names: readonly string[]): void;
}

/** `\.` and its line end, which ends the rows; as a value it has quotes. */
const END = /^\\(?:\.(?:\r?\n)?|\.\r)?$/;

/** Reads the rows of a COPY statement as CSV, up to the line that ends them. */
export class CopyCsvRows {
  readonly #scanner: CsvScanner;
  #headerIsNext: boolean;
  #names: string[] = [];
  #isInRow = false;
  /** The beginning of a line that may be the last one. */
  #held = Buffer.alloc(0);

  constructor(
    private readonly form: CopyCsvForm,
    limit: number,
    private readonly handler: CopyCsvHandler,
  ) {
    this.#headerIsNext = form.hasHeader;
    const { delimiter, quote, escape } = form;
    const scanned = {
      wants: () => true,
      cell: (column: number, cell: CsvCell) => {
        this.#takeCell(column, cell);
      },
      record: (record: CsvRecord) => {
        this.#takeRecord(record);
      },
    };
    this.#scanner = new CsvScanner(delimiter, limit, scanned, { quote, escape });
  }

  /** Whether a row has begun and not ended. */
  get isInRow(): boolean {
    return this.#isInRow || (this.#held.length > 0 && this.#held.length < 2);
  }

  /** Takes a line with its line end, or a part of one; whether it ends the rows. */
  push(part: Buffer): boolean {
    let line = part;
    if (!this.#isInRow) {
      line = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
      if (line[0] === BACKSLASH && END.test(line.toString('latin1', 0, 5))) {
        const isWhole = line[line.length - 1] === NEWLINE;
        this.#held = isWhole ? Buffer.alloc(0) : Buffer.from(line);
        return isWhole;
      }
      this.#held = Buffer.alloc(0);
      this.#isInRow = true;
    }
    this.#scanner.push(line);
    return false;
  }

  #takeCell(column: number, { bytes, size, quoted }: CsvCell): void {
    if (this.#headerIsNext) {
      this.#names.push(bytes?.toString() ?? '');
      return;
    }
    const isNothing =
      !quoted && bytes?.length === this.form.nothing.length && bytes.toString('latin1') === this.form.nothing;
    this.handler.cell(column, isNothing ? undefined : bytes, isNothing ? 0 : size);
  }

  #takeRecord({ ending }: CsvRecord): void {
    this.#isInRow = ending !== 'line';
    if (this.#headerIsNext) {
      this.#headerIsNext = false;
      this.handler.header(this.#names);
    } else {
      this.handler.row();
    }
  }
}
