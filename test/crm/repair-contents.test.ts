import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { cardsIn, placeIn } from '../../src/crm/repair/contents.js';

describe('what a repair gives back of a place', () => {
  test.each([
    [{ latitude: -23.5, longitude: -46.6, name: 'Loja', address: 'Rua Augusta', url: 'x' }, 'Loja'],
    [{ latitude: '-23.5', longitude: '-46.6' }, null],
    [{ latitude: -23.5, longitude: -46.6, name: 7, address: '' }, null],
  ])('%j is a place', (location, name) => {
    expect(placeIn({ location })).toMatchObject({ latitude: -23.5, longitude: -46.6, name });
  });

  test.each<JsonObject | null>([
    null,
    {},
    { location: 'x' },
    { location: { name: 'Loja' } },
    { location: { latitude: 91, longitude: 0 } },
  ])('%j is none', (rawMeta) => {
    expect(placeIn(rawMeta)).toBeNull();
  });
});

describe('what a repair gives back of contact cards', () => {
  test('WhatsApp Web’s as they were', () => {
    const vcard = 'BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana\r\nTEL;waid=5511:+55 11\r\nEND:VCARD\r\n';
    expect(cardsIn({ contacts: [{ name: 'Ana', vcard }] })).toEqual([{ name: 'Ana', vcard }]);
    expect(cardsIn({ contacts: [{ vcard }] })).toEqual([{ name: 'Ana', vcard }]);
  });

  test('one that was cut is whole again, with its name and phones', () => {
    const vcard = 'BEGIN:VCARD\nFN:Ana\nitem1.TEL;waid=5511:+55 11\nPHOTO;BASE64:AAAA…';
    expect(cardsIn({ contacts: [{ name: 'Ana', vcard }] })).toEqual([
      {
        name: 'Ana',
        vcard: 'BEGIN:VCARD\nVERSION:3.0\nN:Ana\nFN:Ana\nTEL;type=CELL;waid=5511:+55 11\nEND:VCARD',
      },
    ]);
  });

  test('Meta’s get a vCard, in which a name says no more than a name', () => {
    const contacts: JsonValue[] = [
      { name: { formatted_name: 'Ana;\\, B\nEND:VCARD' }, phones: [{ phone: '+55 11', wa_id: '5511' }] },
      { name: { formatted_name: 'Rui' }, phones: [{ wa_id: '5521' }, {}] },
      { name: { formatted_name: 'Zé' } },
    ];
    const [ana, rui, ze] = cardsIn({ contacts }) ?? [];
    expect(ana?.vcard.split('\n')).toEqual([
      'BEGIN:VCARD',
      'VERSION:3.0',
      String.raw`N:Ana\;\\\, B END:VCARD`,
      String.raw`FN:Ana\;\\\, B END:VCARD`,
      'TEL;type=CELL;waid=5511:+55 11',
      'END:VCARD',
    ]);
    expect(rui?.vcard).toContain('TEL;type=CELL;waid=5521:+5521');
    expect(ze?.vcard).not.toContain('TEL');
  });

  test.each<JsonObject | null>([
    null,
    {},
    { contacts: [] },
    { contacts: [{}] },
    { contacts: [{ phones: [] }, { vcard: 'x' }] },
  ])('%j is none', (rawMeta) => {
    expect(cardsIn(rawMeta)).toBeNull();
  });
});
