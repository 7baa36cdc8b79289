import { textOfBytes } from '../../decode/parse-json.js';
import { identitiesOfUser } from '../../identity/identities.js';
import { nodesOf } from '../../rules/identity-evidence.js';
import { NAME, textWithoutNames } from '../../rules/texts-without-names.js';

/** Names to look for; `hasWord` answers for a word of a text where that is cheaper than to read the word as a name. */
interface Names {
  has: (name: string) => boolean;
  hasWord?: (word: string) => boolean;
}

/** The names in bytes that these people may have, as identities have them. */
export function namesOfBytes(bytes: Uint8Array, names: Names): string[] {
  return namesOfText(textOfBytes(bytes), names);
}

/** The names in a text that these people may have, as identities have them. */
export function namesOfText(text: string, names: Names): string[] {
  const words = (text.match(NAME) ?? []).filter((word) => names.hasWord?.(word) ?? true);
  return words.flatMap((word) =>
    nodesOf(identitiesOfUser(word)).flatMap(({ value }) => (names.has(value) ? value : [])),
  );
}

/** Whether anything in a text may be a name of one of these people. */
export function namesInText(text: string, names: Names): boolean {
  return countNamesInText(text, names, 1) > 0;
}

/** How often a text has what may be a name of one of these people; stops at `enough`. */
export function countNamesInText(text: string, names: Names, enough = Infinity): number {
  let count = 0;
  // All at once: one match after the other takes several times as long.
  for (const found of text.match(NAME) ?? []) {
    const isName =
      names.hasWord?.(found) ?? nodesOf(identitiesOfUser(found)).some(({ value }) => names.has(value));
    if (isName) count += 1;
    if (count >= enough) break;
  }
  return count;
}

/** What may be bytes as text: a number takes at least so many of these characters. */
const BASE64 = /[A-Za-z0-9+/_-]{12,}={0,2}/g;
const MOST_WRAPPERS = 3;
/** Mail breaks base64 into lines; in JSON a break is written with a backslash. */
const LINE_BREAK = /[\r\n]|\\r|\\n/g;
/** A form writes what is not ASCII, or means something there, as `%2B`, and a space as `+`. */
const PERCENT = /%[0-9A-Fa-f]{2}/;

function unescaped(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (bytes) =>
      Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'),
    );
}

/**
 * Whether a text in no known format may name one of these people: also with signs between the digits, in the ids of messages, inside of
 * base64, and in a form's escapes.
 */
export function namesInStrangeText(text: string, names: Names, wrappers = MOST_WRAPPERS): boolean {
  if (namesInText(text, names)) return true;
  const hasWord = (word: string): boolean => namesInText(word, names);
  if (textWithoutNames(text, { has: (name) => names.has(name), hasWord }) !== text) return true;
  if (wrappers === 0) return false;
  const runs = text.replaceAll(LINE_BREAK, '').match(BASE64) ?? [];
  const inner = runs.map((run) => Buffer.from(run, 'base64').toString('utf8'));
  if (PERCENT.test(text)) inner.push(unescaped(text));
  return inner.some((one) => namesInStrangeText(one, names, wrappers - 1));
}
