import { decodeWamid } from '../../identity/wamid.js';
import { namesInStrangeText } from '../../ingest/batch/names-in-text.js';
import { readJson } from '../../model/json.js';
import { ERASED } from '../../rules/item-names.js';
import { WAMID, withTexts } from '../../rules/texts-without-names.js';
import type { Person } from '../../rawlog/redact-entry.js';

/** Texts as JSON without a person: every text in it, and every key. Null if they do not name the person. */
export function redactTexts(texts: string, person: Person): string | null {
  const redact = redactorOf(person);
  const redacted = JSON.stringify(withTexts(readJson(texts), redact));
  return redacted === JSON.stringify(readJson(texts)) ? null : redacted;
}

/** A text without a person. */
export function redactText(text: string, person: Person): string {
  return redactorOf(person)(text);
}

/** Whether a body that is in no format of ours any more names a person, in whatever spelling. */
export function isNamedIn(body: string, person: Person): boolean {
  return (
    namesInStrangeText(body, person.names) ||
    redactText(body, person) !== body ||
    // A name may be written with escapes.
    (isJson(body) && redactTexts(body, person) !== null)
  );
}

function isJson(text: string): boolean {
  try {
    readJson(text);
    return true;
  } catch {
    return false;
  }
}

/** What people type between the digits of a number, and what names of files have in the place of a space. */
const BETWEEN_DIGITS = '[ ()._-]{0,3}';
const BETWEEN_WORDS = '[^\\p{L}\\p{N}]{0,3}';

/**
 * A number also with spaces, brackets and dashes between its digits, as people type it, and beside letters; a name with other signs between
 * its words, and not inside of a longer word.
 */
function redactorOf({ names, words }: Person): (text: string) => string {
  const named = words.length === 0 ? null : new RegExp(words.map(patternOf).join('|'), 'gu');
  return (text) => {
    const plain = text.replace(WAMID, (wamid) => {
      const phone = decodeWamid(wamid)?.phone;
      return phone !== undefined && names.has(phone) ? ERASED : wamid;
    });
    return named === null ? plain : plain.replace(named, ERASED);
  };
}

function patternOf(word: string): string {
  if (/^\d{7,}$/.test(word)) return `\\+?(?<!\\d)${word.replace(/\d(?=\d)/g, `$&${BETWEEN_DIGITS}`)}(?!\\d)`;
  const spelled =
    word.match(/[\p{L}\p{N}]+/gu)?.join(BETWEEN_WORDS) ??
    word.replace(/./gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
  return `(?<![\\p{L}\\p{N}])${spelled}(?![\\p{L}\\p{N}])`;
}
