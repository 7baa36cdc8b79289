/** The bytes that JSON, CSV and line ends are made of. */
export const TAB = 0x09;
export const NEWLINE = 0x0a;
export const CARRIAGE_RETURN = 0x0d;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const EQUALS = 0x3d;
export const GREATER = 0x3e;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/** Length of the UTF-8 byte order mark at `at`: 3 or 0. */
export function bomLength(bytes: Buffer, at = 0): number {
  return bytes[at] === 0xef && bytes[at + 1] === 0xbb && bytes[at + 2] === 0xbf ? 3 : 0;
}

/** The first index from `from` that is not white space; `bytes.length` if none. */
export function skipBlank(bytes: Buffer, from = 0): number {
  let at = from;
  while (at < bytes.length && isBlank(bytes[at] ?? 0)) at++;
  return at;
}

/** JSON's four kinds of white space; a NUL is content. */
export function isBlank(byte: number): boolean {
  return byte === SPACE || byte === NEWLINE || byte === CARRIAGE_RETURN || byte === TAB;
}

/** The same bytes without white space at the end. */
export function trimEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && isBlank(bytes[end - 1] ?? 0)) end--;
  return end === bytes.length ? bytes : bytes.subarray(0, end);
}

/** Drops the carriage return at the end, and a byte order mark (`cat` of several files puts them on any line). */
export function withoutMarks(line: Buffer): Buffer {
  const start = bomLength(line);
  const end = line[line.length - 1] === CARRIAGE_RETURN ? line.length - 1 : line.length;
  return start === 0 && end === line.length ? line : line.subarray(start, Math.max(start, end));
}

/**
 * Collects the bytes of one entry across chunks, up to a limit. Past the limit it keeps only the size, so that an entry
 * of any size is skipped in constant memory.
 */
export class ByteCollector {
  size = 0;
  #parts: Buffer[] = [];

  constructor(readonly limit: number) {}

  add(part: Buffer): void {
    if (part.length === 0) return;
    this.size += part.length;
    if (this.size <= this.limit) this.#parts.push(part);
    else this.#parts = [];
  }

  /** The collected bytes, or undefined if they are over the limit; the collector keeps them. */
  peek(): Buffer | undefined {
    const size = this.size;
    const bytes = this.take();
    this.size = size;
    if (bytes !== undefined && bytes.length > 0) this.#parts = [bytes];
    return bytes;
  }

  /** The collected bytes, or undefined if they were over the limit; the collector is empty afterwards. */
  take(): Buffer | undefined {
    const parts = this.#parts;
    const tooLarge = this.size > this.limit;
    this.#parts = [];
    this.size = 0;
    if (tooLarge) return undefined;
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
  }
}
