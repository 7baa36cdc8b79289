import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemAt } from '../../src/decode/item-at.js';
import type { Fact } from '../../src/model/facts.js';
import type { JsonValue } from '../../src/model/json.js';
import { healthyDays } from '../support/vendor-bodies.js';
import { ANA, decode, SECONDS, wamid } from './meta-builders.js';
import { textsIn } from '../support/texts-in.js';
import { anyCharacter } from '../support/any-text.js';
import { tries } from '../support/seed.js';

/** Names and values that the readers of vendors look at, so that random JSON reaches them. */
const KEYS = [
  'id _serialized from to fromMe body hasMedia media mimetype filename location latitude vCards replyTo ack ackName',
  '_data key remoteJid participant message conversation protocolMessage type editedMessage timestampMs status t Info',
  'Message ID Chat Sender IsFromMe SenderAlt Timestamp after before revokedMessageId editedMessageId reaction text',
  'messageId timestamp payload data keys jid update receipt readTimestamp keyId messages statuses contacts wa_id _vnd v1',
  'direction chat owner recipient_id source sender phone name destination gsId context url vcardList listResponse',
  '__proto__ constructor',
]
  .join(' ')
  .split(' ');
const CHAT = `${ANA}@c.us`;
const leaf = fc.oneof(
  fc.constantFrom<JsonValue>(
    null,
    true,
    0,
    14,
    -1,
    3,
    '',
    'x',
    'chat',
    'image',
    'REVOKE',
    'DELETED',
    'outbound',
  ),
  fc.constantFrom<JsonValue>(
    `true_${CHAT}_3EB0`,
    `false_1@g.us_3EB0_${CHAT}`,
    '3EB0',
    CHAT,
    ANA,
    '1@lid',
    wamid('A1'),
  ),
  fc.constantFrom<JsonValue>(SECONDS, 1758000000000, '2025-09-16T05:20:00Z', 'sent', 'deleted', 'text'),
  fc.string({ unit: anyCharacter, maxLength: 20 }),
);
const json = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.constantFrom(...KEYS), tie('value')), { maxLength: 8 })
      .map((entries): JsonValue => Object.fromEntries(entries)),
  ),
})).value;

const WAHA = [
  'message',
  'message.any',
  'message.ack',
  'message.reaction',
  'message.edited',
  'message.revoked',
];
const EVOLUTION = [
  'messages.edited',
  'messages.delete',
  'messages.update',
  'message-receipt.update',
  'send.message.update',
  'chats.update',
];
const GUPSHUP = ['message', 'message-event', 'user-event', 'billing-event'];

const body = fc.oneof(
  fc.tuple(fc.constantFrom(...WAHA), json).map(([event, payload]): JsonValue => ({
    event,
    session: 'loja',
    engine: 'GOWS',
    timestamp: 1758000000000,
    payload,
  })),
  fc.tuple(fc.constantFrom(...EVOLUTION), json, fc.boolean()).map(([event, data, isS3]): JsonValue => ({
    event,
    instance: 'loja',
    data,
    ...(isS3 ? { dataType: 's3' } : {}),
    date_time: '2025-09-16T05:20:00Z',
    sender: `${ANA}@s.whatsapp.net`,
  })),
  fc.tuple(fc.constantFrom(...GUPSHUP), json).map(([type, payload]): JsonValue => ({
    app: 'Loja',
    timestamp: 1758000000000,
    version: 2,
    type,
    payload,
  })),
  fc.tuple(json, json, json).map(([contacts, messages, statuses]): JsonValue => ({
    contacts,
    messages: [messages],
    statuses: [statuses],
  })),
);

/** Whether a fact is about one item of a body: those balance. */
function isItem(fact: Fact): boolean {
  return !['profile', 'identity_link', 'event', 'history_chunk'].includes(fact.kind);
}

function kindsIn(value: JsonValue): string[] {
  return decode(value).sections.map(({ field, facts }) =>
    [field, ...facts.map(({ kind }) => kind)].join(' '),
  );
}

function escapedByNginx(text: string): string {
  const escaped = (character: string): string =>
    [...Buffer.from(character)]
      .map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join('');
  return text.replace(/["\\]|[^\x20-\x7e]/gu, escaped);
}

describe('the bodies of vendors, whatever is in them', () => {
  test('are decoded into something, and into texts that PostgreSQL takes; paths lead into the body', () => {
    fc.assert(
      fc.property(body, (value) => {
        const entry = decode(value);
        expect(entry.sections.length + entry.unrecognized.length).toBeGreaterThan(0);
        for (const text of textsIn([entry.sections, entry.unrecognized])) {
          expect(text.isWellFormed() && !text.includes('\0'), text).toBe(true);
        }
        const bytes = Buffer.from(JSON.stringify(value));
        for (const { facts } of entry.sections) {
          for (const fact of facts.filter(isItem)) expect(itemAt(bytes, fact.path), fact.path).toBeDefined();
        }
      }),
      { numRuns: tries(4000) },
    );
  });

  test('WAHA: each event is one item, on record whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...WAHA), json, (event, payload) => {
        fc.pre(typeof payload === 'object' && payload !== null && !Array.isArray(payload));
        const entry = decode({ event, session: 'loja', payload });
        const items = entry.sections.flatMap(({ facts }) => facts.filter(isItem));
        expect(items.filter(({ path }) => !path.includes('.reactions['))).toHaveLength(1);
      }),
      { numRuns: tries(2000) },
    );
  });

  test('Evolution API: each element of a list of changes is one item', () => {
    const elements = fc.array(json, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.constantFrom('messages.edited', 'messages.delete', 'messages.update'),
        elements,
        (event, data) => {
          const entry = decode({ event, instance: 'loja', data, date_time: '2025-09-16T05:20:00Z' });
          expect(entry.sections.flatMap(({ facts }) => facts.filter(isItem))).toHaveLength(data.length);
        },
      ),
      { numRuns: tries(2000) },
    );
  });

  test('mean the same in whatever wrapper they lie', () => {
    const log = healthyDays((key) => wamid(key)).flatMap(([, bodies]) => bodies);
    for (const each of log) {
      const text = JSON.stringify(each);
      const base64 = Buffer.from(text).toString('base64');
      const wrapped: JsonValue[] = [
        { payload: text },
        { log: `${JSON.stringify({ message: text })}\n`, stream: 'stdout', time: '2026-09-21T08:13:20Z' },
        { body: base64, isBase64Encoded: true },
        { data: base64 },
        [{ headers: {}, params: {}, query: {}, body: each }],
        { any: { key: [each] } },
        `10.0.0.1 - - "POST /hook HTTP/1.1" 200 "${escapedByNginx(text)}"`,
        `2026-09-21T08:13:20Z INFO webhook ${text}`,
      ];
      const said = kindsIn(each);
      expect(said).toHaveLength(1);
      for (const form of wrapped) expect(kindsIn(form), JSON.stringify(form).slice(0, 300)).toEqual(said);
    }
  });

  test('deep nesting exhausts no stack', () => {
    const Info = { Chat: `${ANA}@s.whatsapp.net`, ID: 'A', Timestamp: '2025-09-16T05:20:00Z' };
    const depth = 3000;
    const nested = `${'{"Message":'.repeat(depth)}1${'}'.repeat(depth)}`;
    const message = `{"extendedTextMessage":{"text":"oi","contextInfo":${nested}}}`;
    const whole = `{"event":"message","session":"s","payload":{"id":"false_${CHAT}_A","_data":{"Info":${JSON.stringify(Info)},"Message":${message}}}}`;
    expect(decode(whole).sections).toHaveLength(1);
  });
});
