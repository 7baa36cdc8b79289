import { endsBeforeText, literalAround } from '../decode/envelopes/outer-values.js';
import { timeOfLine } from '../decode/envelopes/clock.js';
import { isRestOfJson } from '../decode/envelopes/json-rests.js';
import { wordsBeforeIndent } from '../decode/envelopes/line-prefix.js';
import { fragmentOf, isDecorated, printAround, printFormOf } from '../decode/envelopes/printed-texts.js';
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  EQUALS,
  GREATER,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipBlank,
} from './bytes.js';
import { holdsEncodedBody } from './encoded-lines.js';
import { hasId, hasMarkedBytes, hasMarker, mayEndBody, mayHoldBody } from './markers.js';
import { ValueScanner } from './value-scanner.js';

/** Where the JSON of a log line is: complete in the line, cut off at its end, or continued on the next lines. */
export interface FoundValue {
  kind: 'whole' | 'cut' | 'unfinished';
  start: number;
  end: number;
}

/**
 * Finds the JSON object or array in a line of a console log: the first bracket that starts one, skipping `[pm2]`, `[0]`
 * and `{id}` in a prefix; an empty `{}` only if nothing better follows. JSON that was logged as a string
 * (`body="{\"object\":…}"`) is that string, quotes included.
 */
export function findValue(line: Buffer, scanner = new ValueScanner()): FoundValue | undefined {
  let empty: FoundValue | undefined;
  for (let at = nextBracket(line, 0); at !== -1; at = nextBracket(line, at + 1)) {
    const escaped = startsEscaped(line, at);
    const look = escaped ? 'value' : lookAhead(line, at);
    if (look === 'no') continue;
    const start = escaped ? at - 1 : at;
    scanner.reset();
    const end = scanner.scan(line, start);
    if (scanner.status === 'open') return { kind: scanner.inString ? 'cut' : 'unfinished', start, end };
    const found: FoundValue = { kind: 'whole', start, end };
    if (look === 'value') return found;
    empty ??= found;
  }
  return empty;
}

/** What a console log line is: `line` is an entry as a whole, a found value is one without its prefix. */
export interface FoundEntry {
  kind: FoundValue['kind'] | 'line' | 'none';
  start: number;
  end: number;
}

/**
 * Finds the entry in a line of a console log: the JSON in it, or the whole line where a body may be in it in another notation
 * (a Ruby hash, nginx's escapes, base64) or beside the JSON (headers before the body).
 */
export function findEntry(written: Buffer, scanner = new ValueScanner()): FoundEntry {
  const line = withBlankColors(written);
  const words = wordsBeforeIndent(written.toString('latin1', 0, LONGEST_WORDS));
  if (words === 0) return entryOf(line, scanner);
  // What is indented behind words is judged as what is indented.
  const { kind, start, end } = entryOf(line.subarray(words), scanner);
  return { kind, start: kind === 'line' ? 0 : start + words, end: end + words };
}

function entryOf(line: Buffer, scanner: ValueScanner): FoundEntry {
  const found = findValue(line, scanner);
  if (found !== undefined && isInPythonBytes(line, found.start))
    return { kind: 'line', start: 0, end: line.length };
  if (isInRest(line, found)) return { kind: 'line', start: 0, end: line.length };
  const outer = found === undefined ? undefined : findOuter(line, found, scanner);
  if (outer !== undefined) return outer;
  if (found !== undefined && found.kind !== 'whole') {
    const around = findOpenHash(line, scanner);
    if (around !== undefined && around.start < found.start) return around;
    return isInLiteral(line, found) ? { ...found, start: found.start - 1 } : found;
  }
  if (found !== undefined && found.end - found.start > 2) {
    const inside = hasMarker(line.subarray(found.start, found.end));
    const rest = line.subarray(found.end);
    const isSigned = line.subarray(0, found.start).includes(SIGNATURE) || rest.includes(SIGNATURE);
    if (inside && isSigned) return { kind: 'line', start: 0, end: line.length };
    // For an SQL or YAML literal, the apostrophes belong to the entry: they show that inner ones are doubled.
    const isDoubled = isInLiteral(line, found) && line.subarray(found.start, found.end).includes(DOUBLED);
    const isAlone =
      !mayEndBody(line.subarray(0, found.start)) &&
      (startsValue(rest) ? !isFollowedByOther(rest, scanner) : !hasMarker(rest));
    if (inside ? isAlone && !isDoubled : !mayHoldBody(line) && !hasMarkedBytes(rest)) return found;
    return { kind: 'line', start: 0, end: line.length };
  }
  const hash = findOpenHash(line, scanner);
  if (hash !== undefined) return hash;
  if (
    mayHoldBody(line) ||
    hasMarkedBytes(line) ||
    holdsEncodedBody(line) ||
    ((hasMarker(line) || hasId(line)) && isOfPrint(line.toString('latin1')))
  )
    return { kind: 'line', start: 0, end: line.length };
  return found ?? { kind: 'none', start: 0, end: 0 };
}

function isOfPrint(line: string): boolean {
  return printFormOf(line) !== undefined || isDecorated(line);
}

