import { describe, expect, test } from 'vitest';
import { itemAt } from '../../src/decode/item-at.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import {
  ANA,
  AT,
  BUSINESS,
  decode,
  factsOf,
  message,
  only,
  outcomes,
  SECONDS,
  the,
  wamid,
} from './meta-builders.js';

const OLD_ID = 'ABGGFlA5FpafAgo6tHcNmNjXmuSf';
const SENT_ID = 'gBGGFlA5FpafAgkOuJbRq54qwbM';
const CONTACTS = [{ profile: { name: 'Ana Teste' }, wa_id: ANA }];
const LONG_TEXT = 'Olá! 🙂\nSegue a lista:\n- pão\n- "café"\n'.repeat(300);

/** What Turn.io adds to a message. */
function turn(direction: string): JsonObject {
  return {
    v1: {
      author: { id: 'x', name: 'Sistema', type: 'SYSTEM' },
      chat: { owner: `+${ANA}`, state: 'OPEN', unread_count: 1 },
      direction,
      labels: [],
    },
  };
}

const STATUS = { id: SENT_ID, recipient_id: ANA, status: 'read', timestamp: SECONDS };

describe('the On-Premises API and Turn.io', () => {
  test.each<[string, JsonObject]>([
    ['the On-Premises API', {}],
    ['Turn.io', { _vnd: turn('inbound') }],
  ])('a message of %s is a live message, of a number that the body does not name', (_title, parts) => {
    const body = {
      contacts: CONTACTS,
      messages: [message({ id: OLD_ID, text: { body: LONG_TEXT }, ...parts })],
    };
    const entry = decode(body);
    expect(entry).toMatchObject({ provider: 'meta', unrecognized: [] });
    expect(entry.sections).toMatchObject([{ path: '$', field: 'messages', eventOnly: false }]);
    expect(entry.sections[0]?.connection).toEqual({});
    const facts = factsOf(body);
    expect(outcomes(facts)).toEqual(['message', 'profile']);
    expect(the('message', facts)).toMatchObject({
      path: '$.messages[0]',
      origin: 'live',
      externalId: OLD_ID,
      counterpart: { phone: `+${ANA}` },
      direction: 'INBOUND',
      timestamp: AT,
      body: LONG_TEXT,
    });
  });

  test('M10: a wamid of Turn.io gives its stanza id', () => {
    expect(the('message', factsOf({ contacts: CONTACTS, messages: [message()] }))).toMatchObject({
      externalId: wamid('A1'),
      stanzaId: 'A1',
    });
  });

  test('M3: statuses, in lists and with the message’s recipient', () => {
    const body = {
      statuses: [
        { ...STATUS, status: 'sent', conversation: { id: 'c' }, pricing: { billable: true } },
        { ...STATUS, type: 'message' },
        { ...STATUS, status: 'failed', errors: [{ code: 470, title: 'window' }] },
        { ...STATUS, status: 'deleted' },
        { ...STATUS, status: 'warning' },
      ],
    };
    const facts = factsOf(body);
    expect(outcomes(facts)).toEqual([
      'status',
      'status',
      'status',
      'revoke',
      'skipped:status:unknown_status',
    ]);
    expect(only('status', facts)[2]).toMatchObject({ targetExternalId: SENT_ID, errors: [{ code: 470 }] });
  });

  test('what was sent through Turn.io comes alone, and is an outbound message', () => {
    const sent = message({
      from: BUSINESS,
      to: ANA,
      id: wamid('B1'),
      _vnd: turn('outbound'),
      preview_url: false,
    });
    for (const body of [sent, message({ from: BUSINESS, id: wamid('B1'), _vnd: turn('outbound') })]) {
      const fact = the('message', factsOf(body));
      expect(fact).toMatchObject({
        path: '$',
        direction: 'OUTBOUND',
        counterpart: { phone: `+${ANA}` },
        stanzaId: 'B1',
        status: 'sent',
      });
      expect(itemAt(Buffer.from(JSON.stringify(body)), fact.path)).toMatchObject({ id: wamid('B1') });
    }
    const listed = { messages: [sent] };
    expect(the('message', factsOf(listed))).toMatchObject({ path: '$.messages[0]', direction: 'OUTBOUND' });
  });

  test('other columns of a row do not hide a body with WhatsApp’s own ids', () => {
    const row = {
      _id: { $oid: '6' },
      contacts: CONTACTS,
      messages: [message()],
      createdAt: '2025-09-16T05:20:01Z',
    };
    expect(the('message', factsOf(row))).toMatchObject({ path: '$.messages[0]' });
    expect(the('status', factsOf({ hook: 'turn', statuses: [STATUS] })).status).toBe('read');
  });

  test.each<[string, JsonValue]>([
    [
      'another provider’s messages',
      { messages: [message({ id: 'x', from_me: false, chat_id: `${ANA}@s.whatsapp.net` })] },
    ],
    ['messages without contacts', { messages: [message({ id: 'x' })] }],
    [
      'messages with contacts, an id of another kind and other columns',
      { contacts: CONTACTS, messages: [message({ id: 'x' })], channel: 'y' },
    ],
    ['a response of the API', { messages: [{ id: SENT_ID }], meta: { api_status: 'stable' } }],
    ['another response of the API', { contacts: [{ input: ANA, status: 'valid', wa_id: ANA }] }],
    ['a chat with an assistant', { messages: [{ role: 'user', content: 'oi' }] }],
    ['statuses of something else', { statuses: [{ id: 7, status: 'open', timestamp: SECONDS }] }],
    ['empty lists', { messages: [], statuses: [] }],
    ['an object with vendor data that is no message', { _vnd: { v1: {} }, name: 'x' }],
  ])('E1: %s: not claimed', (_title, body) => {
    const entry = decode(body);
    expect(entry.sections).toEqual([]);
    expect(entry.unrecognized).toHaveLength(1);
  });
});
