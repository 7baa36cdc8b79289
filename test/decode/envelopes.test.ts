import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, AT, decode, historyOf, message, only, wamid, webhook, withMetadata } from './meta-builders.js';

const VALUE = withMetadata({ messages: [message()] });
const BODY = webhook('messages', { messages: [message()] });
const CHANGE: JsonObject = { value: VALUE, field: 'messages' };
const ENTRY: JsonObject = { id: '900000000000001', changes: [CHANGE] };
const TEXT = JSON.stringify(BODY);
const RECEIVED = '2025-09-16T05:33:20Z';
const RECEIVED_AT = Date.UTC(2025, 8, 16, 5, 33, 20);

function messagesIn(body: JsonValue | string): number {
  const entry = decode(body);
  expect(entry.unrecognized).toEqual([]);
  return entry.sections.flatMap((section) => only('message', section.facts)).length;
}

describe('E1: a webhook is read in whatever it was stored', () => {
  test('also with every way to write an apostrophe in a page', () => {
    const body = webhook('messages', { messages: [message({ text: { body: "it's" } })] });
    const page = JSON.stringify(body).replaceAll('"', '&quot;').replaceAll("'", '&#x27;');
    const [fact] = decode(page).sections.flatMap((section) => only('message', section.facts));
    expect(fact?.body).toBe("it's");
  });

  test.each<[string, JsonValue]>([
    ['the body itself', BODY],
    ['a body without object', { entry: [ENTRY] }],
    ['Gupshup v3', { ...BODY, gs_app_id: 'x' }],
    ['a bare entry', ENTRY],
    ['a bare change', CHANGE],
    ['a bare value', VALUE],
    ['a value alone', { value: VALUE }],
    ['an array of bodies', [BODY]],
    ['a split row', { entry: { id: '1', time: 1 }, change: CHANGE }],
    ['a split row of texts', { entry: '{"id":"1"}', change: JSON.stringify(CHANGE) }],
    ['a row with an object', { id: 7, payload: BODY, eventType: 'messages', processed: true }],
    ['a row with a text', { id: 7, payload: TEXT }],
    ['a row with a text of a text', { id: 7, payload: JSON.stringify(TEXT) }],
    ['a row with body', { body: BODY }],
    ['a row with raw_body', { raw_body: TEXT }],
    ['a row with a value', { event_type: 'account_update', payload: VALUE }],
    [
      'a row with strange columns beside it',
      { waId: 'x', MessageSid: 'y', field: 'z', value: {}, payload: BODY },
    ],
    ['Supabase', { type: 'INSERT', table: 'logs', record: { id: 1, payload: BODY }, old_record: null }],
    ['360dialog', { id: 'evt', event: 'messages', data: { id: '900000000000001', ...VALUE } }],
    ['n8n’s trigger', [{ ...VALUE, field: 'messages' }]],
    ['n8n’s webhook node', [{ headers: {}, params: {}, query: {}, body: BODY, webhookUrl: 'https://x' }]],
    ['Datafy', { headers: { 'x-datafy-delivery-id': '1' }, body: BODY }],
    ['8x8', { eventType: 'raw', eventDetails: { rawEvent: { value: VALUE, field: 'messages' } } }],
    ['BotPenguin', { event: { value: VALUE, field: 'messages' } }],
    ['API Gateway', { headers: {}, body: TEXT, isBase64Encoded: false }],
    ['API Gateway in base64', { body: Buffer.from(TEXT).toString('base64'), isBase64Encoded: true }],
    ['a queue', { Records: [{ messageId: '1', body: JSON.stringify({ body: TEXT, headers: {} }) }] }],
    ['a topic', { Type: 'Notification', Message: TEXT }],
    [
      'CloudWatch',
      { logEvents: [{ id: '1', timestamp: AT, message: `2025-09-16T05:33:20Z\tabc\tINFO\t${TEXT}\n` }] },
    ],
    [
      'field inside the value',
      { entry: [{ id: '1', changes: [{ value: { ...VALUE, field: 'messages' } }] }] },
    ],
    ['field inside the entry', { entry: [{ id: '1', field: 'messages', changes: [{ value: VALUE }] }] }],
    ['value inside the entry', { entry: [{ id: '1', field: 'messages', value: VALUE }] }],
    ['no field at all', { entry: [{ id: '1', changes: [{ value: VALUE }] }] }],
  ])('E1: %s', (_what, body) => {
    expect(messagesIn(body)).toBe(1);
  });

  test('E1: a text before the JSON, a byte order mark and line ends do not matter', () => {
    expect(messagesIn(`\uFEFF${TEXT}\r\n`)).toBe(1);
    expect(messagesIn(`[2025-09-16 05:33:20] INFO POST /webhook ${TEXT}`)).toBe(1);
    expect(messagesIn(JSON.stringify(BODY, null, 2))).toBe(1);
    expect(messagesIn(JSON.stringify(TEXT))).toBe(1);
  });

  test('E1: every element of a batch is read, and junk among them is shown', () => {
    const second = webhook('messages', { messages: [message({ id: wamid('A2') })] });
    const entry = decode({
      rows: 1,
      payload: [BODY, null, { nothing: true }, { payload: JSON.stringify(second) }],
    });
    expect(entry.sections.map((section) => section.path)).toEqual([
      '$.payload[0].entry[0].changes[0].value',
      '$.payload[3].payload.entry[0].changes[0].value',
    ]);
    expect(entry.unrecognized.map((part) => [part.path, part.reason])).toEqual([
      ['$.payload[1]', 'not_an_object'],
      ['$.payload[2]', 'unknown_shape'],
    ]);
  });

  test('E1: what a program prints between its webhooks is no loss', () => {
    const lines = ['START RequestId: 1', TEXT, 'END RequestId: 1'];
    expect(messagesIn({ logEvents: lines.map((line) => ({ timestamp: AT, message: line })) })).toBe(1);
    const cut = decode({ logEvents: [TEXT, TEXT.slice(0, 99)].map((line) => ({ message: line })) });
    expect(cut.unrecognized).toMatchObject([{ path: '$.logEvents[1].message', reason: 'invalid_json' }]);
  });

  test('E1: a wrapper names the field of a value that has none, and 360dialog puts the WABA into it', () => {
    const value: JsonObject = { id: '900', ...withMetadata({ messages: [message()] }) };
    const entry = decode({ id: 'evt', event: 'history', data: value });
    expect(entry.sections).toMatchObject([
      { field: 'history', connection: { wabaId: '900' }, facts: [{ origin: 'follow_up' }] },
    ]);
  });

  test.each<[string, JsonObject]>([
    ['history', { history: [] }],
    ['smb_app_state_sync', { state_sync: [] }],
    ['smb_message_echoes', { message_echoes: [] }],
    ['standby', { standby: {} }],
    ['messages', { statuses: [] }],
    ['user_preferences', { user_preferences: [] }],
  ])('E1: a bare value’s lists tell that its field is %s', (field, value) => {
    expect(decode(withMetadata(value)).sections).toMatchObject([{ field }]);
  });

  test('E1: wrappers may nest, but not without end', () => {
    const wrapped = (times: number): JsonValue => (times === 0 ? BODY : { payload: wrapped(times - 1) });
    expect(messagesIn(wrapped(40))).toBe(1);
    expect(decode(wrapped(41)).unrecognized).toMatchObject([{ reason: 'nested_too_deep' }]);
  });

  test('a history body of 5,000 messages is read whole', () => {
    const messages = Array.from({ length: 5000 }, (_, i) => message({ id: wamid(`A${i}`) }));
    const facts = decode(historyOf(messages)).sections.flatMap((section) => section.facts);
    expect(only('message', facts)).toHaveLength(5000);
  });
});

