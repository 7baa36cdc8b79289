import {
  BACKSLASH,
  CLOSE,
  COLON,
  GrowingBytes,
  LETTER_N,
  LETTER_U,
  NEWLINE,
  OPEN,
  QUOTE,
  SPACE,
  TAB,
} from './growing-bytes.js';
import { valueKind, type ColumnShape, type ValueKind } from './tables.js';

/** Whole lines of NDJSON. */
export interface Lines {
  ndjson: Buffer;
  rows: number;
}

const VERTICAL_TAB = 11;
const PLUS = 43;
const MINUS = 45;
const ZERO = 48;
const UPPER_T = 84;
const LETTER_T = 116;
const LETTER_V = 118;
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');
const HEX = Buffer.from('0123456789abcdef');
/** Keys and quotes double short lines; a long one is a raw body, which stays as long as it is. */
const LARGE = 1024 * 1024;
/** No byte becomes more than six: a control character is `\u001f`. */
const MOST_TIMES = 6;

/**
 * Turns the output of `copy … to stdout`, in pieces of any length, into lines of NDJSON with the columns as keys. A column without a
 * value has no key. PostgreSQL writes COPY's text in a quarter of the time that it takes to write JSON.
 *
 * Works on bytes: what a value says is never decoded. Both formats escape with a backslash and nearly the same letters, so that
 * most of a value is copied as it is.
 *
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.2
 */
export class NdjsonOfCopy {
  readonly #columns: readonly { key: Buffer; kind: ValueKind }[];
  readonly #keyBytes: number;
  /** A line that has begun. */
  #begun: Uint8Array[] = [];
  #bytes = new GrowingBytes(0);

  constructor(columns: readonly ColumnShape[]) {
    this.#columns = columns.map((column) => ({
      key: Buffer.from(`,${JSON.stringify(column.name)}:`),
      kind: valueKind(column),
    }));
    this.#keyBytes = this.#columns.reduce((sum, { key }) => sum + key.length, 16);
  }

  /** The lines that end in a piece. */
  push(piece: Uint8Array): Lines {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      if (bytes.length > 0) this.#begun.push(bytes);
      return { ndjson: Buffer.alloc(0), rows: 0 };
    }
    const whole =
      this.#begun.length === 0
        ? bytes.subarray(0, end)
        : Buffer.concat([...this.#begun, bytes.subarray(0, end)]);
    this.#begun = end === bytes.length ? [] : [bytes.subarray(end)];
    this.#bytes = new GrowingBytes(whole.length + Math.min(whole.length, LARGE) + this.#keyBytes);
    let rows = 0;
    for (let at = 0; at < whole.length; rows += 1) at = this.#line(whole, at);
    return { ndjson: this.#bytes.written(), rows };
  }

  /** Throws where COPY's output has ended within a line. */
  end(): void {
    if (this.#begun.length > 0) throw new Error('the output of COPY ends within a line');
  }

  /** Gives where the next line begins. */
  #line(from: Buffer, start: number): number {
    const bytes = this.#bytes;
    const first = bytes.length;
    let at = start;
    let separator = TAB;
    for (const { key, kind } of this.#columns) {
      if (separator !== TAB) throw wrongNumber();
      if (from[at] === BACKSLASH && from[at + 1] === LETTER_N) at += 2;
      else {
        bytes.copy(key);
        at = this.#value(from, at, kind);
      }
      separator = from[at] ?? 0;
      at += 1;
    }
    if (separator !== NEWLINE) throw wrongNumber();
    bytes.reserve(3);
    if (bytes.length === first) bytes.put(OPEN);
    else bytes.out[first] = OPEN;
    bytes.put(CLOSE);
    bytes.put(NEWLINE);
    return at;
  }

  /** Gives where the value ends. */
  #value(from: Buffer, start: number, kind: ValueKind): number {
    switch (kind) {
      case 'number':
        return this.#verbatim(from, start);
      case 'boolean':
        this.#bytes.copy(from[start] === LETTER_T ? TRUE : FALSE);
        return start + 1;
      case 'bytes': {
        // `\\x00ff` in both.
        this.#bytes.put(QUOTE);
        const end = this.#verbatim(from, start);
        this.#bytes.put(QUOTE);
        return end;
      }
      case 'time':
        return this.#time(from, start);
      case 'text':
        return this.#text(from, start);
      default:
        return kind satisfies never;
    }
  }

  #verbatim(from: Buffer, start: number): number {
    const end = endOf(from, start);
    this.#bytes.copy(from, start, end);
    return end;
  }

  /** `2026-01-31 00:00:00.5+00` is `2026-01-31T00:00:00.5+00:00` in JSON. */
  #time(from: Buffer, start: number): number {
    const end = endOf(from, start);
    this.#bytes.reserve(end - start + 6);
    const { out } = this.#bytes;
    let to = this.#bytes.length;
    // Where the time of day begins, and then its zone.
    let clock = 0;
    let zone = 0;
    out[to++] = QUOTE;
    for (let at = start; at <= end; at += 1) {
      const byte = at === end ? QUOTE : (from[at] ?? QUOTE);
      if (byte === SPACE && clock === 0) {
        clock = at;
        out[to++] = UPPER_T;
        continue;
      }
      if (clock > 0 && (byte === PLUS || byte === MINUS)) zone = at;
      // A year before Christ has ` BC` behind the zone.
      if (zone > 0 && (byte === SPACE || byte === QUOTE) && at - zone === 3) {
        out[to++] = COLON;
        out[to++] = ZERO;
        out[to++] = ZERO;
      }
      out[to++] = byte;
    }
    this.#bytes.length = to;
    return end;
  }

  #text(from: Buffer, start: number): number {
    this.#bytes.reserve((endOf(from, start) - start) * MOST_TIMES);
    const { out } = this.#bytes;
    let to = this.#bytes.length;
    let at = start;
    out[to++] = QUOTE;
    for (let byte = from[at] ?? NEWLINE; byte !== TAB && byte !== NEWLINE; byte = from[at] ?? NEWLINE) {
      at += 1;
      if (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) {
        out[to++] = byte;
      } else if (byte === BACKSLASH) {
        const letter = from[at] ?? NEWLINE;
        at += 1;
        // JSON has no `\v`.
        if (letter === LETTER_V) to = control(out, to, VERTICAL_TAB);
        else {
          out[to++] = BACKSLASH;
          out[to++] = letter;
        }
      } else if (byte === QUOTE) {
        out[to++] = BACKSLASH;
        out[to++] = QUOTE;
      } else to = control(out, to, byte);
    }
    out[to++] = QUOTE;
    this.#bytes.length = to;
    return at;
  }
}

function wrongNumber(): Error {
  return new Error('a line of COPY has another number of values than columns');
}

function endOf(from: Buffer, start: number): number {
  let at = start;
  while (at < from.length && from[at] !== TAB && from[at] !== NEWLINE) at += 1;
  return at;
}

function control(out: Buffer, to: number, byte: number): number {
  out[to] = BACKSLASH;
  out[to + 1] = LETTER_U;
  out[to + 2] = ZERO;
  out[to + 3] = ZERO;
  out[to + 4] = HEX[byte >> 4] ?? 0;
  out[to + 5] = HEX[byte & 15] ?? 0;
  return to + 6;
}
