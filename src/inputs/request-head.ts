import {
  headLineOf,
  isRequestLine,
  isSignatureLine,
  LONGEST_HEAD,
  LONGEST_HEAD_LINE,
} from '../decode/envelopes/http-head.js';
import { CLOSE_BRACE, CLOSE_BRACKET, NEWLINE, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './bytes.js';
import { findEntry } from './console-line.js';
import type { Place } from './item-queue.js';
import { hasMarker } from './markers.js';

/** A line that may be of a request's head. */
export interface HeadLine {
  /** As it is in the file, without its line end. */
  bytes: Buffer;
  /** What the program printed, without the frame of a log system. */
  content: Buffer;
  /** 1-based. */
  number: number;
  before: Place;
  after: Place;
}

/** Between head and body programs print a line of their own (`--- body ---`), never many. */
const MOST_WORDS = 5;

/**
 * Holds the lines of a dumped request until its body comes: the header with the signature belongs to the entry. Lines that turn
 * out to be none of a head are given back.
 */
export class RequestHead {
  #lines: HeadLine[] = [];
  #size = 0;
  /** Whether a request line, or the signature, says that the lines are a head. */
  #isHttp = false;
  #isSigned = false;
  #isEnded = false;
  #words = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** The last line that is held. */
  get lastLine(): number {
    return this.#lines.at(-1)?.number ?? 0;
  }

  /**
   * Takes a line that goes on with the head, or begins one. False for any other: then `take` or `release` what is held. A line
   * that begins another head while one is held is not taken either, until that one is released.
   */
  add(line: HeadLine): boolean {
    const text = line.content.toString('latin1', 0, LONGEST_HEAD_LINE + 1);
    const kind = headLineOf(text);
    const isWord = kind === 'none' || kind === 'between';
    if (this.isEmpty ? isWord : kind === 'request' || (kind === 'header' && this.#isEnded)) return false;
    if (this.#size + line.bytes.length > LONGEST_HEAD) return false;
    const isHttp = this.#isHttp || isRequestLine(text);
    if (kind !== 'between' && this.#mayBeBody(line.content, isHttp && kind !== 'none')) return false;
    if (kind === 'none' && (!this.#isSigned || ++this.#words > MOST_WORDS)) return false;
    if (isWord) this.#isEnded = true;
    this.#isSigned ||= isSignatureLine(text);
    this.#isHttp = isHttp || this.#isSigned;
    this.#lines.push(line);
    this.#size += line.bytes.length + 1;
    return true;
  }

  /** What stands above a body, each line with its line end, if it says who signed it. Nothing is held afterwards. */
  take(): { bytes: Buffer; first: HeadLine } | undefined {
    const lines = this.#lines;
    const [first] = lines;
    const isSigned = this.#isSigned;
    const isHttp = this.#isHttp;
    if (first === undefined || !isHttp) return undefined;
    this.#reset();
    if (!isSigned) return undefined;
    const end = Buffer.of(NEWLINE);
    return { bytes: Buffer.concat(lines.flatMap(({ bytes }) => [bytes, end])), first };
  }

  /** Lines that are none of a request; those of a request without a body go. */
  release(): readonly HeadLine[] {
    const lines = this.#isHttp ? [] : this.#lines;
    this.#reset();
    return lines;
  }

  /** Headers hold JSON, too; of what is perhaps no header, any JSON is a body. */
  #mayBeBody(content: Buffer, isHeader: boolean): boolean {
    if (!content.includes(OPEN_BRACE) && !content.includes(OPEN_BRACKET)) return false;
    return isHeader ? hasMarker(content) : findEntry(content).kind !== 'none';
  }

  #reset(): void {
    this.#lines = [];
    this.#size = 0;
    this.#isHttp = false;
    this.#isSigned = false;
    this.#isEnded = false;
    this.#words = 0;
  }
}

/** Whether a line begins a head, whatever is held. */
export function beginsHead(line: Buffer): boolean {
  const kind = headLineOf(line.toString('latin1', 0, LONGEST_HEAD_LINE + 1));
  return kind === 'request' || kind === 'header';
}

/** A request or a response directly behind a body. */
const AFTER_BODY =
  /[}\]]((?:\d[\w.:-]{2,100}: )?(?:(?:POST|PUT|PATCH|GET|HEAD|DELETE|OPTIONS) \S{1,2000} HTTP\/\d(?:\.\d)?|HTTP\/\d(?:\.\d)? \d{3}[ \w]{0,60}))$/;
const LONGEST_REQUEST_LINE = 2_200;

/** Where the next request begins in the line in which a body ends; undefined in any other line. */
export function requestAfterBody(line: Buffer): number | undefined {
  const last = line[line.length - 1];
  if (last === CLOSE_BRACE || last === CLOSE_BRACKET || last === QUOTE || last === undefined)
    return undefined;
  const from = Math.max(0, line.length - LONGEST_REQUEST_LINE);
  const tail = line.toString('latin1', from);
  if (!tail.includes('HTTP/')) return undefined;
  const [whole, request = ''] = AFTER_BODY.exec(tail) ?? [];
  return whole === undefined ? undefined : line.length - request.length;
}
