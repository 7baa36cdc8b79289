import { phonesToLookUp } from './phone.js';

/**
 * How texts and bytes may spell these names: digits without `+`, the part of a JID before the `@`, a BSUID unchanged.
 */
export function wordsOfNames(names: readonly string[]): string[] {
  const words = names.flatMap((name) => {
    if (name.startsWith('+')) return phonesToLookUp(name).map((phone) => phone.slice(1));
    const at = name.indexOf('@');
    return at > 0 ? [name.slice(0, at)] : [name];
  });
  return [...new Set(words)];
}

/** How an item of a group may write who it is from, with these names. */
export function authorsOf(names: readonly string[]): string[] {
  const digits = wordsOfNames(names).filter((word) => /^\d+$/.test(word));
  const phones = names.filter((name) => name.startsWith('+')).flatMap((name) => phonesToLookUp(name));
  const jids = digits.flatMap((word) => [word, `${word}@s.whatsapp.net`, `${word}@c.us`, `${word}@lid`]);
  return [...new Set([...names, ...phones, ...jids])];
}

/**
 * How the wamids of a phone begin: base64 of the length and the digits, up to the last whole group of three bytes (the
 * last digits share a group with the following bytes).
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
