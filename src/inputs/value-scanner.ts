import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DIGIT_0,
  DIGIT_9,
  GREATER,
  MINUS,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './bytes.js';

/**
 * Finds where one JSON object, array or string ends, across chunks.
 *
 * It counts brackets instead of parsing: bytes stay untouched, nesting costs no stack, and a value that JSON.parse would
 * refuse is still delimited. A value may have been cut (a process was killed while it wrote), so the scanner checks the
 * first byte of each line: a string that crosses a line end, or a line that cannot continue the value, is `broken`, so
 * that one cut body does not swallow the good ones after it.
 */
export class ValueScanner {
  status: 'open' | 'done' | 'broken' = 'open';
  /** Whether the last byte read is inside a string. */
  inString = false;
  /** Line ends passed so far. */
  newlines = 0;
  #escaped = false;
  #inColor = false;
  #atLineStart = false;
  /** Whether the current line began with white space, and whether the value's second line did. */
  #lineIndented = false;
  #indented: boolean | undefined;
  #previous = 0;
  #depth = 0;
  /** The opening byte of each level, to MAX_KNOWN_DEPTH. */
  #containers = new Uint8Array(64);

  /** A scanner in the same state, to try out whether a line continues the value. */
  copy(): ValueScanner {
    const copy = new ValueScanner();
    copy.status = this.status;
    copy.inString = this.inString;
    copy.newlines = this.newlines;
    copy.#escaped = this.#escaped;
    copy.#inColor = this.#inColor;
    copy.#atLineStart = this.#atLineStart;
    copy.#lineIndented = this.#lineIndented;
    copy.#indented = this.#indented;
    copy.#previous = this.#previous;
    copy.#depth = this.#depth;
    copy.#containers = this.#containers.slice();
    return copy;
  }

  /** `isIndented`: the value is indented from its first line on, and returns to the margin only to close. */
  reset(isIndented = false): void {
    this.status = 'open';
    this.inString = false;
    this.newlines = 0;
    this.#escaped = false;
    this.#inColor = false;
    this.#atLineStart = false;
    this.#indented = isIndented ? true : undefined;
    this.#previous = 0;
    this.#depth = 0;
  }

  /**
   * Reads on at `from`, which for the first call is the value's first byte.
   * Returns the index after the value (`done`), of the byte that cannot belong to it (`broken`), or the chunk's length (`open`).
   */
  scan(chunk: Buffer, from: number): number {
    const length = chunk.length;
    let at = from;
    let inString = this.inString;
    let inColor = this.#inColor;
    let previous = this.#previous;
    while (at < length) {
      const byte = chunk[at] ?? 0;
      if (inString) {
        if (this.#escaped) {
          if (byte === NEWLINE) {
            this.status = 'broken';
            break;
          }
          this.#escaped = false;
          at++;
          continue;
        }
        if (byte === QUOTE) {
          inString = false;
          previous = QUOTE;
          at++;
          if (this.#depth === 0) {
            this.status = 'done';
            break;
          }
          continue;
        }
        if (byte === BACKSLASH) {
          this.#escaped = true;
        } else if (byte === NEWLINE) {
          this.status = 'broken';
          break;
        }
        at++;
        continue;
      }
      if (inColor) {
        // A color of a terminal, between the tokens (`jq -C`): up to its letter.
        inColor = byte === OPEN_BRACKET || !isLetter(byte);
        at++;
        continue;
      }
      if (byte <= SPACE) {
        if (byte === NEWLINE) {
          this.newlines++;
          this.#atLineStart = true;
          this.#lineIndented = false;
        } else if (byte === ESCAPE) {
          inColor = true;
        } else {
          this.#lineIndented = true;
        }
        at++;
        continue;
      }
      if (this.#atLineStart) {
        if (!this.#staysIndented(byte) || !canContinue(previous, byte, this.#container())) {
          this.status = 'broken';
          break;
        }
        this.#atLineStart = false;
      }
      at++;
      previous = byte;
      if (byte === QUOTE) {
        inString = true;
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        this.#open(byte);
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        if (this.#depth <= 0) {
          this.status = 'done';
          break;
        }
      }
    }
    this.inString = inString;
    this.#inColor = inColor;
    this.#previous = previous;
    return at;
  }

  /** A pretty-printed value returns to the margin only to close; anything else at the margin begins another value. */
  #staysIndented(byte: number): boolean {
    this.#indented ??= this.#lineIndented;
    return !this.#indented || this.#lineIndented || byte === CLOSE_BRACE || byte === CLOSE_BRACKET;
  }

  #open(byte: number): void {
    if (this.#depth === this.#containers.length && this.#depth < MAX_KNOWN_DEPTH) {
      const grown = new Uint8Array(this.#containers.length * 2);
      grown.set(this.#containers);
      this.#containers = grown;
    }
    if (this.#depth < this.#containers.length) this.#containers[this.#depth] = byte;
    this.#depth++;
  }

  #container(): number {
    return this.#containers[this.#depth - 1] ?? OPEN_BRACKET;
  }
}

const ESCAPE = 0x1b;

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** Deeper levels count as arrays, so that a gigabyte of `[` costs no memory. */
const MAX_KNOWN_DEPTH = 1 << 20;

/** Whether a line inside a value may start with `byte`, given the last byte before it that was not blank. */
function canContinue(previous: number, byte: number, container: number): boolean {
  switch (byte) {
    case COMMA:
    case CLOSE_BRACE:
    case CLOSE_BRACKET:
      return true;
    case COLON:
      // Ruby's symbols begin with one; no JSON has it there.
      return previous === QUOTE || previous === OPEN_BRACE || previous === COMMA;
    case QUOTE:
      return (
        previous === OPEN_BRACE ||
        previous === OPEN_BRACKET ||
        previous === COMMA ||
        previous === COLON ||
        previous === GREATER
      );
    default:
      return (
        startsValue(byte) &&
        (previous === COLON ||
          // Ruby's arrow, which no JSON has outside a text.
          previous === GREATER ||
          (container === OPEN_BRACKET && (previous === OPEN_BRACKET || previous === COMMA)))
      );
  }
}

const LITERALS = new Set(Buffer.from('tfn'));

function startsValue(byte: number): boolean {
  return (
    byte === OPEN_BRACE ||
    byte === OPEN_BRACKET ||
    byte === MINUS ||
    (byte >= DIGIT_0 && byte <= DIGIT_9) ||
    LITERALS.has(byte)
  );
}
