import { readJson, type JsonValue } from '../model/json.js';

export type Parsed = { ok: true; value: JsonValue } | { ok: false; message: string };

/** Log prefixes (time, level, logger, request id) are shorter than this. */
const LONGEST_PREFIX = 2000;

/**
 * Parses a body of a log, also with text before it (`2025-09-16T05:33:20Z INFO webhook {"object":…`). `message` is one
 * line that says where the JSON breaks, and quotes nothing of it: messages and phones are private.
 */
export function parseJson(text: string): Parsed {
  const whole = tryParse(text);
  if (whole !== undefined) return { ok: true, value: whole };
  const start = startBehindPrefix(text);
  if (start > 0) {
    const rest = tryParse(text.slice(start));
    if (typeof rest === 'object' && rest !== null) return { ok: true, value: rest };
  }
  return { ok: false, message: locateJsonError(text) };
}

/** JSON.parse under its real type, instead of `any`. */

function tryParse(text: string): JsonValue | undefined {
  try {
    return readJson(text);
  } catch {
    return undefined;
  }
}

/**
 * Where the body begins: the first `{`, or the `[` before it. Never inside an array: of `[{…},{…` cut off after its
 * first element, that element alone would parse, and the others would be lost unnoticed.
 */
function startBehindPrefix(text: string): number {
  let start = text.slice(0, LONGEST_PREFIX).indexOf('{');
  for (let i = start - 1; i >= 0; i--) {
    const code = text.charCodeAt(i);
    if (code === 0x5b) start = i;
    else if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) break;
  }
  return start;
}

/**
 * Says in one line where a text stops being JSON, without quoting it (JSON.parse's own messages do, and not all of them have
 * a position).
 */
export function locateJsonError(text: string): string {
  const position = endOfJson(text);
  return position >= text.length
    ? `the JSON ends early, at character ${text.length}`
    : `the JSON breaks at character ${position + 1} of ${text.length}`;
}

const SPACE = /[ \t\n\r]*/y;
const LITERAL = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null/iy;
const PLAIN_TEXT = /[^"\\\0-\x1f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-f]{4})/iy;

/**
 * Index of the first character that breaks the JSON; the text's length when only the end is missing. Iterative, so that
 * no nesting exhausts the stack.
 */
function endOfJson(text: string): number {
  const open: ('{' | '[')[] = [];
  /** `first`: an element of the bracket that was just opened, or its end. */
  let expected: 'value' | 'key' | 'first' | 'colon' | 'next' = 'value';
  for (let at = skip(SPACE, text, 0); ; at = skip(SPACE, text, at)) {
    const character = text[at];
    const inside = open.at(-1);
    const end = inside === '{' ? '}' : ']';
    const isKey: boolean = expected === 'key' || (expected === 'first' && inside === '{');
    if ((expected === 'next' || expected === 'first') && inside !== undefined && character === end) {
      open.pop();
      expected = 'next';
      at++;
    } else if (expected === 'next') {
      if (character !== ',' || inside === undefined) return at;
      expected = inside === '{' ? 'key' : 'value';
      at++;
    } else if (expected === 'colon') {
      if (character !== ':') return at;
      expected = 'value';
      at++;
    } else if (character === '"') {
      at = endOfText(text, at + 1);
      if (text[at] !== '"') return at;
      expected = isKey ? 'colon' : 'next';
      at++;
    } else if (!isKey && (character === '{' || character === '[')) {
      open.push(character);
      expected = 'first';
      at++;
    } else {
      const past = isKey ? at : skip(LITERAL, text, at);
      if (past === at) return at;
      expected = 'next';
      at = past;
    }
  }
}

/** Index of the quote that ends a text, or of the first character that a text cannot contain. */
function endOfText(text: string, from: number): number {
  for (let at = from; ;) {
    const plain = skip(PLAIN_TEXT, text, at);
    at = skip(ESCAPE, text, plain);
    if (at === plain) return at;
  }
}

/** Index after the match of `pattern` (sticky) at `from`; `from` itself when it matches nothing. */
function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : from;
}

/** A raw entry as text, without its byte order mark. Its bytes are not copied: bodies have up to 3 MB. */
export function textOfBytes(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}