/**
 * Whether a line, or the value that was found in it, is of the rest of JSON whose beginning is missing. A body that is whole in it is its
 * own: nobody's text has quotes without escapes.
 */
function isInRest(line: Buffer, found: FoundValue | undefined): boolean {
  const words = found === undefined ? line : line.subarray(0, found.start);
  const rest = found?.kind === 'whole' ? line.subarray(found.end) : NOTHING;
  if (!words.includes(QUOTE) && !ENDS_MORE.test(rest.toString('latin1', 0, LONGEST_GAP))) return false;
  if (!isRestOfJson(line.toString('latin1'))) return false;
  return found?.kind !== 'whole' || !BODY_START.test(line.toString('latin1', found.start, found.end));
}

const NOTHING = Buffer.alloc(0);
const ENDS_MORE = /^\s*(?:[}\]]|,\s*")/;
const LONGEST_GAP = 80;
/** How a body of Meta begins, or an event of a library for WhatsApp Web. */
const BODY_START = /^\{\s*"(?:object"\s*:\s*"whatsapp_business_account"\s*,\s*"entry"|event"\s*:\s*")/;

const LONGEST_WORDS = 800;

/** A line with blanks in place of its colors, which stand between the name and the text of a property, too. */
function withBlankColors(line: Buffer): Buffer {
  if (!line.includes(ESCAPE)) return line;
  const text = line.toString('latin1');
  return Buffer.from(
    text.replace(COLOR, (code: string, at: number) => (at === 0 ? 'x' : ' ').repeat(code.length)),
    'latin1',
  );
}

/** At the margin, where it indents nothing, a word takes its place. */
const COLOR = /\x1b\[[\d;]*[A-Za-z]/g;

/** A signature among the words around a body identifies its author. */
const SIGNATURE = Buffer.from('sha256=');

/**
 * Whether the value that follows directly after a body is none: Monolog's context, which is no entry of its own. Bodies that follow
 * one another are an entry each.
 */
function isFollowedByOther(rest: Buffer, scanner: ValueScanner): boolean {
  const next = findFilled(rest, scanner);
  return next?.kind === 'whole' && !hasMarker(rest.subarray(next.start, next.end));
}

/** The next of the values that follow one another which has anything in it. Monolog ends each line with an empty one. */
export function findFilled(line: Buffer, scanner = new ValueScanner()): FoundValue | undefined {
  let from = 0;
  while (startsValue(line.subarray(from))) {
    const at = nextBracket(line, from);
    if (lookAhead(line, at) === 'empty') {
      // Scanning ahead from each of many for a nonempty one would take forever.
      from = skipBlank(line, at + 1) + 1;
      continue;
    }
    const found = findValue(line.subarray(from), scanner);
    if (found === undefined) return undefined;
    const { kind, start, end } = found;
    const isFilled = skipBlank(line, from + start + 1) < from + end - 1;
    if (kind !== 'whole' || isFilled) return { kind, start: from + start, end: from + end };
    from += end;
  }
  return undefined;
}

/** Whether an apostrophe opens directly before the value. */
function isInLiteral(line: Buffer, { start }: FoundValue): boolean {
  return line[start - 1] === APOSTROPHE && !isWord(line[start - 2]);
}

/** Whether an unfinished value is only its bracket, in which prose ends, too (`options: {`). */
export function isLoneOpening(bytes: Buffer): boolean {
  return bytes.length === 1 || (bytes.length === 2 && bytes[0] === APOSTROPHE);
}

/** `b'{"a":"\\u00e1"}'`, Python's bytes: what looks like JSON has its backslashes doubled, and would be read as other text. */
function isInPythonBytes(line: Buffer, start: number): boolean {
  const quote = line[start - 1];
  return (
    line[start - 2] === LETTER_B && (quote === QUOTE || quote === APOSTROPHE) && !isWord(line[start - 3])
  );
}

/**
 * The value around the one that was found, where that is a part of one in another notation, or a person's text: taken alone, it
 * would be read as a body. An entry has to hold all of what is around it.
 */
function findOuter(line: Buffer, found: FoundValue, scanner: ValueScanner): FoundEntry | undefined {
  const prefix = line.toString('latin1', 0, found.start);
  const whole: FoundEntry = { kind: 'line', start: 0, end: line.length };
  if (endsBeforeText(prefix) || isInPrint(line, found)) return whole;
  if (prefix.includes('"') || line[found.start] === QUOTE) {
    if (fragmentOf(line.toString('latin1')) !== undefined) return whole;
  }
  if (!prefix.includes('{') && !prefix.includes('map[')) return undefined;
  const outer = literalAround(line.toString('latin1'), found.start);
  if (outer === undefined || !outer.isUnfinished || found.kind !== 'unfinished')
    return outer === undefined ? undefined : whole;
  scanner.reset();
  const end = scanner.scan(line, outer.start);
  return scanner.status === 'open' && !scanner.inString
    ? { kind: 'unfinished', start: outer.start, end }
    : whole;
}

function isInPrint(line: Buffer, { start, end }: FoundValue): boolean {
  const before = line.toString('utf8', 0, start);
  const value = line.toString('utf8', start, end);
  const span = { start: before.length, end: before.length + value.length };
  return printAround(before + value + line.toString('utf8', end), [span]) !== undefined;
}

const LETTER_B = 0x62;
const APOSTROPHE = 0x27;
const DOUBLED = Buffer.of(APOSTROPHE, APOSTROPHE);

function isWord(byte: number | undefined): boolean {
  return byte !== undefined && /\w/.test(String.fromCharCode(byte));
}

/** Whether another value follows directly, or after a comma. */
export function startsValue(rest: Buffer): boolean {
  const at = skipBlank(rest);
  const next = rest[at] === COMMA ? skipBlank(rest, at + 1) : at;
  return rest[next] === OPEN_BRACE || rest[next] === OPEN_BRACKET;
}

/** A Ruby hash that is printed over several lines (`pp`): where it begins, if the line does not end it. */
function findOpenHash(line: Buffer, scanner: ValueScanner): FoundValue | undefined {
  if (!line.includes(ARROW)) return undefined;
  for (let at = nextBracket(line, 0); at !== -1; at = nextBracket(line, at + 1)) {
    if (!startsHash(line, at)) continue;
    scanner.reset();
    const end = scanner.scan(line, at);
    if (scanner.status === 'done') return undefined;
    return { kind: scanner.inString ? 'cut' : 'unfinished', start: at, end };
  }
  return undefined;
}

const ARROW = Buffer.of(EQUALS, GREATER);

/** Whether `{"key"=>`, `{:key=>` or an array of such begins at `at`. */
function startsHash(line: Buffer, at: number): boolean {
  let next = at;
  while (line[next] === OPEN_BRACKET) next = skipBlank(line, next + 1);
  if (line[next] !== OPEN_BRACE) return false;
  next = skipBlank(line, next + 1);
  return HASH_KEY.test(line.toString('latin1', next, next + 200));
}

const HASH_KEY = /^(?:"(?:[^"\\]|\\.)*"|:\w+) *=>/;

