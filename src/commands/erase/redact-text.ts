import { decodeWamid } from '../../identity/wamid.js';
import type { JsonValue } from '../../model/json.js';
import type { Person } from './redact-entry.js';

/** What stands where a person was named. */
const ERASED = '[erased]';

const WAMID = /wamid\.[A-Za-z0-9+/=_-]+/g;
const readJson: (text: string) => JsonValue = JSON.parse;

/** Texts as JSON without a person: every text in it, and every key. Null if they do not name the person. */
export function redactTexts(texts: string, person: Person): string | null {
  const redact = redactorOf(person);
  const redacted = JSON.stringify(walk(readJson(texts), redact));
  return redacted === JSON.stringify(readJson(texts)) ? null : redacted;
}

function walk(value: JsonValue, redact: (text: string) => string): JsonValue {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((element) => walk(element, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [redact(key), walk(member, redact)]),
  );
}

/** A number also with spaces, brackets and dashes between its digits, as people type it; a name not inside of a longer word. */
function redactorOf({ names, words }: Person): (text: string) => string {
  const patterns = words.map((word) => {
    const spelled = /^\d{7,}$/.test(word)
      ? `\\+?${word.replace(/\d(?=\d)/g, '$&[ ().-]{0,3}')}`
      : word.replace(/[^\p{L}\p{N}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
    return `(?<![\\p{L}\\p{N}])${spelled}(?![\\p{L}\\p{N}])`;
  });
  const named = patterns.length === 0 ? null : new RegExp(patterns.join('|'), 'gu');
  return (text) => {
    const plain = text.replace(WAMID, (wamid) => {
      const phone = decodeWamid(wamid)?.phone;
      return phone !== undefined && names.has(phone) ? ERASED : wamid;
    });
    return named === null ? plain : plain.replace(named, ERASED);
  };
}
