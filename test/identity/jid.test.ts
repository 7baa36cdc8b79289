import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJid } from '../../src/identity/jid.js';

test.each([
  ['5511900000001@s.whatsapp.net', 'user', '5511900000001@s.whatsapp.net'],
  ['5511900000001:12@s.whatsapp.net', 'user', '5511900000001@s.whatsapp.net'],
  ['5511900000001_1:12@s.whatsapp.net', 'user', '5511900000001@s.whatsapp.net'],
  ['5511900000001@c.us', 'user', '5511900000001@s.whatsapp.net'],
  ['5511900000001:99@hosted', 'user', '5511900000001@s.whatsapp.net'],
  ['111000000000003@lid', 'lid', '111000000000003@lid'],
  ['111000000000003:4@lid', 'lid', '111000000000003@lid'],
  ['111000000000003:99@hosted.lid', 'lid', '111000000000003@lid'],
  ['120363040469423382@g.us', 'group', '120363040469423382@g.us'],
  ['5511900000001-1580000000@g.us', 'group', '5511900000001-1580000000@g.us'],
  ['status@broadcast', 'status_broadcast', 'status@broadcast'],
  ['1580000000@broadcast', 'broadcast', '1580000000@broadcast'],
  ['120363000000000000@newsletter', 'newsletter', '120363000000000000@newsletter'],
  ['0@s.whatsapp.net', 'official', '0@s.whatsapp.net'],
  ['0@c.us', 'official', '0@s.whatsapp.net'],
  ['13135550002@s.whatsapp.net', 'official', '13135550002@s.whatsapp.net'],
  ['867051314767696@bot', 'official', '867051314767696@bot'],
  ['abc@s.whatsapp.net', 'unknown', 'abc@s.whatsapp.net'],
  ['@s.whatsapp.net', 'unknown', '@s.whatsapp.net'],
  ['someone@example.com', 'unknown', 'someone@example.com'],
  ['5511900000001', 'unknown', '5511900000001'],
  ['', 'unknown', ''],
])('%s is %s, written %s', (jid, kind, normalized) => {
  expect(parseJid(jid)).toMatchObject({ kind, jid: normalized });
});

test('the user is what stands before the server, without agent and device', () => {
  expect(parseJid('5511900000001_1:12@s.whatsapp.net').user).toBe('5511900000001');
  expect(parseJid('111000000000003:4@lid').user).toBe('111000000000003');
});

test('a normalized address is its own normal form, whatever the address', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom('s.whatsapp.net', 'lid', 'g.us', 'hosted', 'x'),
      (user, server) => {
        const once = parseJid(`${user}@${server}`);
        expect(parseJid(once.jid)).toEqual(once);
      },
    ),
  );
});
