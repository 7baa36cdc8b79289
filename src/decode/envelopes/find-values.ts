import type { JsonValue } from '../../model/json.js';
import { encodedEnd } from './encoded-regions.js';
import { literalAt, readEscapes } from './escaped-json.js';
import { readLiteral, readPythonBytes } from './literals.js';
import { partReasonIn, type PartReason } from './outer-values.js';
import { endOfText } from './quotes.js';
import type { PrintForm } from './printed-texts.js';

/** An object or array in the middle of a text. */
export interface FoundValue {
  value: JsonValue;
  /** The source characters, if they are JSON: the signed text. */
  source: string | undefined;
  start: number;
  end: number;
  /** Where the text is not the JSON itself: the syntax that it is written in. */
  syntax: 'ruby' | 'python' | 'inspect' | 'doubled_quotes' | 'json_escapes' | undefined;
}

export interface FoundValues {
  values: FoundValue[];
  /** An empty object or array, if nothing better exists. */
  empty: FoundValue | undefined;
  /** The start of a value cut off by the end of the text. */
  cutAt: number | undefined;
  /** Whether `util.inspect` left a part out (`[Object]`), so that a value is incomplete. */
  isAbridged: boolean;
  /** The form of a value that the end of the text cuts off, where it is one that a program printed. */
  cutPrint: PrintForm | undefined;
  /** Why the found values are only parts of the text's value, which cannot be read. */
  partReason: PartReason | undefined;
}

/** Limits for texts built to be slow: dead-end starts of values, and characters read per character of text. */
const MAX_FAILURES = 200;
const MAX_PASSES = 20;
/** What programs print around a body is no deeper. */
const MOST_WRAPPERS = 4;

