import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { isIdle } from '../../src/decode/envelopes/idle-wrappers.js';
import type { Fact } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import {
  ANA,
  BUSINESS,
  decode,
  historyOf,
  message,
  METADATA,
  USER_ID,
  wamid,
  webhook,
} from './meta-builders.js';
import { textsIn } from '../support/texts-in.js';
import { anyCharacter } from '../support/any-text.js';
import { tries } from '../support/seed.js';

const OPTIONS = { include: new Set<never>() };

/** Names and values that the decoders look at, so that random JSON reaches them. */
const KEYS = [
  'object entry changes field value metadata messages statuses contacts history threads message_echoes state_sync',
  'standby errors from to id timestamp type text body context history_context payload data event record image edit',
  'revoke reaction interactive location order system group_id key remoteJid message chats syncType wa_id user_id',
  'phone_number_id display_phone_number messaging_product user_preferences logEvents original_message_id __proto__',
  'constructor toString hasOwnProperty',
]
  .join(' ')
  .split(' ');
const leaf = fc.oneof(
  fc.constantFrom<JsonValue>(
    null,
    true,
    0,
    '',
    'messages',
    'history',
    'text',
    'edit',
    'system',
    'whatsapp',
    ANA,
    BUSINESS,
  ),
  fc.constantFrom<JsonValue>(
    1758000000,
    '1758000000',
    USER_ID,
    '123@lid',
    `${ANA}@s.whatsapp.net`,
    wamid('A1'),
    METADATA,
  ),
  fc.string({ unit: anyCharacter, maxLength: 20 }),
  fc.double(),
);
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 8, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 6 })
      .map((entries): JsonValue => Object.fromEntries(entries)),
  ),
})).value;

/** Whether a value holds a wrapper that is known to hold no webhook: nothing is told of one. */
function holdsIdle(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (!Array.isArray(value) && isIdle(value)) || Object.values(value).some(holdsIdle);
}

function expectStorable(value: unknown): void {
  for (const text of textsIn(value)) expect(text.isWellFormed() && !text.includes('\0'), text).toBe(true);
}

