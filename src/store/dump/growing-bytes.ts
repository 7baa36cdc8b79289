/** The bytes that COPY's text and JSON are made of, as far as both have a meaning for them. */
export const TAB = 9;
export const NEWLINE = 10;
export const SPACE = 32;
export const QUOTE = 34;
export const COLON = 58;
export const LETTER_N = 78;
export const BACKSLASH = 92;
export const LETTER_U = 117;
export const OPEN = 123;
export const CLOSE = 125;

/** What closes a value or a line always has its place: `put` asks for none. */
const SLACK = 8;

/** Bytes that are written one after the other. A loop over many of them writes into `out` itself, and then sets `length`. */
export class GrowingBytes {
  out: Buffer;
  length = 0;

  constructor(size: number) {
    this.out = Buffer.allocUnsafe(size + SLACK);
  }

  /** Makes room; `out` is another buffer afterwards. */
  reserve(bytes: number): void {
    const needed = this.length + bytes + SLACK;
    if (needed <= this.out.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, Math.ceil(this.out.length * 1.5)));
    this.out.copy(larger, 0, 0, this.length);
    this.out = larger;
  }

  /** Into room that is there. */
  put(byte: number): void {
    this.out[this.length] = byte;
    this.length += 1;
  }

  /** Makes room for a part of other bytes, and copies it. */
  copy(from: Buffer, start = 0, end = from.length): void {
    this.reserve(end - start);
    this.length += from.copy(this.out, this.length, start, end);
  }

  written(): Buffer {
    return this.out.subarray(0, this.length);
  }
}
