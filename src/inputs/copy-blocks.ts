import { NEWLINE, OPEN_BRACE, TAB } from './bytes.js';
import { copyCsvForm, type CopyCsvForm } from './copy-csv.js';
import { doublesBackslashes } from './escaped-values.js';
import type { ItemQueue, Place, Splitter } from './item-queue.js';
import { LONGEST_HEAD, SqlSplitter } from './split-sql.js';

/** A splitter of lines that another one can stand in for. */
export interface LinesSplitter extends Splitter {
  /** Whether the lines so far leave a value open, with which the next one may go on. */
  readonly isInside: boolean;
}

const COPY = Buffer.from('COPY ');
const AFTER_NEWLINE = Buffer.from('\nCOPY ');
const HEADER = /^COPY [^(;\n]+?\s*(?:\((?<columns>[^)\n]*)\))? FROM stdin\b(?<options>[^\n]*);\s*$/i;
const END_OF_BLOCK = /^\\\.\s*$/;

/** Whether a line begins the rows of a COPY statement. */
export function isCopyHeader(line: Buffer): boolean {
  return (
    startsAs(line, 0) && line.length >= COPY.length && HEADER.test(line.toString('latin1', 0, LONGEST_HEAD))
  );
}

/** Whether a line ends the rows of a COPY statement. */
export function endsCopy(line: Buffer): boolean {
  return line.length <= 4 && END_OF_BLOCK.test(line.toString('latin1'));
}

/**
 * Reads the blocks of COPY statements that stand among the lines of a log as those of a dump: their cells have a layer of escapes, with
 * which some bodies are JSON, too. A block ends in `\.`, or before a line that cannot be a row of it.
 */
export class CopyBlocks implements Splitter {
  /** Where what has not been passed on begins. */
  #offset: number;
  #inner: LinesSplitter;
  #block: { rows: SqlSplitter; columns: number | undefined; csv: CopyCsvForm | undefined } | undefined;
  /** The beginning of a line that has to be whole to be judged. */
  #held: Buffer[] = [];
  #heldSize = 0;
  #isHolding = false;
  /** Whether the rest of a line goes on unjudged: what is held of it is too large. */
  #isPassing = false;
  #isAtLineStart = true;

  constructor(
    private readonly queue: ItemQueue,
    start: Place,
    private readonly splitterAt: (place: Place) => LinesSplitter,
  ) {
    this.#offset = start.offset;
    this.#inner = splitterAt(start);
  }

  get line(): number {
    return this.#block?.rows.line ?? this.#inner.line;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#isPassing) {
        at = this.#passRest(chunk, at);
      } else if (this.#block !== undefined || this.#isHolding) {
        at = this.#hold(chunk, at);
      } else {
        const to = this.#isAtLineStart && startsAs(chunk, at) ? at : nextStart(chunk, at);
        this.#pass(chunk.subarray(at, to));
        this.#isHolding = to < chunk.length;
        at = to;
      }
    }
  }

  end(damaged: boolean): void {
    const rest = this.#release();
    if (rest.length > 0 && this.#block !== undefined && !this.#isRow(rest)) this.#leave();
    if (rest.length > 0) this.#pass(rest);
    (this.#block?.rows ?? this.#inner).end(damaged);
  }

  /** Keeps a line until it is whole, as long as it may be the header of a block or the row of one. */
  #hold(chunk: Buffer, from: number): number {
    const newline = chunk.indexOf(NEWLINE, from);
    const to = newline === -1 ? chunk.length : newline + 1;
    const part = chunk.subarray(from, to);
    this.#held.push(part);
    this.#heldSize += part.length;
    if (newline !== -1) {
      this.#takeLine(this.#release());
    } else if (this.#heldSize > (this.#block === undefined ? LONGEST_HEAD : this.queue.maxEntryBytes)) {
      this.#pass(this.#release());
      this.#isPassing = true;
    } else if (this.#block === undefined && this.#held.length > 1) {
      const held = this.#release();
      if (startsAs(held, 0)) {
        this.#held = [held];
        this.#heldSize = held.length;
        this.#isHolding = true;
      } else {
        this.#pass(held);
      }
    }
    return to;
  }

  #passRest(chunk: Buffer, from: number): number {
    const newline = chunk.indexOf(NEWLINE, from);
    const to = newline === -1 ? chunk.length : newline + 1;
    this.#pass(chunk.subarray(from, to));
    this.#isPassing = newline === -1;
    return to;
  }

  #release(): Buffer {
    const [first] = this.#held;
    const held = first !== undefined && this.#held.length === 1 ? first : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldSize = 0;
    this.#isHolding = false;
    return held;
  }

  #takeLine(line: Buffer): void {
    if (this.#block !== undefined && !this.#isRow(line)) this.#leave();
    if (this.#block === undefined && isCopyHeader(line) && !this.#inner.isInside) this.#enter(line);
    this.#pass(line);
    if (this.#block?.rows.isInStatement === false) this.#leave();
  }

  #enter(header: Buffer): void {
    const place = { offset: this.#offset, line: this.#inner.line, element: 0 };
    this.#inner.end(false);
    const { columns, options = '' } = HEADER.exec(header.toString('latin1'))?.groups ?? {};
    this.#block = {
      rows: new SqlSplitter(this.queue, false, place),
      columns: columns?.split(',').length,
      csv: copyCsvForm(options),
    };
  }

  #leave(): void {
    const place = { offset: this.#offset, line: this.line, element: 0 };
    this.#block = undefined;
    this.#inner = this.splitterAt(place);
  }

  /** Whether a line can be of the block: COPY doubles every backslash, and writes each column. CSV quotes what is JSON. */
  #isRow(line: Buffer): boolean {
    if (endsCopy(line)) return true;
    const { rows, columns, csv } = this.#block ?? {};
    if (csv !== undefined) {
      const isQuoted = line[0] === csv.quote;
      const hasColumns = isQuoted || columns === undefined || columns === 1 || line.includes(csv.delimiter);
      return rows?.isInRow === true || (line[0] !== OPEN_BRACE && hasColumns);
    }
    if (!doublesBackslashes(line)) return false;
    return columns === undefined || tabsIn(line) === columns - 1;
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    (this.#block?.rows ?? this.#inner).push(bytes);
    this.#offset += bytes.length;
    this.#isAtLineStart = bytes[bytes.length - 1] === NEWLINE;
  }
}

/** Whether the bytes from `at` on, as far as they go, begin as a COPY statement. */
function startsAs(bytes: Buffer, at: number): boolean {
  const length = Math.min(COPY.length, bytes.length - at);
  return bytes.compare(COPY, 0, length, at, at + length) === 0;
}

/** Where the next line begins that may be a COPY statement; the end of the chunk if none does. */
function nextStart(chunk: Buffer, from: number): number {
  const found = chunk.indexOf(AFTER_NEWLINE, from);
  if (found !== -1) return found + 1;
  const tail = Math.max(from, chunk.length - COPY.length + 1);
  const newline = chunk.indexOf(NEWLINE, tail === from ? from : tail - 1);
  for (let at = newline; at !== -1 && at + 1 < chunk.length; at = chunk.indexOf(NEWLINE, at + 1)) {
    if (startsAs(chunk, at + 1)) return at + 1;
  }
  return chunk.length;
}

function tabsIn(line: Buffer): number {
  let tabs = 0;
  for (let at = line.indexOf(TAB); at !== -1; at = line.indexOf(TAB, at + 1)) tabs++;
  return tabs;
}
