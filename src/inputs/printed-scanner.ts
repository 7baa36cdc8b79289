import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
} from './bytes.js';

const APOSTROPHE = 0x27;
const BACKTICK = 0x60;
const TAB = 0x09;
const DOLLAR = 0x24;

/** A value that a program printed is not kept longer to see where it ends. */
export const LONGEST_PRINT = 1024 * 1024;

/**
 * Finds where a value ends that Node's util.inspect or mongosh printed over several lines, across chunks. Such a print returns to
 * the margin only to close, and ends its texts in their lines: anything else is `broken`.
 */
export class PrintedScanner {
  status: 'open' | 'done' | 'broken' = 'open';
  newlines = 0;
  #depth = 0;
  #quote: number | undefined;
  #isEscaped = false;
  #isLineStart = false;

  /** Returns the index after the value (`done`), of the byte that cannot belong to it (`broken`), or the chunk's length. */
  scan(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) {
        if (this.#quote !== undefined) return this.#end('broken', at);
        this.newlines++;
        this.#isLineStart = true;
        continue;
      }
      const isAtMargin = this.#isLineStart && byte !== SPACE && byte !== TAB;
      this.#isLineStart = false;
      if (isAtMargin && byte !== CLOSE_BRACE && byte !== CLOSE_BRACKET) return this.#end('broken', at);
      if (this.#quote !== undefined) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === this.#quote) this.#quote = undefined;
      } else if (byte === QUOTE || byte === APOSTROPHE || byte === BACKTICK) this.#quote = byte;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --this.#depth <= 0)
        return this.#end('done', at + 1);
    }
    return chunk.length;
  }

  #end(status: 'done' | 'broken', at: number): number {
    this.status = status;
    return at;
  }
}

/** Whether what follows opening brackets and an indentation can be a name or a text of such a print, and is no JSON. */
export function beginsPrinted(opening: Buffer, next: number | undefined): boolean {
  if (
    next === undefined ||
    !/^[[{][ \t\r]*\n(?:[ \t]+[[{][ \t\r]*\n)*[ \t]+$/.test(opening.toString('latin1', 0, LONGEST_OPENING))
  )
    return false;
  return (
    next === APOSTROPHE || next === BACKTICK || next === DOLLAR || /[A-Za-z_]/.test(String.fromCharCode(next))
  );
}

/** Longer openings are none. */
const LONGEST_OPENING = 200;

/** Whether a text begins with such a print. */
export function looksPrinted(head: Buffer): boolean {
  return /^(?:[^\n]{0,200}[\s:])?[[{]\s*\n(?:[ \t]+[[{]\s*\n)*[ \t]+(?:['`][[{]|[A-Za-z_$][\w$]{0,80}: ['`[{\w-])/.test(
    head.toString('latin1', 0, 4_096),
  );
}
