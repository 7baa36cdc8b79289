import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recognizeBaileys } from '../../src/decode/baileys/decode-baileys.js';
import type { JsonValue } from '../../src/model/json.js';
import { ANA, ANA_LID, history, live, sample, webMessage } from './baileys-builders.js';

const samples = new URL('../samples/', import.meta.url);

function names(value: JsonValue): string[] | undefined {
  return recognizeBaileys(value)?.parts.map((part) => part.name);
}

describe('recognizing events of Baileys', () => {
  it.each<[string, JsonValue, string]>([
    ['a bare history', history([webMessage()]), 'messaging-history.set'],
    [
      'a history of old versions, without a type',
      { chats: [], contacts: [], messages: [webMessage()] },
      'messaging-history.set',
    ],
    [
      'a history with push names only',
      { chats: [], contacts: [{ id: ANA, notify: 'Ana' }], messages: [], syncType: 4 },
      'messaging-history.set',
    ],
    [
      'an empty page of history',
      { chats: [], contacts: [], messages: [], syncType: 6 },
      'messaging-history.set',
    ],
    ['a bare upsert', live([webMessage()]), 'messages.upsert'],
    ['a bare pair of LID and phone', { lid: ANA_LID, pn: ANA }, 'lid-mapping.update'],
    [
      'a wrapper',
      { event: 'messages.upsert', sessionId: 'loja', data: live([webMessage()]) },
      'messages.upsert',
    ],
    ['a wrapper without a session', { event: 'contacts.update', data: [] }, 'contacts.update'],
    ['Evolution API', { event: 'messages.set', instance: 'loja', data: [webMessage()] }, 'messages.set'],
    [
      'Evolution API on a queue',
      { event: 'MESSAGES_UPSERT', instance: 'loja', data: webMessage() },
      'messages.upsert',
    ],
    [
      'an unknown event of a session',
      { event: 'messages.sparkle', sessionId: 'loja', data: {} },
      'messages.sparkle',
    ],
  ])('knows %s', (_title, value, name) => {
    expect(names(value)).toEqual([name]);
  });

  it('knows the map of events that ev.process hands out', () => {
    expect(names({ 'messages.upsert': live([webMessage()]), 'chats.update': [{ id: ANA }] })).toEqual([
      'messages.upsert',
      'chats.update',
    ]);
  });

  it('takes the session from any of its usual names, and the time from ts', () => {
    for (const key of ['sessionId', 'instance', 'session']) {
      expect(
        recognizeBaileys({ event: 'presence.update', [key]: 'loja', ts: '1757900100', data: {} }),
      ).toMatchObject({ sessionName: 'loja', receivedAt: 1757900100000 });
    }
  });

  it('claims no sample that is not of Baileys', () => {
    const others = readdirSync(samples).filter(
      (name) => name.endsWith('.json') && name !== 'EXPECT.json' && !name.startsWith('baileys-'),
    );
    expect(others.length).toBeGreaterThan(50);
    const claimed = others.filter((name) => recognizeBaileys(sample(name)) !== undefined);
    expect(claimed).toEqual([]);
  });

  it.each<[string, JsonValue]>([
    ['a body of Meta', { object: 'whatsapp_business_account', entry: [] }],
    ['a change of Meta', { field: 'history', value: { messages: [webMessage()] } }],
    ['a value of Meta', { messaging_product: 'whatsapp', contacts: [{ id: ANA }], messages: [webMessage()] }],
    [
      'a value of Meta without its product',
      { contacts: [{ wa_id: '5511900000001' }], messages: [{ from: '5511900000001', id: 'wamid.x' }] },
    ],
    [
      'a value of Meta in an event',
      { event: 'messages.upsert', instance: 'x', data: { messaging_product: 'whatsapp' } },
    ],
    ['a change of Meta in an event', { event: { value: {}, field: 'messages' } }],
    ['somebody else’s event', { event: 'order.created', data: { id: 1 } }],
    ['a call of somebody else', { event: 'call', data: { id: 1 } }],
    ['a list of such calls', { event: 'call', data: [{ id: 'C', from: '+551130000000', status: 'offer' }] }],
    ['no call', { event: 'call', data: [] }],
    ['an event without data', { event: 'messages.upsert' }],
    ['text', 'messages.upsert'],
    ['null', null],
    ['a list', [webMessage()]],
    ['an empty object', {}],
  ])('leaves %s alone', (_title, value) => {
    expect(recognizeBaileys(value)).toBeUndefined();
  });
});