const OPENING = /[{[]/g;
/** `{"key":`, or an array of such: JSON as a log holds it, not `[pm2]`, `[0]` or `{id}` in a prefix. */
const JSON_START = /(?:\[\s*){0,16}\{\s*(?:"(?:[^"\\]|\\.){0,200}(?:$|"\s*(?::|$))|$)/y;
const EMPTY = /(?:\[\s*\{\s*\}|\{\s*\}|\[\s*\])/y;
/** A list of texts, which may be any. */
const TEXTS_START = /\[\s*"/y;
/** The same, of Node or Python, of which the first holds JSON. */
const JSON_TEXTS_START = /\[\s*['`]\s*[[{]/y;
/** The start of a text of JSON within a text: `"{\"key\":`. */
const ESCAPED_START = /[{[][{[]*\\["nr]/y;
/** `{"key"=>`, `{:key=>`, `{'key':`, `{key:`. */
const LITERAL_START =
  /(?:\[\s*){0,16}\{\s*(?:"(?:[^"\\]|\\.){0,200}"\s*=>|:(?:\w+|"[^"\\]{0,200}")\s*=>|'(?:[^'\\]|\\.){0,200}'\s*(?::|=>)|[A-Za-z_$][\w$]*\s*(?::(?!:)|=>))/y;

/**
 * The values in a text among other words (a log's prefix, a request line, a suffix), in order. Finds nothing in the
 * fragment of a larger value without its head: its other parts would be lost unnoticed.
 */
export function findValues(text: string): FoundValues {
  const found: FoundValues = {
    values: [],
    empty: undefined,
    cutAt: undefined,
    isAbridged: false,
    cutPrint: undefined,
    partReason: undefined,
  };
  let left = MAX_PASSES * text.length;
  let failures = 0;
  /** Brackets in the words around the values that are open. */
  let open = 0;
  let from = 0;
  /** The first value with open brackets before it. */
  let enclosed: FoundValue | undefined;
  /** Where a value ends of which parts are missing; others can be in its texts. */
  let partialEnd = 0;
  /** Whether one is so deep in it that only what a person wrote is there. */
  let isDeep = false;
  while (failures < MAX_FAILURES && left > 0) {
    OPENING.lastIndex = from;
    const first = OPENING.exec(text)?.index;
    open -= closingIn(text, from, first ?? text.length);
    const start = first === undefined ? undefined : lastOfBrackets(text, first);
    open += (start ?? 0) - (first ?? 0);
    if (open < 0) return { ...found, values: [] };
    if (start === undefined) break;
    const next = valueAt(text, start);
    if (next === 'cut' && start >= partialEnd) {
      found.cutAt = start;
      break;
    }
    const isValue = typeof next === 'object' && !('partial' in next) && 'value' in next;
    const encoded = isValue ? undefined : encodedEnd(text, start);
    if (encoded !== undefined) {
      left -= encoded - start;
      from = encoded;
      continue;
    }
    if (next === undefined || next === 'cut' || 'partial' in next) {
      if (typeof next === 'object') {
        found.isAbridged ||= next.partial === 'abridged';
        if (next.partial !== 'abridged') found.cutPrint ??= next.partial;
        partialEnd = Math.max(partialEnd, next.end);
        left -= next.end - start;
      } else if (next === 'cut') left -= text.length - start;
      open++;
      from = start + 1;
      continue;
    }
    left -= next.end - start;
    if ('value' in next) {
      if (isEmpty(next.value)) found.empty ??= next;
      else {
        if (open > 0) enclosed ??= next;
        if (open > MOST_WRAPPERS && start < partialEnd) isDeep = true;
        found.values.push(next);
      }
      from = next.end;
      if (isFollowedByKey(text, from)) return { ...found, values: [] };
    } else {
      failures++;
      open++;
      from = start + 1;
    }
  }
  found.partReason =
    partReasonIn(text, found.values, enclosed) ?? (isDeep ? (found.cutPrint ?? 'inside_text') : undefined);
  return found;
}

/** Where a value can begin in a run of opening brackets: no value starts with more. */
function lastOfBrackets(text: string, first: number): number {
  let end = first;
  while (text[end] === '[' || text[end] === '{') end++;
  return Math.max(first, end - MOST_BRACKETS);
}

const MOST_BRACKETS = 64;

/** A value that a program printed, of which parts are missing: it left them out, or the text's end cuts them off. */
interface PartialPrint {
  partial: 'abridged' | PrintForm;
  end: number;
}

const FORMS = {
  inspect: 'printed_by_node',
  python: 'printed_by_python',
  ruby: 'printed_by_ruby',
} as const;

/** What begins at a bracket: a value; a part of one; only the end of a failed value; `cut` by the text's end; nothing. */
export function valueAt(
  text: string,
  start: number,
): FoundValue | PartialPrint | { end: number } | 'cut' | undefined {
  if (isPythonBytes(text, start)) {
    const literal = readPythonBytes(text, start - 1);
    if (literal === undefined) return { end: start + 1 };
    return { value: literal.text, source: undefined, start, syntax: 'python', end: literal.end };
  }
  if (text[start - 1] === '"' && text[start - 2] !== '\\' && matches(ESCAPED_START, text, start)) {
    const end = endOfText(text, start);
    if (end === undefined) return 'cut';
    const value = parsed(text.slice(start - 1, end));
    return typeof value === 'string' ? { value, source: undefined, start, syntax: undefined, end } : { end };
  }
  const unescaped = withoutEscapes(text, start);
  if (unescaped !== undefined) return unescaped;
  if (matches(JSON_START, text, start) || matches(EMPTY, text, start)) {
    const end = endOfValue(text, start);
    if (end === undefined) return 'cut';
    const written = text.slice(start, end);
    const single = withSingleQuotes(text, start, end);
    const source = single ?? written;
    const value = parsed(source);
    if (value === undefined) return { end };
    return { value, source, start, syntax: single === undefined ? undefined : 'doubled_quotes', end };
  }
  if (matches(TEXTS_START, text, start)) {
    const end = endOfValue(text, start) ?? start + 1;
    const source = text.slice(start, end);
    const value = parsed(source);
    return value === undefined ? { end } : { value, source, start, syntax: undefined, end };
  }
  if (!matches(LITERAL_START, text, start) && !matches(JSON_TEXTS_START, text, start)) return undefined;
  const literal = readLiteral(text, start);
  if (literal === undefined) return { end: start + 1 };
  if (literal.kind === 'abridged') return { partial: 'abridged', end: literal.end };
  if (literal.kind === 'cut') return { partial: FORMS[literal.syntax], end: text.length };
  const { value, syntax, end } = literal;
  return { value, source: undefined, start, syntax, end };
}

/** The JSON of a literal in which a program doubled the backslashes; undefined for JSON that is in none, or as it was. */
function withoutEscapes(text: string, start: number): FoundValue | undefined {
  const literal = literalAt(text, start);
  const escaped = literal === undefined ? undefined : readEscapes(literal.text, literal.form);
  if (literal === undefined || escaped === undefined || escaped.proof === 'plain') return undefined;
  const value = parsed(escaped.inner);
  if (value === undefined) return undefined;
  return { value, source: escaped.inner, start, syntax: 'json_escapes', end: literal.end };
}

/**
 * The JSON between the apostrophes of a literal of SQL or YAML (`$1 = '{"body":"it''s"}'`), where an apostrophe is written twice;
 * undefined for JSON that is not between them, or in which one stands alone: then the two are what was written.
 */
function withSingleQuotes(text: string, start: number, end: number): string | undefined {
  if (text[start - 1] !== "'" || /[\w'\\]/.test(text[start - 2] ?? '')) return undefined;
  const written = text.slice(start, end);
  if (!written.includes("''") || written.replaceAll("''", '').includes("'")) return undefined;
  const isClosed = /^\s*(?:'|$)/.test(text.slice(end, end + 80));
  return isClosed ? written.replaceAll("''", "'") : undefined;
}

/** `b'{"object":…}'`: Python's `print(request.data)`. */
function isPythonBytes(text: string, start: number): boolean {
  const quote = text[start - 1];
  return (
    text[start - 2] === 'b' && (quote === "'" || quote === '"') && !/[\w"'\\]/.test(text[start - 3] ?? '')
  );
}

function isEmpty(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** How many more brackets the words between two values close than they open. */
function closingIn(text: string, from: number, to: number): number {
  let closing = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x7d || code === 0x5d) closing++;
  }
  return closing;
}

const NEXT_KEY = /\s*,\s*"(?:[^"\\]|\\.){1,200}"\s*:/y;

/** Whether a value is a member of an object with a missing beginning. */
function isFollowedByKey(text: string, at: number): boolean {
  return matches(NEXT_KEY, text, at);
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

const parse: (text: string) => JsonValue = JSON.parse;

function parsed(text: string): JsonValue | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

const BRACKET_OR_QUOTE = /["[\]{}]/g;

/** Index after the bracket that closes the one at `start`; undefined if the text ends first. */
function endOfValue(text: string, start: number): number | undefined {
  let depth = 0;
  let at = start;
  for (;;) {
    BRACKET_OR_QUOTE.lastIndex = at;
    const next = BRACKET_OR_QUOTE.exec(text);
    if (next === null) return undefined;
    at = next.index + 1;
    const [character] = next;
    if (character === '"') {
      const end = endOfText(text, at);
      if (end === undefined) return undefined;
      at = end;
    } else if (character === '{' || character === '[') depth++;
    else if (--depth === 0) return at;
  }
}