describe('E1: what is no webhook of Meta’s is named', () => {
  test.each<[string, JsonValue]>([
    [
      'gupshup_v2',
      { app: 'Loja', timestamp: AT, version: 2, type: 'message', payload: { id: 'x', type: 'text' } },
    ],
    ['ycloud', { id: 'evt_1', type: 'whatsapp.smb.history', whatsappSmbHistory: {} }],
    ['twilio', { SmsMessageSid: 'SM1', Body: 'oi', From: 'whatsapp:+5511900000001' }],
    ['wati', { id: '1', whatsappMessageId: 'wamid.x', waId: ANA, eventType: 'message' }],
    ['vonage', { message_uuid: '1', channel: 'whatsapp' }],
    ['telnyx', { data: { event_type: 'message.received', record_type: 'event', payload: { text: 'oi' } } }],
    ['bird', { service: 'channels', event: 'whatsapp.inbound', payload: {} }],
    ['graph_api_request', { messaging_product: 'whatsapp', to: ANA, type: 'text', text: { body: 'oi' } }],
    [
      'graph_api_response',
      {
        messaging_product: 'whatsapp',
        contacts: [{ input: ANA, wa_id: ANA }],
        messages: [{ id: 'wamid.x' }],
      },
    ],
    ['object:instagram', { object: 'instagram', entry: [{ id: '1', messaging: [] }] }],
    ['empty', { object: 'whatsapp_business_account', entry: [] }],
    ['empty', []],
    ['unknown_shape', {}],
    ['unknown_shape', { hello: 'world' }],
    ['not_an_object', [1, 2, 3]],
    ['invalid_json', { payload: '{"object":"whatsapp_business_acc' }],
  ])('E1: %s', (reason, body) => {
    const entry = decode(body);
    expect(entry.sections).toEqual([]);
    expect(entry.unrecognized.map((part) => part.reason)).toEqual([reason]);
  });

  test('a vendor’s entry is named with where and what', () => {
    expect(decode({ payload: { type: 'whatsapp.inbound_message.received' } }).unrecognized).toEqual([
      { path: '$.payload', reason: 'ycloud', excerpt: '{"type":"whatsapp.inbound_message.received"}' },
    ]);
  });
});

