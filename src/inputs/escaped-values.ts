import {
  literalAt,
  readEscapes,
  type EscapedJson,
  type EscapeForm,
  type EscapeProof,
} from '../decode/envelopes/escaped-json.js';
import { BACKSLASH, NEWLINE, OPEN_BRACE, OPEN_BRACKET, QUOTE, TAB } from './bytes.js';
import { hasMarker } from './markers.js';

/** Whether a file's JSON has a layer of escapes; undefined where no line of its head proves it. */
export type FileEscapes = 'escaped' | 'plain' | undefined;

/** JSON in a line that has a layer of escapes around it, where it stands, and the JSON without the layer. */
interface EscapedValue {
  inner: Buffer;
  start: number;
  end: number;
}

/**
 * The only body of a line, where it stands in a literal or a cell whose backslashes are doubled. What the line itself leaves open is
 * decided by the file, so that its lines are read alike; without a proof there, such forms are escaped.
 */
function escapedValueIn(line: Buffer, start: number, file: FileEscapes): EscapedValue | undefined {
  if (!line.includes(BACKSLASH)) return undefined;
  const found = holderAt(line, start);
  if (found === undefined || !isEscaped(found.read, file)) return undefined;
  const isAlone = !hasMarker(line.subarray(0, start)) && !hasMarker(line.subarray(found.end));
  return isAlone ? { inner: Buffer.from(found.read.inner), start, end: found.end } : undefined;
}

/**
 * The entry of a line in which an escaped value is, without its escapes, and where the value begins. `isLine`: the line is given whole,
 * because more than its value counts: who signed it.
 */
export function escapedEntryOf(
  line: Buffer,
  found: { isLine: boolean; start: number },
  file: FileEscapes,
): { entry: Buffer; start: number } | undefined {
  const at = found.isLine ? line.indexOf(TAB_AND_BRACE) + 1 : found.start;
  const start = line[at] === APOSTROPHE ? at + 1 : at;
  const value = start === 0 ? undefined : escapedValueIn(line, start, file);
  if (value === undefined) return undefined;
  const { inner } = value;
  const entry = found.isLine
    ? Buffer.concat([line.subarray(0, value.start), inner, line.subarray(value.end)])
    : inner;
  return { entry, start };
}

const NOTHING = Buffer.alloc(0);
const APOSTROPHE = 0x27;
const TAB_AND_BRACE = Buffer.of(TAB, OPEN_BRACE);

/** The JSON of a cell of a table whose cells have no quotes, without its layer of escapes. */
export function unescapedCell(cell: Buffer, file: FileEscapes): Buffer {
  const read = cell.includes(BACKSLASH) ? readCell(cell) : undefined;
  return read !== undefined && isEscaped(read, file) ? Buffer.from(read.inner, 'latin1') : cell;
}

/**
 * What a line of its own, which is nothing but JSON or has it in a cell, shows about a layer of escapes. `inner`: the line without the
 * layer, where it may have one. `inCells`: whether cells count, too. undefined for a line without backslashes, and for one that is no JSON either way.
 */
export function rowIn(line: Buffer, inCells = true): { proof: EscapeProof; inner?: Buffer } | undefined {
  const first = line[0] ?? 0;
  const isWhole = first === OPEN_BRACE || first === OPEN_BRACKET;
  if (!isWhole && (!inCells || first === QUOTE || !line.includes(TAB_AND_BRACE))) return undefined;
  if (!line.includes(BACKSLASH)) return undefined;
  if (!doublesBackslashes(line)) return isWhole ? { proof: 'plain' } : undefined;
  const start = isWhole ? 0 : line.indexOf(TAB_AND_BRACE) + 1;
  const read = isWhole ? readCell(line) : cellAt(line, start)?.read;
  if (read === undefined || read.proof === 'plain') return read && { proof: 'plain' };
  const inner = Buffer.from(read.inner, isWhole ? 'latin1' : 'utf8');
  if (isWhole) return { proof: read.proof, inner };
  const end = line.indexOf(TAB, start);
  const rest = end === -1 ? NOTHING : line.subarray(end);
  if (hasMarker(line.subarray(0, start)) || hasMarker(rest)) return undefined;
  return { proof: read.proof, inner: Buffer.concat([line.subarray(0, start), inner, rest]) };
}

