import { describe, expect, it } from 'vitest';
import { itemHasId, patternsOf } from '../../src/commands/explain/log-items.js';
import { wamidPrefixes, wordsOfNames } from '../../src/identity/name-words.js';
import { encodeWamid } from '../../src/identity/wamid.js';
import { itemNames } from '../../src/rules/item-names.js';

describe('how the bytes of the log write names and ids', () => {
  it('a phone stands there in every spelling, without +', () => {
    expect(wordsOfNames(['+5511987654321', '111@lid', 'BR.1349'])).toEqual([
      '5511987654321',
      '551187654321',
      '111',
      'BR.1349',
    ]);
  });

  it('a slash may be escaped, also twice', () => {
    expect(patternsOf(['a/b']).map((bytes) => Buffer.from(bytes).toString())).toEqual([
      'a/b',
      'a\\/b',
      'a\\\\/b',
    ]);
  });

  it('the wamids of a phone begin alike, whatever the key id is', () => {
    for (const phone of [
      '+5511900000001',
      '+15550100005',
      '+5541990000004',
      '+551190000001',
      '+4915112345678',
    ]) {
      const prefixes = wamidPrefixes([phone]);
      for (const key of ['3A5F67FE5C0C0163F66C', 'x', 'ABC']) {
        const id = encodeWamid(phone, key);
        expect(prefixes.some((prefix) => id.startsWith(prefix))).toBe(true);
      }
      expect(Math.min(...prefixes.map((prefix) => prefix.length))).toBeGreaterThan(15);
    }
  });
});

describe('an item that gave no fact', () => {
  const names = new Set(['+5511900000001', '111000000000001@lid']);

  it('names people in its fields for people only', () => {
    expect(itemNames({ from: '5511900000001' }, names)).toBe(true);
    expect(itemNames({ key: { remoteJid: '12@g.us', participant: '111000000000001:3@lid' } }, names)).toBe(
      true,
    );
    expect(itemNames({ from: '5521900000002', text: { body: '5511900000001' } }, names)).toBe(false);
    expect(itemNames('5511900000001', names)).toBe(false);
  });

  it('has its own id, and not that of the message which it answers', () => {
    const ids = new Set(['K1']);
    expect(itemHasId({ key: { id: 'K1' } }, ids)).toBe(true);
    expect(itemHasId({ id: 'K2', context: { id: 'K1' } }, ids)).toBe(false);
    expect(itemHasId({ message: { extendedTextMessage: { contextInfo: { stanzaId: 'K1' } } } }, ids)).toBe(
      false,
    );
  });
});
