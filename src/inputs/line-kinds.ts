import { CLOSE_BRACE, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipBlank, trimEnd } from './bytes.js';
import { findEntry, findValue } from './console-line.js';
import type { Place } from './item-queue.js';
import { hasMarker } from './markers.js';
import { withoutTerminalCodes } from '../decode/envelopes/clock.js';
import type { OpeningLines } from './printed-text.js';
import { indentOf, isMember } from './printed-value.js';
import { ValueScanner } from './value-scanner.js';

/** A value that begins on one line and continues on the next. */
export interface OpenValue {
  /** 1-based line of its first byte. */
  line: number;
  /** Where that line starts. */
  before: Place;
  receivedAt?: number | undefined;
  /** What stands before it in its first line. */
  words: Buffer;
  /** How far that line is indented. */
  indent: number;
  /** Whether only a key is before it in an indented line: then it is a part of another one, whose beginning is missing. */
  isMember: boolean;
  /** How much of its bytes is the head of a request before it. */
  headSize?: number;
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

/**
 * Where a line ends in `{` or `[` that is alone in it, as every pretty-printer begins, or behind words, as programs label what they
 * print; undefined for any other line.
 */
export function loneOpening(line: Buffer): number | undefined {
  if (line[line.length - 1] === CLOSE_BRACE) return undefined;
  const [last] = trimEnd(line).subarray(-1);
  if (last !== OPEN_BRACE && last !== OPEN_BRACKET) return undefined;
  const start = skipBlank(line);
  if (skipBlank(line, start + 1) === line.length) return start;
  const isJson = line[start] === OPEN_BRACE || line[start] === QUOTE;
  const found = isJson ? undefined : findValue(line);
  return found?.kind === 'unfinished' && skipBlank(line, found.start + 1) === line.length
    ? found.start
    : undefined;
}

/** How a line begins in which a value is at `start`. */
export function beginningAt(
  line: Buffer,
  start: number,
): { words: Buffer; indent: number; isMember: boolean } {
  const words = line.subarray(0, start);
  const before = withoutTerminalCodes(words.toString('latin1'));
  return { words, indent: indentOf(before), isMember: isMember(before) };
}

/**
 * Whether the value that begins in a line is cut off at its end (`…"entry":`), because the next line is an entry of its own. A
 * pretty-printer writes nothing but a bracket into the first line, and indents what is in it.
 */
export function isCutBefore(begun: Buffer, next: Buffer): boolean {
  if (!begun.includes(QUOTE) || !hasMarker(next) || skipBlank(next) > 0) return false;
  const { kind, start, end } = findEntry(next);
  if (kind === 'line') return true;
  return kind === 'whole' && !next.subarray(0, start).includes(QUOTE) && skipBlank(next, end) === next.length;
}

/** Whether a last line without a line end is complete, judged by its brackets. */
export function isWhole(line: Buffer, kind: 'ndjson' | 'console'): boolean {
  if (kind === 'console') return findValue(line)?.kind === 'whole';
  const start = skipBlank(line);
  if (line[start] !== OPEN_BRACE && line[start] !== OPEN_BRACKET && line[start] !== QUOTE) return true;
  const scanner = new ValueScanner();
  scanner.scan(line, start);
  return scanner.status === 'done';
}

/** Whether bytes are the beginning of a line before anything is in it: white space, and colors. */
export function isIndent(bytes: Buffer): boolean {
  const rest = bytes.includes(ESCAPE) ? Buffer.from(withoutTerminalCodes(bytes.toString('latin1'))) : bytes;
  return skipBlank(rest) === rest.length;
}

/** The whole lines that an open value has so far; `lastLine` is the number of the last of them. */
export function openingLines(open: OpenValue, lines: Buffer, lastLine: number): OpeningLines {
  const { line, before, receivedAt, words, indent, isMember, headSize = 0 } = open;
  // Of a part of a value, the key tells whose text is in it.
  const bytes = Buffer.concat([isMember ? words : Buffer.alloc(0), lines.subarray(0, -1)]);
  const after: Place = { offset: before.offset + lines.length, line: lastLine, element: 0 };
  const content = lines.subarray(headSize, -1);
  const first = { bytes, content, number: line, before, after };
  return {
    first,
    last: { ...first, number: lastLine },
    lines: lastLine - before.line,
    receivedAt,
    indent,
    isMember,
  };
}
