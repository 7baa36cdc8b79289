/**
 * JSON in a form that escapes backslashes: a literal that a program printed (`body='{"text":"a\\nb"}'`), a cell of `\copy`,
 * `mysql -B` or SELECT INTO OUTFILE. As long as no quote is escaped, such a text is JSON with or without that layer, and says
 * something else.
 */

/** What a text of JSON says about a layer of escapes around it: `either` where it is JSON with it and without it. */
export type EscapeProof = 'escaped' | 'plain' | 'either';

/** Where JSON stands: in a cell of a table, or between quotes of this kind. */
export type EscapeForm = 'cell' | "'" | '`';

export interface EscapedJson {
  proof: EscapeProof;
  /** The text without the layer. */
  inner: string;
}

/** undefined for a text without backslashes, and for one that is no JSON either way. */
export function readEscapes(text: string, form: EscapeForm): EscapedJson | undefined {
  if (!text.includes('\\')) return undefined;
  const inner = withoutLayer(text, form);
  if (!isJson(text)) return isJson(inner) ? { proof: 'escaped', inner } : undefined;
  const proof = isOfJson(text, form) || !isJson(inner) ? 'plain' : 'either';
  return { proof, inner };
}

/** Whether a backslash in the text has to be one of JSON's own: a layer of escapes doubles them all. */
function isOfJson(text: string, form: EscapeForm): boolean {
  let isAscii: boolean | undefined;
  for (const [, run = '', next] of text.matchAll(/(\\+)([\s\S]?)/g)) {
    if (run.length % 2 === 0) continue;
    if (form !== 'cell' && (next === form || next === 'x' || next === 'U')) continue;
    // Python escapes what cannot be seen (the joiner of an emoji); whoever escapes it for JSON escapes every letter beyond ASCII.
    if (form !== 'cell' && next === 'u') {
      isAscii ??= !/[^\0-\x7f]/.test(text);
      if (!isAscii) continue;
    }
    return true;
  }
  return false;
}

/** The text that a literal holds whose opening quote is at `start - 1`, and where its closing one is; undefined where none is. */
export function literalAt(
  text: string,
  start: number,
): { form: EscapeForm; text: string; end: number } | undefined {
  const form = text[start - 1];
  if ((form !== "'" && form !== '`') || /[\w'`\\]/.test(text[start - 2] ?? '')) return undefined;
  // PostgreSQL logs parameters as they are (`$1 = '{"a":1}'`).
  if (/\$\d+ = $/.test(text.slice(Math.max(0, start - 12), start - 1))) return undefined;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === form) return { form, text: text.slice(start, at), end: at };
  }
  return undefined;
}

const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g;
const ESCAPE_IN_CELL = /\\([\s\S])/g;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['Z', '\x1a'],
]);

function withoutLayer(text: string, form: EscapeForm): string {
  if (form === 'cell')
    return text.replace(ESCAPE_IN_CELL, (_, character: string) => ESCAPES.get(character) ?? character);
  return text.replace(
    ESCAPE,
    (_, byte?: string, unit?: string, point?: string, character?: string): string => {
      const code = byte ?? unit ?? point;
      if (code !== undefined) {
        const number = parseInt(code, 16);
        return number <= 0x10ffff ? String.fromCodePoint(number) : '\uFFFD';
      }
      return ESCAPES.get(character ?? '') ?? character ?? '';
    },
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
