import { PrintedStrings } from '../decode/envelopes/printed-texts.js';
import { withoutColors } from '../decode/envelopes/clock.js';
import { decoratedMember, decoratedPart } from '../decode/envelopes/decorated-json.js';
import { PsqlCell } from '../decode/envelopes/psql-value.js';
import {
  ByteCollector,
  CLOSE_BRACE,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipBlank,
  SPACE,
  TAB,
  trimEnd,
} from './bytes.js';
import { findEntry, lineTime } from './console-line.js';
import { hasId, hasMarker } from './markers.js';
import { PrefixedValue } from './prefixed-value.js';
import { PrintedValue, type LineEnd } from './printed-value.js';
import type { HeadLine } from './request-head.js';

const LINE_END = Buffer.of(NEWLINE);
const APOSTROPHE = 0x27;
const BACKTICK = 0x60;

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
  /** Of a value: where it begins, behind words without any, and when its first line was written. */
  start: number;
  receivedAt: number | undefined;
}

/** Lines that were taken for the beginning of JSON. */
export interface OpeningLines {
  /** With the bytes of all of them, without the last line end; their content begins with the value. */
  first: HeadLine;
  last: HeadLine;
  lines: number;
  receivedAt: number | undefined;
  /** How far the first line is indented in the file, and whether only a key is before the value. */
  indent: number;
  isMember: boolean;
}

/**
 * Holds the lines of what a program printed over several lines, a text as it is or a value in its notation: alone, a line of it
 * that looks like a body would be read as one.
 */
export class PrintedText {
  #strings = new PrintedStrings();
  #value: PrintedValue | undefined;
  /** Where the first line begins a value behind words that may stand before its other lines, too. */
  #wordsEnd: number | undefined;
  #prefixed: PrefixedValue | undefined;
  /** The cell of a table that goes on in the next line. */
  #cell: PsqlCell | undefined;
  /** Where the least indented of the members begins that are parts of JSON which cannot be read. */
  #membersAt: number | undefined;
  #bytes: ByteCollector;
  #first: HeadLine | undefined;
  #last: HeadLine | undefined;
  #size = 0;
  #lines = 0;
  #isMarked = false;
  #start = 0;
  #receivedAt: number | undefined;
  /** Whether it was taken over: its first line is none of its own. */
  #isAdopted = false;
  /** The end of a line that the log system cut. */
  #tail: Buffer = NOTHING;

