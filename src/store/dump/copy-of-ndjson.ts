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

/** A line that is no flat object in JSON: no backup has one. */
export class NotARow extends Error {
  override readonly name = 'NotARow';
}

const COMMA = 44;
const SLASH = 47;
/** What follows a backslash in both formats: b, f, n, r, t, and the backslash. */
const SAME_ESCAPES = new Set([98, 102, 110, 114, 116, BACKSLASH]);

/** So much is made before it is sent: the server stores it while the next is made. */
const PIECE_BYTES = 256 * 1024;

/**
 * Lines of NDJSON as `copy … from stdin` reads them, in the order of the columns. A column without a key has no value. PostgreSQL takes
 * this in a quarter of the time that it takes to read JSON.
 *
 * Works on bytes, as {@link NdjsonOfCopy} does. Throws NotARow; whether a value is one of its column, PostgreSQL says.
 */
export function* copyOfNdjson(columns: readonly { name: string }[], ndjson: Buffer): Generator<Buffer> {
  const lines = new CopyLines(
    columns.map(({ name }) => Buffer.from(JSON.stringify(name))),
    ndjson,
  );
  while (!lines.atEnd()) yield lines.next(PIECE_BYTES);
}

class CopyLines {
  readonly #keys: readonly Buffer[];
  readonly #from: Buffer;
  #at = 0;
  #bytes = new GrowingBytes(0);
  /** Where the value of each column begins in the line; -1 without one. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  /** Keys as JSON writes them, with their quotes. */
  constructor(keys: readonly Buffer[], ndjson: Buffer) {
    this.#keys = keys;
    this.#from = ndjson;
    this.#starts = new Int32Array(keys.length);
    this.#ends = new Int32Array(keys.length);
  }

  atEnd(): boolean {
    return this.#at >= this.#from.length;
  }

  /** Whole lines, about so many bytes. */
  next(bytes: number): Buffer {
    this.#bytes = new GrowingBytes(bytes * 2);
    while (!this.atEnd() && this.#bytes.length < bytes) {
      this.#readLine();
      this.#writeLine();
    }
    return this.#bytes.written();
  }

  #readLine(): void {
    const from = this.#from;
    this.#starts.fill(-1);
    let at = this.#at;
    let expected = 0;
    if (from[at] !== OPEN) throw new NotARow('a line does not begin with {');
    at += 1;
    if (from[at] === CLOSE) at += 1;
    else {
      for (;;) {
        const key = this.#keyAt(at, expected);
        at += this.#keys[key]?.length ?? 0;
        if (from[at] !== COLON) throw new NotARow('a key has no value');
        at += 1;
        this.#starts[key] = at;
        at = from[at] === QUOTE ? endOfString(from, at) : endOfToken(from, at);
        this.#ends[key] = at;
        expected = key + 1;
        const byte = from[at];
        at += 1;
        if (byte === CLOSE) break;
        if (byte !== COMMA) throw new NotARow('a value is followed by no comma');
      }
    }
    if (at < from.length && from[at] !== NEWLINE) throw new NotARow('an object is followed by something');
    this.#at = at + 1;
  }

  /** The column whose key is at a place. They are in order, but for those without a value. */
  #keyAt(at: number, expected: number): number {
    const { length } = this.#keys;
    for (let tried = 0; tried < length; tried += 1) {
      const index = (expected + tried) % length;
      const key = this.#keys[index];
      if (key !== undefined && startsWith(this.#from, at, key)) return index;
    }
    throw new NotARow('a key is none of the columns');
  }

  #writeLine(): void {
    const bytes = this.#bytes;
    for (let column = 0; column < this.#starts.length; column += 1) {
      const start = this.#starts[column] ?? -1;
      const end = this.#ends[column] ?? 0;
      if (column > 0) bytes.put(TAB);
      // No string becomes longer.
      bytes.reserve(start === -1 ? 0 : end - start);
      if (start === -1 || isNull(this.#from, start, end)) {
        bytes.put(BACKSLASH);
        bytes.put(LETTER_N);
      } else if (this.#from[start] === QUOTE) this.#string(start + 1, end - 1);
      else bytes.copy(this.#from, start, end);
    }
    bytes.put(NEWLINE);
  }

  #string(start: number, end: number): void {
    const from = this.#from;
    const { out } = this.#bytes;
    let to = this.#bytes.length;
    for (let at = start; at < end; at += 1) {
      const byte = from[at] ?? 0;
      if (byte !== BACKSLASH) {
        // JSON allows no control character in a string; here it would be a separator.
        if (byte < SPACE) throw new NotARow('a string has a control character');
        out[to++] = byte;
        continue;
      }
      at += 1;
      const letter = from[at] ?? 0;
      if (SAME_ESCAPES.has(letter)) {
        out[to++] = BACKSLASH;
        out[to++] = letter;
      } else if (letter === QUOTE || letter === SLASH) out[to++] = letter;
      else if (letter === LETTER_U) {
        const { text, length } = unicodeAt(from, at - 1);
        at += length - 2;
        to = writeCharacter(out, to, text);
      } else throw new NotARow('a string has an unknown escape');
    }
    this.#bytes.length = to;
  }
}

function startsWith(from: Buffer, at: number, text: Buffer): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (from[at + index] !== text[index]) return false;
  }
  return true;
}

/** Behind the closing quote of the string that begins at `start`. */
function endOfString(from: Buffer, start: number): number {
  for (let at = start + 1; at < from.length; at += 1) {
    const byte = from[at];
    if (byte === QUOTE) return at + 1;
    if (byte === NEWLINE) break;
    if (byte === BACKSLASH) at += 1;
  }
  throw new NotARow('a string does not end');
}

const TOKEN = /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/** Behind a number, `true`, `false` or `null`. */
function endOfToken(from: Buffer, start: number): number {
  let at = start;
  while (at < from.length && from[at] !== COMMA && from[at] !== CLOSE && from[at] !== NEWLINE) at += 1;
  if (!TOKEN.test(from.toString('latin1', start, at))) throw new NotARow('a value is none of a column');
  return at;
}

function isNull(from: Buffer, start: number, end: number): boolean {
  return end - start === 4 && from[start] === 110;
}

/** Half of a character beyond the first plane. */
const HALF = /[\ud800-\udfff]/u;

/** One `\uXXXX`, or the two of a character beyond the first plane. */
function unicodeAt(from: Buffer, at: number): { text: string; length: number } {
  const escape = from.toString('latin1', at, at + 12);
  const [found = ''] =
    /^\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|^\\u[0-9a-fA-F]{4}/.exec(escape) ?? [];
  const text = found
    .split('\\u')
    .slice(1)
    .map((digits) => String.fromCharCode(Number.parseInt(digits, 16)))
    .join('');
  // PostgreSQL's text holds neither.
  if (text === '' || text === '\0' || HALF.test(text)) throw new NotARow('a string has a wrong escape');
  return { text, length: found.length };
}

/** A character of its own, with a backslash before what COPY would take for a separator. */
function writeCharacter(out: Buffer, to: number, text: string): number {
  const byte = text.charCodeAt(0);
  if (byte < SPACE || byte === BACKSLASH) out[to++] = BACKSLASH;
  return to + out.write(text, to);
}
