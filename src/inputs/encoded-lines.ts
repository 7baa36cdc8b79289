import { hasMarker } from './markers.js';

/** No webhook is shorter in one of these. */
const SHORTEST = 200;
/** How a body begins, or what holds one, in each of the encodings below. */
const BEGINNINGS = [
  '7b22',
  '7B22',
  '7b0a',
  '7B0A',
  '\\x7b\\x',
  '\\x7B\\x',
  'eyJ',
  'ewo',
  'ew0',
  'W3s',
  'Im',
  'ZXl',
  'ZXd',
  'N2I',
  'N2i',
  '123',
].map((text) => Buffer.from(text));

const HEX = /(?<![\da-f])7b(?:22|0a)[\da-f]{196,}/i;
const HEX_ESCAPES = /\\x7b\\x(?:22|0a)(?:\\x[\da-f]{2}){60,}/i;
/** Base64 of `{"`, `{` and a line end, `[{`, `"`, base64 of an object, or hexadecimal digits. */
const BASE64 = /(?<![\w+/-])(?:eyJ|ewo|ew0|W3s|Im|ZXl|ZXd|N2I|N2i)[\w+/-]{196,}/g;
/** Bodies of the on-premises API have no word that nothing else has. */
const LISTS = /"(?:messages|statuses)"\s*:\s*\[\s*\{\s*"/;
const MOST_LAYERS = 4;
/** Numbers that anything but digits separates, perhaps with their places before them. */
const NUMBERS = /(?<!\d)123(?:[^\d{}]{1,16}\d{1,6}){40,}/g;
/** What stands between numbers where a log escaped it, as hexadecimal digits or as a letter. */
const ESCAPES = /(?:\\+x(?:5c|0a|0d|09|22|20|27))+|\\+[nrt"']/gi;

/**
 * Whether a line holds a body in an encoding that is found in no line of prose: the bytes of its JSON as hexadecimal digits, each byte
 * escaped, base64 that holds one of these or base64 again, or numbers (Go's `[123 34 …]`, an object by their places in another notation).
 */
export function holdsEncodedBody(line: Buffer): boolean {
  if (line.length < SHORTEST || !BEGINNINGS.some((beginning) => line.includes(beginning))) return false;
  return holdsBody(line.toString('latin1'), 0);
}

function holdsBody(text: string, layer: number): boolean {
  return (
    [hexIn, escapesIn].some((read) => {
      const bytes = read(text);
      return bytes !== undefined && hasMarker(bytes);
    }) ||
    holdsNumbers(text) ||
    holdsBase64(text, layer)
  );
}

/** Whether base64 holds a body, directly or in what a wrapper in it holds. */
function holdsBase64(text: string, layer: number): boolean {
  if (layer === MOST_LAYERS) return false;
  for (const [token] of text.matchAll(BASE64)) {
    const bytes = Buffer.from(token, 'base64');
    const inner = bytes.toString('latin1');
    if (hasMarker(bytes) || LISTS.test(inner) || holdsBody(inner, layer + 1)) return true;
  }
  return false;
}

function hexIn(text: string): Buffer | undefined {
  const [digits] = HEX.exec(text) ?? [];
  return digits === undefined ? undefined : Buffer.from(digits, 'hex');
}

function escapesIn(text: string): Buffer | undefined {
  const [escapes] = HEX_ESCAPES.exec(text) ?? [];
  return escapes === undefined ? undefined : Buffer.from(escapes.replaceAll('\\x', ''), 'hex');
}

function holdsNumbers(text: string): boolean {
  for (const [written] of text.replace(ESCAPES, ' ').matchAll(NUMBERS)) {
    const numbers = (written.match(/\d+/g) ?? []).map(Number);
    // Each behind its place: the second one is the place of the second byte.
    const bytes = numbers[1] === 1 ? numbers.filter((_, i) => i % 2 === 0) : numbers;
    if (hasMarker(Buffer.from(bytes))) return true;
  }
  return false;
}
