import { COMMA, NEWLINE, OPEN_BRACE, OPEN_BRACKET, skipBlank, SPACE } from './bytes.js';
import type { Place } from './item-queue.js';
import { withoutTerminalCodes } from '../decode/envelopes/clock.js';

/** A value that begins on one line and continues on the next. */
export interface OpenValue {
  /** 1-based line of its first byte. */
  line: number;
  /** Where that line starts. */
  before: Place;
  receivedAt?: number | undefined;
  /** Whether its first line begins at the margin. */
  isAtMargin?: boolean;
  /** Where its second line starts, and how much of it is before. */
  second?: Place;
  firstSize?: number;
}

/** Whether a line begins with something. */
export function isAtMargin(line: Buffer): boolean {
  return (line[0] ?? 0) > SPACE;
}

const ESCAPE = 0x1b;

/** A blank line, or the comma that remains on the line where a value over several lines ended. */
export function isEmpty(line: Buffer): boolean {
  const first = line[0] ?? 0;
  if (first > COMMA) return false;
  if (first === ESCAPE && line.length < 64)
    return isEmpty(Buffer.from(withoutTerminalCodes(line.toString('latin1'))));
  const start = skipBlank(line);
  return start === line.length || (line[start] === COMMA && skipBlank(line, start + 1) === line.length);
}

/** `{` or `[` alone on its line: how every pretty-printer begins. */
export function isLoneBracket(line: Buffer): boolean {
  const start = skipBlank(line);
  const bracket = line[start] === OPEN_BRACE || line[start] === OPEN_BRACKET;
  return bracket && skipBlank(line, start + 1) === line.length;
}

/** The white space in which bytes end, if a line begins with it. */
export function indentIn(bytes: Buffer | undefined): Buffer | undefined {
  const indent = bytes?.subarray(bytes.lastIndexOf(NEWLINE) + 1);
  return indent === undefined || skipBlank(indent) < indent.length ? undefined : indent;
}
