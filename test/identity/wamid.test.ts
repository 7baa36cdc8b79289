import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeWamid, encodeWamid, WAMID_MARKERS } from '../../src/identity/wamid.js';
import { anyUnit } from '../support/any-text.js';

const REAL = 'wamid.HBgNNTUxMTkwMDAwMDAwMRUCABIYFDNBOUUwOUJDQzQ5NjkwNDY0RTA1AA==';

describe('M10: a wamid holds the customer’s phone and WhatsApp Web’s key id', () => {
  test('M10: both are read', () => {
    expect(decodeWamid(REAL)).toEqual({ phone: '+5511900000001', stanzaId: '3A9E09BCC49690464E05' });
  });

  test('M10: a missing padding does not matter', () => {
    expect(decodeWamid(REAL.replaceAll('=', ''))).toEqual(decodeWamid(REAL));
  });

  test('M10: the phone is canonical, so it compares with the counterpart’s', () => {
    expect(decodeWamid(encodeWamid('553190000003', 'ABC'))?.phone).toBe('+5531990000003');
    expect(decodeWamid(encodeWamid('12345', 'ABC'))?.phone).toBe('12345');
  });

  test('M10: what was encoded is decoded', () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,19}$/);
    const stanza = fc.stringMatching(/^[0-9A-F]{1,40}$/);
    const marker = fc.constantFrom(...Object.values(WAMID_MARKERS));
    fc.assert(
      fc.property(digits, stanza, marker, (phone, stanzaId, which) => {
        const wamid = encodeWamid(phone, stanzaId, which);
        expect(decodeWamid(wamid)?.stanzaId).toBe(stanzaId);
        expect(decodeWamid(wamid.replaceAll('=', ''))?.stanzaId).toBe(stanzaId);
      }),
    );
  });

  test.each([
    ['wamid.msg-1', 'a made-up id'],
    ['ABGGFlA5Fpa', 'the id of the dashboard’s test button'],
    ['3A9E09BCC49690464E05', 'a bare key id'],
    ['wamid.', 'the prefix alone'],
    ['wamid.HBg', 'the start alone'],
    [REAL.slice(0, -12), 'an id cut short'],
    [REAL.replace('FDNB', 'FDN!'), 'a character that base64 has not'],
    [`${REAL}=`, 'too much padding'],
    [REAL.toLowerCase(), 'an id in lower case'],
    [`wamid.${Buffer.from(`\x1c\x18\x0dBR.1349120865`).toString('base64')}`, 'a user id instead of a phone'],
  ])('M10: %s does not decode: %s', (id) => {
    expect(decodeWamid(id)).toBeUndefined();
  });

  test('M10: a byte that is wrong anywhere in the frame means that nothing is known', () => {
    const bytes = Buffer.from(REAL.slice(6), 'base64');
    const frame = [0, 1, 2, 16, 17, 18, 19, 20, 21, bytes.length - 1];
    for (const at of frame) {
      const broken = Buffer.from(bytes);
      broken[at] = 0x7f;
      expect(decodeWamid(`wamid.${broken.toString('base64')}`), `byte ${at}`).toBeUndefined();
    }
  });

  test('any text is taken without a complaint', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyUnit }), (text) => {
        decodeWamid(text);
        decodeWamid(`wamid.HBg${text}`);
      }),
    );
  });
});