/** A line of its own without the layer of escapes without which it is no JSON; any other line as it is. */
export function unescapedRow(line: Buffer, inCells = true): Buffer {
  const row = rowIn(line, inCells);
  return row?.proof === 'escaped' && row.inner !== undefined ? row.inner : line;
}

/** What follows the backslash that COPY and `mysql -B` write for a control character; `\\N` is a null. */
const OF_LAYER = new Set(Buffer.from('bfnrtv0ZN'));

/** Whether every backslash may be of a layer of escapes, which doubles those of the text. */
export function doublesBackslashes(line: Buffer): boolean {
  for (let at = line.indexOf(BACKSLASH); at !== -1; at = line.indexOf(BACKSLASH, at + 2)) {
    const next = line[at + 1] ?? 0;
    if (next !== BACKSLASH && !OF_LAYER.has(next)) return false;
  }
  return true;
}

/** What the cells of a column prove together. */
export function escapesOfCells(cells: readonly Buffer[]): FileEscapes {
  return proofOf(cells.map((cell) => readCell(cell)));
}

/** What the lines at the beginning of a file prove. The last one may be cut. */
export function escapesOfLines(head: Buffer): FileEscapes {
  if (!head.includes(BACKSLASH)) return undefined;
  const read: (EscapedJson | undefined)[] = [];
  for (let start = 0; start < head.length;) {
    const end = head.indexOf(NEWLINE, start);
    const line = head.subarray(start, end === -1 ? head.length : end);
    start += line.length + 1;
    const at = line.includes(BACKSLASH) ? firstHeld(line) : undefined;
    if (at !== undefined) read.push(holderAt(line, at)?.read);
  }
  return proofOf(read);
}

/** A plain value of JSON can stand in a file of literals, as a cell of another program's line; escapes prove more. */
function proofOf(read: readonly (EscapedJson | undefined)[]): FileEscapes {
  if (read.some((each) => each?.proof === 'escaped')) return 'escaped';
  return read.some((each) => each?.proof === 'plain') ? 'plain' : undefined;
}

function isEscaped({ proof }: EscapedJson, file: FileEscapes): boolean {
  return proof === 'escaped' || (proof === 'either' && file !== 'plain');
}

const BEFORE_HELD = new Set(Buffer.from("\t'`"));

/** Where the first value begins that a quote or a tab opens. */
function firstHeld(line: Buffer): number | undefined {
  for (let at = 1; at < line.length; at++) {
    if (line[at] !== OPEN_BRACE && line[at] !== OPEN_BRACKET) continue;
    if (BEFORE_HELD.has(line[at - 1] ?? 0)) return at;
  }
  return undefined;
}

function holderAt(line: Buffer, start: number): { read: EscapedJson; end: number } | undefined {
  if (line[start - 1] === TAB) return cellAt(line, start);
  const text = line.toString('latin1');
  const literal = literalAt(text, start);
  if (literal === undefined) return undefined;
  const written = line.toString('utf8', start, literal.end);
  // Bytes that are no UTF-8 would be lost.
  if (written.includes('\uFFFD')) return undefined;
  const read = readEscapes(written, literal.form);
  return read === undefined ? undefined : { read, end: literal.end };
}

function cellAt(line: Buffer, start: number): { read: EscapedJson; end: number } | undefined {
  // The lines of zap and of AWS Lambda have tabs, and JSON as it was.
  if (LEVEL.test(line.toString('latin1', 0, Math.min(start, LONGEST_PREFIX)))) return undefined;
  const tab = line.indexOf(TAB, start);
  const end = tab === -1 ? line.length : tab;
  const written = line.toString('utf8', start, end);
  if (written.includes('\uFFFD')) return undefined;
  const read = readEscapes(written, CELL);
  return read === undefined ? undefined : { read, end };
}

function readCell(cell: Buffer): EscapedJson | undefined {
  return readEscapes(cell.toString('latin1'), CELL);
}

const CELL: EscapeForm = 'cell';
const LEVEL = /(?:^|\t)\s*(?:trace|debug|info|notice|warn|warning|error|fatal|panic|dpanic)\s*\t/i;
const LONGEST_PREFIX = 2_000;
