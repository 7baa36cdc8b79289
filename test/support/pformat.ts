import type { JsonValue } from '../../src/model/json.js';

export interface PformatOptions {
  width?: number;
  indent?: number;
  sortDicts?: boolean;
}

/** What `pprint.pformat` of Python 3.8 and later returns for a value that came from JSON. */
export function pformat(
  value: JsonValue,
  { width = 80, indent = 1, sortDicts = true }: PformatOptions = {},
): string {
  let out = '';
  format(value, 0, 0, 0);
  return out;

  function format(each: JsonValue, column: number, allowance: number, level: number): void {
    const written = repr(each, sortDicts);
    if (lengthOf(written) <= width - column - allowance) out += written;
    else if (typeof each === 'string') formatText(each, column, allowance, level + 1);
    else if (typeof each !== 'object' || each === null) out += written;
    else if (Array.isArray(each)) formatItems(each, column, allowance + 1, level + 1);
    else formatDict(Object.entries(each), column, allowance + 1, level + 1);
  }

  function formatDict(entries: [string, JsonValue][], at: number, allowance: number, level: number): void {
    const column = at + indent;
    out += `{${' '.repeat(indent - 1)}`;
    const members = sortDicts ? sorted(entries) : entries;
    for (const [i, [key, each]] of members.entries()) {
      const isLast = i === members.length - 1;
      const name = reprText(key);
      out += `${name}: `;
      format(each, column + lengthOf(name) + 2, isLast ? allowance : 1, level);
      if (!isLast) out += `,\n${' '.repeat(column)}`;
    }
    out += '}';
  }

  function formatItems(items: JsonValue[], at: number, allowance: number, level: number): void {
    const column = at + indent;
    out += `[${' '.repeat(indent - 1)}`;
    for (const [i, each] of items.entries()) {
      const isLast = i === items.length - 1;
      format(each, column, isLast ? allowance : 1, level);
      if (!isLast) out += `,\n${' '.repeat(column)}`;
    }
    out += ']';
  }

  function formatText(text: string, at: number, given: number, level: number): void {
    const isOutermost = level === 1;
    const column = isOutermost ? at + 1 : at;
    const allowance = isOutermost ? given + 1 : given;
    const pieces = piecesOf(text, width - column, allowance);
    if (pieces.length <= 1) {
      out += reprText(text);
      return;
    }
    const all = pieces.join(`\n${' '.repeat(column)}`);
    out += isOutermost ? `(${all})` : all;
  }
}

/** Where Python's `splitlines` cuts. */
const LINES = /[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]|$)/g;

function piecesOf(text: string, width: number, allowance: number): string[] {
  const lines = (text.match(LINES) ?? []).filter((line) => line !== '');
  const pieces: string[] = [];
  for (const [i, line] of lines.entries()) {
    const isLastLine = i === lines.length - 1;
    const whole = reprText(line);
    if (lengthOf(whole) <= (isLastLine ? width - allowance : width)) {
      pieces.push(whole);
      continue;
    }
    const words = (line.match(/\S*\s*/g) ?? []).filter((word) => word !== '');
    let current = '';
    for (const [j, word] of words.entries()) {
      const room = isLastLine && j === words.length - 1 ? width - allowance : width;
      if (lengthOf(reprText(current + word)) <= room) {
        current += word;
        continue;
      }
      if (current !== '') pieces.push(reprText(current));
      current = word;
    }
    if (current !== '') pieces.push(reprText(current));
  }
  return pieces;
}

function sorted(entries: [string, JsonValue][]): [string, JsonValue][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function repr(value: JsonValue, sortDicts: boolean): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return reprText(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((each) => repr(each, sortDicts)).join(', ')}]`;
  const entries = Object.entries(value);
  return `{${(sortDicts ? sorted(entries) : entries)
    .map(([key, each]) => `${reprText(key)}: ${repr(each, sortDicts)}`)
    .join(', ')}}`;
}

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** Python's `repr` of a text: what does not print, a blank other than the space included, is an escape. */
export function reprText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === quote || character === '\\') written += `\\${character}`;
    else if (character === ' ' || !/[\p{C}\p{Z}]/u.test(character)) written += character;
    else if (NAMED[character] !== undefined) written += NAMED[character];
    else if (code < 0x100) written += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (code < 0x10000) written += `\\u${code.toString(16).padStart(4, '0')}`;
    else written += `\\U${code.toString(16).padStart(8, '0')}`;
  }
  return quote + written + quote;
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