  constructor(maxBytes: number) {
    this.#bytes = new ByteCollector(maxBytes);
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Whether it is certain to go on in the next line. */
  get isOpen(): boolean {
    if (this.#prefixed !== undefined || this.#cell !== undefined) return true;
    if (this.#membersAt !== undefined) return false;
    return this.#value?.isOpen ?? this.#strings.state === 'open';
  }

  /** Whether the next line tells if it goes on behind the same words. */
  get mayBePrefixed(): boolean {
    return this.#wordsEnd !== undefined && this.#lines === 1;
  }

  get isPrefixed(): boolean {
    return this.#prefixed !== undefined;
  }

  /** The number of the last line that is held. */
  get lastLine(): number {
    return this.#last?.number ?? 0;
  }

  /** How much is held. */
  get size(): number {
    return this.#bytes.size;
  }

  /**
   * Takes the next line: `held`, with all before it, as long as the text goes on; `last` if it ends the text; `other` if it is none
   * of it: then `take` or `release` what is held, and add the line again.
   */
  add(line: HeadLine, end: LineEnd = 'line'): 'held' | 'last' | 'other' {
    const way = this.#first === undefined ? this.#begin(line, end) : this.#goOn(line, end);
    if (way !== 'other') this.#keep(line, end);
    return way;
  }

  #begin({ content }: HeadLine, end: LineEnd): 'held' | 'other' {
    if (end !== 'line') return 'other';
    const isMember = mayBeMember(content);
    const isCell = mayBeCell(content);
    const begins = mayBegin(content);
    if (!isMember && !isCell && !begins) return 'other';
    const text = content.toString();
    const member = isMember ? decoratedMember(text) : undefined;
    if (member?.kind === 'member') {
      this.#membersAt = member.at;
      return 'held';
    }
    this.#cell = isCell ? PsqlCell.begun(text) : undefined;
    if (this.#cell !== undefined) return 'held';
    if (!begins) return 'other';
    this.#strings.take(text);
    const { state, isOfPhp } = this.#strings;
    const opening = isOfPhp ? undefined : PrintedValue.in(text);
    if (opening !== undefined) {
      const start = Buffer.byteLength(text.slice(0, opening.start));
      this.#value = opening.value;
      this.#wordsEnd = start;
      this.#start = content.includes(OPEN_BRACE) && content.indexOf(OPEN_BRACE) < start ? 0 : start;
      this.#receivedAt = lineTime(content, start);
      return 'held';
    }
    if (state === 'open') return 'held';
    const { kind, start } = findEntry(content);
    // JSON that goes on in the next line says itself where it ends, unless that begins with words as this one does.
    if (kind === 'unfinished' && skipBlank(content) < start) {
      this.#strings = new PrintedStrings();
      this.#wordsEnd = start;
      return 'held';
    }
    if (state === 'perhaps' && kind !== 'unfinished') return 'held';
    this.#strings = new PrintedStrings();
    return 'other';
  }

  #goOn({ content }: HeadLine, end: LineEnd): 'held' | 'last' | 'other' {
    if (this.#membersAt !== undefined) return this.#goOnWithMembers(content, this.#membersAt);
    if (this.#cell !== undefined) {
      const next = this.#cell.next(content.toString());
      if (next === undefined) return 'other';
      return next.isLast ? 'last' : 'held';
    }
    if (this.#prefixed !== undefined) return WAYS[this.#prefixed.goOn(content, end)];
    const prefixed = this.#prefixedBy(content);
    const way = prefixed?.goOn(content, end) ?? 'no';
    if (way !== 'no') {
      this.#prefixed = prefixed;
      // The decoder finds the words in the whole lines.
      this.#start = 0;
      return WAYS[way];
    }
    const text = content.toString();
    if (this.#value !== undefined) return WAYS[this.#value.goOn(text, end)];
    const isInside = this.#strings.take(text) !== undefined;
    if (!isInside) return 'other';
    return this.#strings.state === 'none' ? 'last' : 'held';
  }

  #goOnWithMembers(content: Buffer, least: number): 'held' | 'other' {
    const [first] = content;
    const part = first === OPEN_BRACE ? undefined : decoratedPart(content.toString());
    // A value can begin there that is whole.
    if (part === undefined || (part.kind === 'opening' && part.at < least)) return 'other';
    this.#membersAt = Math.min(least, part.kind === 'closing' ? least : part.at);
    return 'held';
  }

  /** The value that the only line so far begins, if the next one has the same words before it. */
  #prefixedBy(next: Buffer): PrefixedValue | undefined {
    const first = this.#first?.content;
    const wordsEnd = this.#wordsEnd;
    if (first === undefined || wordsEnd === undefined || this.#lines > 1) return undefined;
    return PrefixedValue.over(first, wordsEnd, next);
  }

  /** Takes over lines of what is no JSON, if a program can have printed them. */
  adopt({ first, last, lines, receivedAt, indent, isMember }: OpeningLines): boolean {
    const value = PrintedValue.over(first.content.toString().split('\n'), indent, isMember);
    if (value === undefined) return false;
    this.#value = value;
    this.#isAdopted = true;
    this.#receivedAt = receivedAt;
    this.#keep(first, 'line');
    this.#lines = lines;
    this.#last = last;
    return true;
  }

  #keep(line: HeadLine, end: LineEnd): void {
    if (this.#lines > 0) this.#bytes.add(LINE_END);
    this.#bytes.add(line.bytes);
    this.#first ??= line;
    this.#size += line.bytes.length + 1;
    this.#lines++;
    this.#last = line;
    const content = this.#tail.length > 0 ? Buffer.concat([this.#tail, line.content]) : line.content;
    this.#isMarked ||= hasMarker(content) || (this.#membersAt !== undefined && hasId(content));
    this.#tail = end === 'line' ? NOTHING : content.subarray(-LONGEST_MARKER);
  }

  /** The one line of what turned out to be no text over several lines. */
  release(): HeadLine | undefined {
    const isOwn = this.#lines === 1 && !this.#isAdopted && this.#membersAt === undefined;
    const first = isOwn ? this.#first : undefined;
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
    const mayHoldBody = bytes === undefined || this.#isMarked;
    const start = this.#start;
    const receivedAt = this.#receivedAt;
    this.#reset();
    return { bytes, size, first, last, lines, mayHoldBody, start, receivedAt };
  }

  #reset(): void {
    this.#strings = new PrintedStrings();
    this.#value = undefined;
    this.#wordsEnd = undefined;
    this.#prefixed = undefined;
    this.#cell = undefined;
    this.#membersAt = undefined;
    this.#bytes.take();
    this.#first = undefined;
    this.#last = undefined;
    this.#size = 0;
    this.#lines = 0;
    this.#isMarked = false;
    this.#start = 0;
    this.#receivedAt = undefined;
    this.#isAdopted = false;
    this.#tail = NOTHING;
  }
}

const WAYS = { no: 'other', more: 'held', last: 'last' } as const;
const NOTHING = Buffer.alloc(0);
const LONGEST_MARKER = 120;

const ARROW = Buffer.from('=> ');
const COUNTED = [';s:', '{s:', 'string('].map((text) => Buffer.from(text));
const ESCAPE = 0x1b;
/** In which a line ends that leaves a text or a value open. */
const ENDS = new Set([QUOTE, APOSTROPHE, BACKTICK, ...Buffer.from('+,{[(:>|-')]);

/** A quick look: whether a line can leave a text or a value open. */
function mayBegin(line: Buffer): boolean {
  if (line[line.length - 1] !== CLOSE_BRACE && ENDS.has(lastOf(line))) return true;
  if ((line[0] === SPACE || line[0] === TAB) && line.includes(ARROW)) return true;
  return COUNTED.some((word) => line.includes(word));
}

/** A quick look: whether an indented key can be in a line, behind words or with some behind it. */
function mayBeMember(line: Buffer): boolean {
  const [first = 0] = line;
  if (first === OPEN_BRACE || first === OPEN_BRACKET || first === QUOTE) return false;
  if (!line.includes(END_OF_KEY)) return false;
  const head = line.subarray(0, LONGEST_HEAD);
  return INDENTED_QUOTES.some((quote) => head.includes(quote));
}

const END_OF_KEY = Buffer.from('":');

const INDENTED_QUOTES = ['  "', '\t"', '\' "', '` "'].map((text) => Buffer.from(text));

/** A quick look: whether a line can begin a cell of psql's over several. */
function mayBeCell(line: Buffer): boolean {
  return (
    (line.includes(PLUS) || line.includes(FIRST_OF_RETURN)) &&
    /^[^"{[]{0,400}[{[](?:[ +]|\xe2\x86\xb5)/.test(line.toString('latin1', 0, LONGEST_HEAD))
  );
}

const PLUS = 0x2b;
/** The first byte of `↵`. */
const FIRST_OF_RETURN = 0xe2;
const LONGEST_HEAD = 410;

/** The last byte that is neither white space nor of a color. */
function lastOf(line: Buffer): number {
  const last = trimEnd(line.subarray(-LONGEST_END));
  if (!last.includes(ESCAPE)) return last.at(-1) ?? 0;
  return trimEnd(Buffer.from(withoutColors(last.toString('latin1')))).at(-1) ?? 0;
}

const LONGEST_END = 80;

/** Whether a program's lines behind words of a log system are among `lines`, and a value over several of them. */
export function holdsPrefixedValue(lines: Iterable<Buffer>): boolean {
  let text = new PrintedText(LONGEST_LOOK);
  for (const bytes of lines) {
    const line = { bytes, content: bytes, number: 0, before: NOWHERE, after: NOWHERE };
    if (text.add(line) === 'other') {
      text = new PrintedText(LONGEST_LOOK);
      text.add(line);
    } else if (text.isPrefixed) return true;
  }
  return false;
}

const LONGEST_LOOK = 1 << 20;
const NOWHERE = { offset: 0, line: 0, element: 0 };
