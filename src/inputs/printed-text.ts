import { PrintedStrings } from '../decode/envelopes/printed-texts.js';
import { ByteCollector, NEWLINE, QUOTE, SPACE, TAB, trimEnd } from './bytes.js';
import { findEntry } from './console-line.js';
import { hasMarker, mayHoldBody } from './markers.js';
import type { HeadLine } from './request-head.js';

const LINE_END = Buffer.of(NEWLINE);
const APOSTROPHE = 0x27;
const BACKTICK = 0x60;
const PLUS = 0x2b;

/** The lines of one text, as they are in the file, without the last line end. */
export interface HeldText {
  /** undefined if they are too large to keep. */
  bytes: Buffer | undefined;
  size: number;
  first: HeadLine;
  last: HeadLine;
  lines: number;
  /** Whether anything of a body is in it. */
  mayHoldBody: boolean;
}

/**
 * Holds the lines of a text that a program printed as it is, over several lines: alone, a line of it that looks like a body would be
 * read as one.
 */
export class PrintedText {
  #strings = new PrintedStrings();
  #bytes: ByteCollector;
  #first: HeadLine | undefined;
  #last: HeadLine | undefined;
  #size = 0;
  #lines = 0;

  constructor(maxBytes: number) {
    this.#bytes = new ByteCollector(maxBytes);
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Whether a text is certain to go on in the next line. */
  get isOpen(): boolean {
    return this.#strings.state === 'open';
  }

  /** The number of the last line that is held. */
  get lastLine(): number {
    return this.#last?.number ?? 0;
  }

  /**
   * Takes the next line: `held`, with all before it, as long as the text goes on; `last` if it ends the text; `other` if it is none
   * of it: then `take` or `release` what is held, and add the line again.
   */
  add(line: HeadLine): 'held' | 'last' | 'other' {
    if (this.#first === undefined && !mayBegin(line.content)) return 'other';
    const isInside = this.#strings.take(line.content.toString()) !== undefined;
    const { state } = this.#strings;
    if (!isInside && (this.#first !== undefined || !begins(state, line.content))) return 'other';
    if (this.#lines > 0) this.#bytes.add(LINE_END);
    this.#bytes.add(line.bytes);
    this.#first ??= line;
    this.#size += line.bytes.length + 1;
    this.#lines++;
    this.#last = line;
    return state === 'none' ? 'last' : 'held';
  }

  /** The one line of what turned out to be no text over several lines. */
  release(): HeadLine | undefined {
    const first = this.#lines === 1 ? this.#first : undefined;
    if (first !== undefined) this.#reset();
    return first;
  }

  take(): HeldText | undefined {
    const first = this.#first;
    const last = this.#last;
    if (first === undefined || last === undefined) return undefined;
    const bytes = this.#bytes.take();
    const size = this.#size - 1;
    const lines = this.#lines;
    this.#reset();
    const isMarked = bytes === undefined || hasMarker(bytes) || mayHoldBody(bytes);
    return { bytes, size, first, last, lines, mayHoldBody: isMarked };
  }

  #reset(): void {
    this.#strings = new PrintedStrings();
    this.#bytes.take();
    this.#first = undefined;
    this.#last = undefined;
    this.#size = 0;
    this.#lines = 0;
  }
}

/** JSON that goes on in the next line says itself where it ends. */
function begins(state: PrintedStrings['state'], line: Buffer): boolean {
  return state === 'open' || (state === 'perhaps' && findEntry(line).kind !== 'unfinished');
}

const ARROW = Buffer.from('=> ');
const COUNTED = [';s:', '{s:', 'string('].map((text) => Buffer.from(text));

/** A quick look: whether a line can leave a text open. */
function mayBegin(line: Buffer): boolean {
  const end = trimEnd(line).at(-1);
  if (end === QUOTE || end === APOSTROPHE || end === BACKTICK || end === PLUS) return true;
  if ((line[0] === SPACE || line[0] === TAB) && line.includes(ARROW)) return true;
  return COUNTED.some((word) => line.includes(word));
}
