/**
 * Bodies that stand in a text with their brackets, but with their quotes escaped: `{\"object\":…}`, `{""object"":…}`,
 * `{\x22object\x22:…}`, `{&quot;object&quot;:…}`. What looks like a value inside one is a part of it, or a person's words.
 */

/** How such a body begins, at a bracket. */
const START =
  /[{[](?:\s|\\+[nrt]|\\x(?:20|0[9AD]))*(?:(?<escapes>\\+)"|(?<doubled>"")|(?<hex>(?:\\x5C)*)\\x22|(?<html>&(?:quot|#34|#x22);))/iy;

/** Brackets and quotes, and what escapes a quote. */
const TOKENS = {
  escapes: /(\\*)"|[{}[\]]/g,
  doubled: /(\\*)("+)|[{}[\]]/g,
  hex: /((?:\\x5C)*)\\x22|"|[{}[\]]/gi,
  html: /(\\*)&(?:quot|#34|#x22);|"|[{}[\]]/gi,
};

/**
 * Index after the body in escaped quotes that begins at a bracket; of one that does not end, where the next quote without an escape
 * says that it is over, or the text's end. undefined where none begins.
 */
export function encodedEnd(text: string, start: number): number | undefined {
  START.lastIndex = start;
  const groups = START.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { escapes, doubled, hex } = groups;
  const form =
    escapes !== undefined
      ? 'escapes'
      : doubled !== undefined
        ? 'doubled'
        : hex !== undefined
          ? 'hex'
          : 'html';
  /** How many characters escape a quote that is one of the body's own. */
  const own = escapes?.length ?? (hex === undefined ? 0 : hex.length / HEX_LENGTH);
  const pattern = TOKENS[form];
  let depth = 0;
  let isInText = false;
  pattern.lastIndex = start;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [token, before, quotes] = match;
    if (before === undefined) {
      if (token === '"') return beforeBrackets(text, match.index, start);
      if (isInText) continue;
      depth += token === '{' || token === '[' ? 1 : -1;
      if (depth === 0) return pattern.lastIndex;
      continue;
    }
    if (quotes !== undefined && quotes.length % 2 === 1) return beforeBrackets(text, match.index, start);
    const escaping = form === 'hex' ? before.length / HEX_LENGTH : before.length;
    const levels = (escaping - own) / (own + 1);
    if (!Number.isInteger(levels) || levels < 0) return beforeBrackets(text, match.index, start);
    const isEscaped = levels % 2 === 1;
    const more = quotes === undefined ? 0 : quotes.length / 2 - 1;
    if ((more + (isEscaped ? 0 : 1)) % 2 === 1) isInText = !isInText;
  }
  return text.length;
}

const HEX_LENGTH = '\\x5C'.length;

/** A quote without an escape belongs to the next value, whose brackets are before it, and behind `start`. */
function beforeBrackets(text: string, quote: number, start: number): number {
  let at = quote;
  while (/[\s[{]/.test(text.charAt(at - 1))) at--;
  if (at <= start) return quote;
  return /^\s*[[{]/.test(text.slice(at, quote)) ? at : quote;
}
