import { isRestOfJson } from '../decode/envelopes/json-rests.js';
import { readsWhole } from '../decode/envelopes/open-text.js';
import type { Frame } from '../decode/envelopes/line-frames.js';
import { QUOTE, skipBlank, type ByteCollector } from './bytes.js';
import { findEntry, type FoundEntry } from './console-line.js';
import { beginningOf, hasMarker } from './markers.js';
import type { PrintedText } from './printed-text.js';
import type { LineEnd } from './printed-value.js';
import type { ValueScanner } from './value-scanner.js';

/** What one stream has printed of an entry so far. */
export interface OpenEntry {
  /** 1-based number of its first and its last line. */
  line: number;
  lastLine: number;
  lines: number;
  /** For lines without a frame; the decoder reads the time of a frame itself. */
  receivedAt: number | undefined;
  /** Its lines as they are in the file, joined by line ends. */
  raw: ByteCollector;
  /** What they say, joined as the log system cut it. */
  content: ByteCollector;
  /** Where the value begins in its content, how far the line is indented, and whether only a key is before it. */
  start: number;
  indent: number;
  isMember: boolean;
  /** How its first line begins, if it says that a body does. */
  beginning: string | undefined;
  /**
   * Inside the value that the lines so far have begun; undefined inside a line that the log system has cut, where only its end
   * counts: brackets say nothing in base64, between single quotes, or behind other escapes than JSON's.
   */
  scanner: ValueScanner | undefined;
  ending: LineEnd;
  /** Whether another value is to follow: a comma, colon or bracket was the last byte. */
  endsInComma: boolean;
  /** Bytes of its longest line. */
  longest: number;
}

/** What a stream prints over several lines, and the first of them. */
export interface HeldLines {
  text: PrintedText;
  line: Line;
  isTerminated: boolean;
}

/** One line of the file, without its frame. */
export interface Line {
  bytes: Buffer;
  number: number;
  frame: Frame | undefined;
  content: Buffer;
  ending: LineEnd;
}

export function endingOf(frame: Frame | undefined, endsLines: boolean): LineEnd {
  if (frame?.partial !== true) return 'line';
  return frame.marked && endsLines ? 'cut' : 'full';
}

/** Whether what a line has begun goes on in the next one of its stream. */
export function goesOn(found: FoundEntry, content: Buffer, ending: LineEnd): boolean {
  if (found.kind === 'unfinished') return true;
  if (ending !== 'full') return false;
  // A long line that is whole ends itself.
  return found.kind === 'cut' || (found.kind === 'line' && !readsWhole(content.toString()));
}

/**
 * Whether a line is no rest of one that was cut, whose own rest is lost: it begins as that one began, or it is the last and a whole
 * body, and both together are not. Inside the texts of JSON and Ruby no quote stands without a backslash: there, what a person wrote
 * never looks like a body. In other notations it can.
 */
export function beginsAnother(open: OpenEntry, { content, ending }: Line): boolean {
  if (!hasMarker(content)) return false;
  const own = beginningOf(content);
  if (own !== undefined && own === open.beginning) return true;
  const found = findEntry(content);
  if (ending !== 'line' || found.kind !== 'whole' || content[found.start] === QUOTE) return false;
  // Between two elements of a list that is printed over several lines, of which long ones need not be cut.
  const isElement =
    open.scanner?.inString === false && open.endsInComma && skipBlank(content) === found.start;
  if (isElement || !readsWhole(content.toString())) return false;
  const before = open.content.peek();
  if (before === undefined || !isInQuotedNotation(before)) return false;
  return !readsWhole(Buffer.concat([before, content]).toString());
}

/** Whether the value that a text leaves open is JSON or a Ruby hash; so is one whose beginning is missing. */
function isInQuotedNotation(content: Buffer): boolean {
  const { kind, start } = findEntry(content);
  if (kind === 'line' && isRestOfJson(content.toString('latin1'))) return true;
  if (kind !== 'cut' && kind !== 'unfinished') return false;
  return /^[[{\s]*(?:[":]|$)/.test(content.toString('latin1', start, start + 100));
}