describe('M7: when an entry came', () => {
  test.each<[JsonValue, string]>([
    [RECEIVED, 'received_at'],
    ['2025-09-16T02:33:20-03:00', 'receivedAt'],
    ['2025-09-16 05:33:20+00', 'created_at'],
    ['2025-09-16 05:33:20', 'createdAt'],
    [RECEIVED_AT, 'ts'],
    [RECEIVED_AT / 1000, 'timestamp'],
    [String(RECEIVED_AT), 'time'],
    ['2025-09-16T05:33:20.000000Z', 'inserted_at'],
    [RECEIVED_AT, 't'],
    [RECEIVED_AT / 1000, 'epoch'],
    [RECEIVED, 'at'],
    // Whatever its name is.
    ['2025-09-16 05:33:20', 'criado_em'],
    ['2025-09-16T02:33:20-03:00', 'hora'],
  ])('M7: %j in the column %s', (value, column) => {
    expect(decode({ [column]: value, payload: BODY }).receivedAt).toBe(RECEIVED_AT);
  });

  test('M7: it does not depend on the zone of this machine', () => {
    const zone = process.env.TZ;
    try {
      process.env.TZ = 'America/Sao_Paulo';
      expect(decode({ created_at: '2025-09-16 05:33:20', payload: BODY }).receivedAt).toBe(RECEIVED_AT);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  test('M7: it stands in for a bad timestamp; what the caller knows stands before it', () => {
    const row = {
      received_at: RECEIVED,
      payload: webhook('messages', { messages: [message({ timestamp: 'x' })] }),
    };
    expect(decode(row).sections).toMatchObject([{ facts: [{ timestamp: RECEIVED_AT }] }]);
    expect(decode(row, { receivedAt: AT }).sections).toMatchObject([{ facts: [{ timestamp: AT }] }]);
    expect(decode(row, { receivedAt: AT }).receivedAt).toBe(RECEIVED_AT);
  });

  test('M7: each row of a batch has its own', () => {
    const bad = (id: string): JsonObject =>
      webhook('messages', { messages: [message({ id, timestamp: 0 })] });
    const rows = [
      { received_at: RECEIVED_AT, payload: bad('a') },
      { received_at: RECEIVED_AT + 1000, payload: bad('b') },
    ];
    const facts = decode(rows).sections.flatMap((section) => only('message', section.facts));
    expect(facts.map((fact) => fact.timestamp)).toEqual([RECEIVED_AT, RECEIVED_AT + 1000]);
  });

  test('M7: a split row has a time and an account, too, whether its columns are objects or texts', () => {
    const change = { ...CHANGE, value: withMetadata({ messages: [message({ timestamp: undefined })] }) };
    for (const row of [
      { entry: { id: '7' }, change, created_at: RECEIVED },
      { entry: '{"id":"7"}', change: JSON.stringify(change), created_at: RECEIVED },
    ]) {
      expect(decode(row)).toMatchObject({
        receivedAt: RECEIVED_AT,
        sections: [{ connection: { wabaId: '7' }, facts: [{ kind: 'message', timestamp: RECEIVED_AT }] }],
      });
    }
  });

  test('M7: of times with names of their own nothing says which it is, nor is any number one', () => {
    const other = '2025-09-17 00:00:00';
    expect(decode({ hora: RECEIVED, fim: other, payload: BODY }).receivedAt).toBeUndefined();
    expect(decode({ hora: RECEIVED, expires_on: other, payload: BODY }).receivedAt).toBe(RECEIVED_AT);
    expect(decode({ user: RECEIVED_AT, payload: BODY }).receivedAt).toBeUndefined();
    const inner = { hora: other, payload: BODY };
    expect(decode({ received_at: RECEIVED, row: inner }).receivedAt).toBe(RECEIVED_AT);
  });

  test('M7: API Gateway and queues say it in their own places', () => {
    const request = { requestContext: { timeEpoch: RECEIVED_AT }, body: TEXT };
    expect(decode(request).receivedAt).toBe(RECEIVED_AT);
  });

  test('a body itself says nothing of the kind', () => {
    expect(decode({ ...BODY, timestamp: AT }).receivedAt).toBeUndefined();
  });
});
