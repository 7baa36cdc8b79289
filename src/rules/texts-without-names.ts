import { decodeWamid } from '../identity/wamid.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { ERASED } from './item-names.js';

/** What may name a person in a text: numbers, LIDs, BSUIDs. The id of an old group begins with the number of whoever made it. */
export const NAME = /(?<!\d)\d{7,20}(?!\d|-\d+@g\.us)(?:@lid)?|[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}/g;

/** The id of a message, which holds a number. */
export const WAMID = /wamid\.[A-Za-z0-9+/=_-]+/g;

/** Digits as people and programs type numbers: with spaces, dashes and invisible signs of any kind, and as names of files have them. */
const SPACED =
  /\+?\d+(?:[ ()._/\u00a0\u2000-\u200f\u2010-\u2015\u2028-\u202f\u2060-\u2069\u2212-]{1,4}\d+)+/g;
/** More groups of digits are no number. */
const MOST_GROUPS = 60;
const LONGEST_NUMBER = 20;
const SHORTEST_NUMBER = 7;

/** Whose names go: `has` of a name as identities have it, `hasWord` of a word of a text. */
export interface NamesInTexts {
  has: (name: string) => boolean;
  hasWord: (word: string) => boolean;
}

/**
 * A text without the numbers, LIDs and BSUIDs of some people, also where people typed signs between the digits, and inside the ids of
 * messages. The same text gives the same one each time.
 */
export function textWithoutNames(text: string, names: NamesInTexts): string {
  return text
    .replace(WAMID, (wamid) => (names.has(decodeWamid(wamid)?.phone ?? '') ? ERASED : wamid))
    .replace(SPACED, (digits) => withoutSpaced(digits, names))
    .replace(NAME, (word) => (isName(word, names) ? ERASED : word))
    .replaceAll(`+${ERASED}`, ERASED);
}

/** People leave the server out of a LID. */
function isName(word: string, names: NamesInTexts): boolean {
  return names.hasWord(word) || (/^\d+$/.test(word) && names.has(`${word}@lid`));
}

/** A number may stand beside other digits, such as a date: the longest run of groups that is one goes. */
function withoutSpaced(text: string, names: NamesInTexts): string {
  const groups = [...text.matchAll(/\d+/g)].map(({ 0: digits, index }) => ({ digits, index }));
  if (groups.length > MOST_GROUPS) return text;
  for (const [first, { index }] of groups.entries()) {
    for (let last = groups.length; last > first + 1; last--) {
      const run = groups.slice(first, last);
      const digits = run.map((group) => group.digits).join('');
      if (digits.length < SHORTEST_NUMBER || digits.length > LONGEST_NUMBER || !isName(digits, names))
        continue;
      const end = run.reduce((_, group) => group.index + group.digits.length, 0);
      return text.slice(0, index) + ERASED + withoutSpaced(text.slice(end), names);
    }
  }
  return text;
}

/** JSON with other texts: every text in it, and every key. */
export function withTexts(value: JsonValue, write: (text: string) => string): JsonValue {
  if (typeof value === 'string') return write(value);
  if (Array.isArray(value)) return value.map((element) => withTexts(element, write));
  return typeof value === 'object' && value !== null ? objectWithTexts(value, write) : value;
}

/** The same of an object. */
export function objectWithTexts(value: JsonObject, write: (text: string) => string): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [write(key), withTexts(member, write)]),
  );
}