describe('decodeEntry takes whatever comes', () => {
  test('any JSON is decoded, into something, and into texts that PostgreSQL takes', () => {
    fc.assert(
      fc.property(json, fc.boolean(), (value, known) => {
        const body = JSON.stringify(value);
        const options = known ? { ...OPTIONS, receivedAt: 1758000000000 } : OPTIONS;
        const result = decodeEntry(Buffer.from(body), options);
        if (result.kind === 'invalid') {
          expect(result.reason).toBe('no_json');
          return;
        }
        const { sections, unrecognized } = result.entry;
        if (!holdsIdle(value)) expect(sections.length + unrecognized.length).toBeGreaterThan(0);
        expectStorable(result.entry);
      }),
      { numRuns: tries(2000) },
    );
  });

  test('any value of a webhook is decoded', () => {
    const field = fc.constantFrom(
      'messages',
      'history',
      'smb_message_echoes',
      'standby',
      'smb_app_state_sync',
      'calls',
    );
    const parts = fc.dictionary(
      fc.constantFrom('messages', 'statuses', 'contacts', 'history', 'message_echoes'),
      json,
    );
    fc.assert(
      fc.property(field, parts, (name, value) => {
        const { sections, unrecognized } = decode(webhook(name, value));
        if (!holdsIdle(value)) expect(sections.length + unrecognized.length).toBeGreaterThan(0);
        expectStorable(sections);
      }),
      { numRuns: tries(1000) },
    );
  });

  test('any bytes are decoded, or refused in one line', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(400), fc.nat(255)).map(([at, byte]) => {
        const body = Buffer.from(JSON.stringify(webhook('messages', { messages: [message()] })));
        body[at % body.length] = byte;
        return new Uint8Array(body);
      }),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        const result = decodeEntry(input, OPTIONS);
        if (result.kind === 'invalid') expect(result.message).toMatch(/^[ -~]{5,120}$/);
      }),
      { numRuns: tries(1000) },
    );
  });

  test('bytes that are no UTF-8 become U+FFFD', () => {
    const body = Buffer.from(
      JSON.stringify(webhook('messages', { messages: [message({ text: { body: 'caf?' } })] })),
    );
    body[body.indexOf('caf?') + 3] = 0xe9;
    const result = decodeEntry(body, OPTIONS);
    expect(JSON.stringify(result)).toContain('caf\uFFFD');
  });

  test.each([
    ['', 'no_json'],
    ['   \n', 'no_json'],
    ['hello', 'no_json'],
    ['null', 'no_json'],
    ['{"object":"whatsapp_busi', 'invalid_json'],
    ['{]', 'invalid_json'],
  ])('%j is refused: %s', (text, reason) => {
    expect(decodeEntry(Buffer.from(text), OPTIONS)).toMatchObject({ kind: 'invalid', reason });
  });

  test('a cut line says where it ends', () => {
    const cut = JSON.stringify(webhook('messages', { messages: [message()] })).slice(0, 100);
    expect(decodeEntry(Buffer.from(cut), OPTIONS)).toEqual({
      kind: 'invalid',
      reason: 'invalid_json',
      message: 'the JSON ends early, at character 100',
    });
  });

  test.each<[string, (deep: string) => string]>([
    ['alone', (deep) => deep],
    ['as a payload', (deep) => `{"payload":${deep}}`],
    ['as a value', (deep) => `{"entry":[{"changes":[{"field":"messages","value":${deep}}]}]}`],
    [
      'as a message',
      (deep) => JSON.stringify(webhook('messages', { messages: [0] })).replace('[0]', `[${deep}]`),
    ],
    [
      'as a future type',
      (deep) =>
        JSON.stringify(webhook('messages', { messages: [message({ type: 'x', x: 0 })] })).replace(
          '"x":0',
          `"x":${deep}`,
        ),
    ],
    ['as a thread', (deep) => JSON.stringify(historyOf(0)).replace('"messages":0', `"messages":${deep}`)],
    ['as an event of Baileys', (deep) => `{"event":"messages.upsert","data":{"messages":[${deep}]}}`],
  ])('JSON nested 10,000 deep is survived %s', (_where, place) => {
    for (const deep of [
      '['.repeat(10_000) + ']'.repeat(10_000),
      '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000),
    ]) {
      const result = decodeEntry(Buffer.from(place(deep)), OPTIONS);
      expect(result.kind).toBe('decoded');
      expect(JSON.stringify(result).length).toBeLessThan(5000);
    }
  });

  test('a key __proto__ is a key, and changes no object', () => {
    const hostile =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"type":"__proto__","id":"x"}';
    const body = JSON.stringify(webhook('messages', { messages: [0] })).replace('[0]', `[${hostile}]`);
    decodeEntry(Buffer.from(body), { ...OPTIONS, receivedAt: 1 });
    decodeEntry(Buffer.from(hostile), OPTIONS);
    expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('the accounting holds', () => {
  const item = fc.oneof(
    fc.constantFrom<JsonValue>(null, 7, 'x', [], {}),
    fc
      .record({
        from: fc.constantFrom<JsonValue>(ANA, BUSINESS, USER_ID, null, '', 'x', 7),
        to: fc.constantFrom<JsonValue>(ANA, BUSINESS, null),
        id: fc.constantFrom<JsonValue>(wamid('A1'), null, '', 'x'.repeat(600)),
        timestamp: fc.constantFrom<JsonValue>('1758000000', 'x', null),
        type: fc.constantFrom<JsonValue>('text', 'system', 'image', 'edit', 'revoke', 'reaction', 'x', null),
        group_id: fc.constantFrom<JsonValue>(null, null, null, 'g'),
        edit: fc.constantFrom<JsonValue>(null, { original_message_id: 'wamid.o' }),
        revoke: fc.constantFrom<JsonValue>(null, { original_message_id: 'wamid.o' }),
        reaction: fc.constantFrom<JsonValue>(null, { message_id: 'wamid.o', emoji: '👍' }),
      })
      .map((parts): JsonValue => parts),
  );

  /** What the item is, in the words of the accounting. */
  function subjectOf(element: JsonValue): string {
    if (typeof element !== 'object' || element === null || Array.isArray(element)) return 'message';
    const type =
      element.type ??
      ['reaction', 'edit', 'revoke'].find((name) => element[name] !== null && element[name] !== undefined);
    return type === 'edit' || type === 'revoke' || type === 'reaction' ? type : 'message';
  }

  function subjectOfFact(fact: Fact): string | undefined {
    if (fact.kind === 'skipped' || fact.kind === 'rejected') return fact.subject;
    return ['message', 'edit', 'revoke', 'reaction'].includes(fact.kind) ? fact.kind : undefined;
  }

  test.each<[string, (items: JsonValue[]) => JsonObject]>([
    ['live messages', (messages) => webhook('messages', { messages, contacts: [{ wa_id: ANA }] })],
    ['echoes', (message_echoes) => webhook('smb_message_echoes', { message_echoes })],
    ['standby', (messages) => webhook('standby', { standby: { messages } })],
    ['a history thread', (messages) => historyOf(messages)],
    ['a thread that names nobody', (messages) => historyOf(messages, { id: 'thread-1' })],
    ['follow-ups', (messages) => webhook('history', { messages })],
  ])('each item of %s becomes exactly one fact of its subject', (_what, bodyOf) => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 8 }), fc.boolean(), (items, known) => {
        const entry = decode(bodyOf(items), known ? { receivedAt: 1758000000000 } : {});
        const subjects = entry.sections.flatMap((section) =>
          section.facts.map(subjectOfFact).filter((subject) => subject !== undefined),
        );
        expect(subjects).toEqual(items.map(subjectOf));
      }),
      { numRuns: tries(500) },
    );
  });

  test('each status becomes exactly one fact', () => {
    const status = fc.record({
      id: fc.constantFrom<JsonValue>(wamid('S1'), null, ''),
      status: fc.constantFrom<JsonValue>('sent', 'read', 'deleted', null, 7),
      timestamp: fc.constantFrom<JsonValue>('1758000000', 'x', null),
      recipient_type: fc.constantFrom<JsonValue>('individual', 'group', null),
    });
    const statuses = fc.array(fc.oneof(fc.constantFrom<JsonValue>(null, 7, []), status), { maxLength: 8 });
    fc.assert(
      fc.property(statuses, (list) => {
        const facts = decode(webhook('messages', { statuses: list })).sections.flatMap(
          (section) => section.facts,
        );
        // The status `deleted` revokes its message.
        const asStatus = facts.map((fact) => (fact.kind === 'revoke' ? 'status' : fact.kind));
        expect(facts.map((fact, i) => ('subject' in fact ? fact.subject : asStatus[i]))).toEqual(
          list.map(() => 'status'),
        );
      }),
    );
  });
});
