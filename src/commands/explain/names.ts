import { identitiesOfUser } from '../../identity/identities.js';
import { phonesToLookUp } from '../../identity/phone.js';
import type { Fact } from '../../model/facts.js';
import type { JsonValue } from '../../model/json.js';
import { whoIsNamed } from '../../rules/fact-traits.js';
import { nodesOf } from '../../rules/identity-evidence.js';

/** The names of people in a fact, as they stand in the index of the raw log. */
export function namesIn(fact: Fact): string[] {
  return [...new Set(whoIsNamed(fact).flatMap((who) => nodesOf(who).map((node) => node.value)))];
}

/** Where items say who sent them and to whom, in the words of Meta and of WhatsApp Web. */
const PERSON_KEY =
  /^(?:from|to|id|wa_id|jid|author|phone_number|\w*(?:user_id|[jJ]id|[pP]articipant|recipient|sender)\w*)$/;

/** Whether an item that gave no fact of its own speaks of somebody: in its fields for people, not in what was said. */
export function itemNames(item: JsonValue | undefined, names: ReadonlySet<string>, depth = 6): boolean {
  if (typeof item !== 'object' || item === null || depth === 0) return false;
  if (Array.isArray(item)) return item.some((element) => itemNames(element, names, depth - 1));
  return Object.entries(item).some(([key, value]) => {
    if (typeof value !== 'string') return itemNames(value, names, depth - 1);
    return PERSON_KEY.test(key) && nodesOf(identitiesOfUser(value)).some((node) => names.has(node.value));
  });
}

/** Whether an item has one of these ids, wherever it keeps them; the message that it answers is not its own. */
export function itemHasId(item: JsonValue | undefined, ids: ReadonlySet<string>, depth = 6): boolean {
  if (typeof item === 'string') return ids.has(item);
  if (typeof item !== 'object' || item === null || depth === 0) return false;
  return Object.entries(item).some(
    ([key, value]) => !/context/i.test(key) && itemHasId(value, ids, depth - 1),
  );
}

/** How the bytes of the raw log may write these names: digits without `+`, the part of a JID before the `@`, a BSUID as it is. */
export function wordsOfNames(names: readonly string[]): string[] {
  const words = names.flatMap((name) => {
    if (name.startsWith('+')) return phonesToLookUp(name).map((phone) => phone.slice(1));
    const at = name.indexOf('@');
    return at > 0 ? [name.slice(0, at)] : [name];
  });
  return [...new Set(words)];
}

/** The bytes to look for; a `/` may be escaped once (`\/`), or twice where JSON stands in a text of JSON. */
export function patternsOf(words: readonly string[]): Uint8Array[] {
  const patterns = words.flatMap((word) =>
    word.includes('/') ? [word, word.replaceAll('/', '\\/'), word.replaceAll('/', '\\\\/')] : [word],
  );
  return [...new Set(patterns)].map((pattern) => Buffer.from(pattern, 'utf8'));
}

/**
 * How the wamids of a phone begin: base64 of the length and the digits, as far as whole groups of three bytes go (the last
 * digits share a group with what follows).
 */
export function wamidPrefixes(names: readonly string[]): string[] {
  const phones = names.filter((name) => name.startsWith('+')).flatMap((name) => phonesToLookUp(name));
  const prefixes = phones.map((phone) => {
    const bytes = Buffer.concat([
      Buffer.from([0x1c, 0x18, phone.length - 1]),
      Buffer.from(phone.slice(1), 'latin1'),
    ]);
    return `wamid.${bytes.subarray(0, bytes.length - (bytes.length % 3)).toString('base64')}`;
  });
  return [...new Set(prefixes)];
}
