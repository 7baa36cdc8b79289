import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBaileys, recognizeBaileys } from '../../src/decode/baileys/decode-baileys.js';
import { asArray, asObject } from '../../src/decode/read.js';
import type { JsonValue } from '../../src/model/json.js';
import {
  ANA,
  ANA_LID,
  decode,
  history,
  live,
  ofKind,
  sample,
  toJson,
  webMessage,
} from './baileys-builders.js';
import { tries } from '../support/seed.js';

const OPTIONS = { path: '$', include: new Set(['group'] as const) };

const BODIES: JsonValue[] = [
  sample('baileys-history-set-rc13-bufferjson.json'),
  sample('baileys-history-set-lid.json'),
  sample('baileys-history-set-wrappers-media.json'),
  sample('baileys-history-set-groups-status-newsletter.json'),
  sample('baileys-event-wrapper.json'),
  live([webMessage({ reactions: [{ key: { fromMe: true }, text: '👍' }] }, { remoteJidAlt: ANA_LID })]),
  {
    event: 'messages.update',
    sessionId: 'x',
    data: [{ key: { remoteJid: ANA, id: 'A' }, update: { status: 3 } }],
  },
  {
    event: 'messages.reaction',
    sessionId: 'x',
    data: [{ key: { remoteJid: ANA, id: 'A' }, reaction: { text: 'x', key: { fromMe: true } } }],
  },
  { event: 'contacts.upsert', sessionId: 'x', data: [{ id: ANA, lid: ANA_LID, name: 'Ana', notify: 'A' }] },
  { event: 'lid-mapping.update', sessionId: 'x', data: { lid: ANA_LID, pn: ANA } },
];

const anyJson = fc
  .oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom(
      '__proto__',
      'constructor',
      '\u0000',
      '\ud800',
      1e308,
      -0,
      { low: 1, high: 'x' },
      { type: 'Buffer', data: {} },
    ),
    fc.constantFrom(ANA, ANA_LID, 'MESSAGE_EDIT', 'REVOKE', 14, 0, 'ON_DEMAND'),
  )
  .map(toJson);

/** A copy with one value, chosen by `pick`, replaced; every value of the body can be chosen, the root too. */
function withReplaced(body: JsonValue, pick: number, replacement: JsonValue): JsonValue {
  let left = pick % countValues(body);
  const copy = (value: JsonValue): JsonValue => {
    if (left-- === 0) return replacement;
    if (Array.isArray(value)) return value.map(copy);
    const object = asObject(value);
    if (object === undefined) return value;
    return Object.fromEntries(Object.entries(object).map(([key, inner]) => [key, copy(inner)]));
  };
  return copy(body);
}

function countValues(value: JsonValue): number {
  const inner = asArray(value) ?? Object.values(asObject(value) ?? {});
  return inner.reduce<number>((sum, each) => sum + countValues(each), 1);
}

describe('hostile events of Baileys', () => {
  it('M7: never throws, whatever JSON stands in whatever place, and still accounts for every message', () => {
    fc.assert(
      fc.property(fc.constantFrom(...BODIES), fc.nat(), anyJson, (body, pick, junk) => {
        const value = withReplaced(body, pick, junk);
        const event = recognizeBaileys(value);
        if (event === undefined) return;
        const { sections } = decodeBaileys(event, OPTIONS);
        const object = asObject(value);
        const elements = asArray(object?.messages) ?? asArray(asObject(object?.data)?.messages);
        if (elements === undefined) return;
        const own = sections
          .flatMap((section) => section.facts)
          .filter((fact) => fact.kind !== 'identity_link' && /\.messages\[\d+\]$/.test(fact.path));
        if (sections.some((section) => section.field.startsWith('messag'))) {
          expect(own).toHaveLength(elements.length);
        }
      }),
      { numRuns: tries(3000) },
    );
  });

  it('never throws while recognizing, whatever JSON it is', () => {
    fc.assert(
      fc.property(
        anyJson,
        fc.constantFrom('messages.upsert', 'messaging-history.set', 'contacts.update', 'x.y'),
        (data, name) => {
          recognizeBaileys(data);
          const event = recognizeBaileys({ event: name, sessionId: 'x', data });
          if (event !== undefined) decodeBaileys(event, OPTIONS);
        },
      ),
    );
  });

  it('keys that mean something to JavaScript are just keys', () => {
    const text = `{"messages":[{"key":{"remoteJid":"${ANA}","id":"A","__proto__":{"fromMe":true}},"__proto__":{"status":4},
      "message":{"__proto__":{"text":"x"}},"messageTimestamp":1757900010}],"type":"notify"}`;
    const [fact] = ofKind(decode(toJson(JSON.parse(text))), 'message');
    expect(fact).toMatchObject({ direction: 'INBOUND', status: 'delivered', type: '__proto__' });
  });

  it('reads a history of 20,000 messages, chats and mappings without scanning any list twice', () => {
    const count = 20_000;
    const jids = Array.from({ length: count }, (_, i) => `${111000000000000 + i}@lid`);
    const body = history(
      jids.map((remoteJid) => webMessage({ pushName: 'Nome' }, { remoteJid })),
      {
        chats: jids.map((id) => ({ id, name: 'Nome' })),
        contacts: jids.map((id) => ({ id, name: 'Nome' })),
        lidPnMappings: jids.map((lid, i) => ({ lid, pn: `${5511900000000 + i}@s.whatsapp.net` })),
      },
    );
    const start = performance.now();
    const decoded = decode(body);
    // Quadratic work takes minutes here.
    expect(performance.now() - start).toBeLessThan(5000);
    expect(ofKind(decoded, 'message')).toHaveLength(count);
    expect(ofKind(decoded, 'message').every((fact) => fact.counterpart.phone !== undefined)).toBe(true);
    expect(ofKind(decoded, 'identity_link')).toHaveLength(count);
  });
});
