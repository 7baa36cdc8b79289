/**
 * Pretty-printed JSON with something before and behind its lines that makes it unreadable: a box, a time, a shell's backslash, the quotes
 * and `+` of a program's text; or its lines with the newest first. Each line shows that it is a member of a value, whatever is around it:
 * what its text holds is a person's (rule E1).
 */

import { endOfText } from './quotes.js';

/** No log system writes more before a line. */
const LONGEST_PREFIX = 400;
/** Nothing longer stands behind a line, without the white space before it. */
const LONGEST_REST = 80;
const LONGEST_NUMBER = 40;
/** No key is looked for behind more of what could be one. */
const MOST_KEYS = 8;

/** A key as a pretty-printer indents it. One blank alone separates words, as before a label. */
const KEY = /(?<=\s\s|['`]\s|^\s)"(?:[^"\\\n]|\\.){1,80}":\s*/g;
/** An element of a list, indented alike. */
const ELEMENT = /(?<=\s\s)(?=["\d-])/g;
const BRACKETS = /(?:^|[\s'`])([{[]|[\]}]+,?|[{[][\]}],?)(?=\s|\\|['`]|$)/g;
const SCALAR = /^(?:-?\d[\d.eE+-]*|true|false|null)/;

/** Where the value's part begins in a line, and which part it is. */
export interface DecoratedPart {
  kind: 'member' | 'opening_member' | 'element' | 'opening' | 'closing';
  at: number;
}

/** The member of JSON in a line that has other words before it or behind; undefined for any other line. */
export function decoratedMember(line: string): DecoratedPart | undefined {
  const head = line.slice(0, LONGEST_PREFIX + LONGEST_KEY);
  if (!head.includes('"')) return undefined;
  let keys = 0;
  for (const { 0: key, index } of head.matchAll(KEY)) {
    if (index > LONGEST_PREFIX || ++keys > MOST_KEYS || !isClosed(head.slice(0, index))) return undefined;
    const from = index + key.length;
    const opening = line[from] === '{' || line[from] === '[';
    const end = opening ? endOfOpening(line, from) : endOfScalar(line, from);
    if (end !== undefined) {
      const kind = opening ? 'opening_member' : 'member';
      return isDecorated(line, index, end) ? { kind, at: index } : undefined;
    }
  }
  return undefined;
}

const LONGEST_KEY = 100;

/** What a line that follows such a member is of the same value. */
export function decoratedPart(line: string): DecoratedPart | undefined {
  const member = decoratedMember(line);
  if (member !== undefined) return member;
  const head = line.slice(0, LONGEST_PREFIX);
  for (const { index } of head.matchAll(ELEMENT)) {
    const end = isClosed(head.slice(0, index)) ? endOfScalar(line, index) : undefined;
    if (end !== undefined && isDecorated(line, index, end)) return { kind: 'element', at: index };
  }
  for (const { 0: matched, 1: bracket = '', index } of head.matchAll(BRACKETS)) {
    const at = index + matched.length - bracket.length;
    const end = at + bracket.length;
    if (!isClosed(head.slice(0, at)) || !isRest(line, end) || !isDecorated(line, at, end)) continue;
    return { kind: /^[{[]$/.test(bracket) ? 'opening' : 'closing', at };
  }
  return undefined;
}

/** Whether words close all brackets and texts that they open: what follows is no part of a value in the same line. */
function isClosed(words: string): boolean {
  let depth = 0;
  let quotes = 0;
  for (const character of words) {
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') quotes++;
  }
  return depth === 0 && quotes % 2 === 0;
}

/** Where a text, a number or a name ends with which a line is over, but for a few words. */
function endOfScalar(line: string, from: number): number | undefined {
  if (line[from] === '"') {
    // A program that prints each line as a text has doubled the backslashes.
    return [2, 4]
      .map((pair) => endOfText(line, from + 1, pair))
      .find((end) => end !== undefined && isRest(line, end));
  }
  const [scalar] = SCALAR.exec(line.slice(from, from + LONGEST_NUMBER)) ?? [];
  if (scalar === undefined) return undefined;
  return isRest(line, from + scalar.length) ? from + scalar.length : undefined;
}

function endOfOpening(line: string, from: number): number | undefined {
  const end = line[from + 1] === '}' || line[from + 1] === ']' ? from + 2 : from + 1;
  return isRest(line, end) ? end : undefined;
}

/** Whether only a few words follow, in which no value is. */
function isRest(line: string, from: number): boolean {
  let start = from;
  while (line[start] === ' ' || line[start] === ',') start++;
  const rest = line.slice(start, start + LONGEST_REST + 1).trimEnd();
  return rest.length <= LONGEST_REST && !/["{}]/.test(rest);
}

/** Whether anything but white space and a comma is around a part: what is only indented is JSON as it was printed. */
function isDecorated(line: string, start: number, end: number): boolean {
  return line.slice(0, start).trim() !== '' || !/^\s*,?\s*$/.test(line.slice(end));
}