/** When the line was written, if the words before its value say so (`2025-09-16T05:00:00Z INFO …`, `[16/Sep/2025:05:00:00 +0000] …`): ms since 1970. */
export function lineTime(line: Buffer, valueStart: number): number | undefined {
  return timeOfLine(line.toString('latin1', 0, Math.min(valueStart, LONGEST_TIME_PREFIX)));
}

const LONGEST_TIME_PREFIX = 256;

function nextBracket(line: Buffer, from: number): number {
  for (let at = from; at < line.length; at++) {
    const byte = line[at];
    // `ESC [` begins a color.
    if (byte === OPEN_BRACE || (byte === OPEN_BRACKET && line[at - 1] !== ESCAPE))
      return lastOfBrackets(line, at);
  }
  return -1;
}

/** No value begins with more brackets; scanning ahead from each of a million takes forever. */
const MOST_BRACKETS = 64;

function lastOfBrackets(line: Buffer, first: number): number {
  let end = first;
  while (line[end] === OPEN_BRACE || line[end] === OPEN_BRACKET) end++;
  return Math.max(first, end - MOST_BRACKETS);
}

/** Whether the bracket at `at` is the first character of a string that holds JSON. */
function startsEscaped(line: Buffer, at: number): boolean {
  if (line[at - 1] !== QUOTE) return false;
  let next = at;
  while (line[next] === OPEN_BRACKET || line[next] === OPEN_BRACE) next++;
  return line[next] === BACKSLASH && ESCAPED.has(line[next + 1] ?? 0);
}

/** What follows the backslash after the bracket: the key's quote, or a pretty-printer's line end. */
const ESCAPED = new Set(Buffer.from('"nr'));

/** Whether the bracket at `at` starts JSON as a log would hold it: `{"key":`, or an array of such. */
function lookAhead(line: Buffer, at: number): 'value' | 'empty' | 'no' {
  let next = at;
  while (line[next] === OPEN_BRACKET) next = skipColors(line, next + 1);
  if (next >= line.length) return 'value';
  if (line[next] === CLOSE_BRACKET) return next === at + 1 ? 'empty' : 'no';
  if (line[next] !== OPEN_BRACE) return 'no';
  next = skipColors(line, next + 1);
  if (next >= line.length) return 'value';
  if (line[next] === CLOSE_BRACE) return line[at] === OPEN_BRACE ? 'empty' : 'value';
  if (line[next] !== QUOTE) return 'no';
  for (next++; next < line.length && line[next] !== QUOTE; next++) if (line[next] === BACKSLASH) next++;
  next = skipColors(line, next + 1);
  return next >= line.length || line[next] === COLON ? 'value' : 'no';
}

const ESCAPE = 0x1b;

/** The first index from `from` that is neither white space nor of a color. */
function skipColors(line: Buffer, from: number): number {
  let at = skipBlank(line, from);
  while (line[at] === ESCAPE) {
    const [color] = /^\x1b\[[\d;]*[A-Za-z]/.exec(line.toString('latin1', at, at + 32)) ?? [];
    if (color === undefined) return at;
    at = skipBlank(line, at + color.length);
  }
  return at;
}
