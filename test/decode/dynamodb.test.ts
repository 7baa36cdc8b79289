import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import type { DecodedEntry } from '../../src/model/facts.js';
import type { JsonValue } from '../../src/model/json.js';
import { message, only, webhook } from './meta-builders.js';
import { base64, typed } from './wrap.js';

const BODY = webhook('messages', { messages: [message({ text: { body: 'Olá "tudo"\n{"S":"x"} ação' } })] });
const WHOLE = JSON.stringify(BODY);
const SIGNATURE = `sha256=${createHmac('sha256', 'secret').update(WHOLE).digest('hex')}`;
const MS = 1758000123456;
const HEADERS = { 'X-Hub-Signature-256': SIGNATURE };

function entryOf(file: JsonValue): DecodedEntry {
  const result = decodeEntry(Buffer.from(JSON.stringify(file)), { include: new Set() });
  if (result.kind === 'invalid') throw new Error(`${result.reason}: ${result.message}`);
  return result.entry;
}

function bodiesOf({ sections }: DecodedEntry): (string | undefined)[] {
  return sections.flatMap(({ facts }) => only('message', facts)).map(({ body }) => body);
}

const PLAIN = bodiesOf(entryOf(BODY));

function itemOf(payload: JsonValue): { [name: string]: JsonValue } {
  return {
    id: { S: 'k1' },
    payload,
    received: { N: String(MS) },
    headers: typed(HEADERS),
    tags: { SS: ['a', 'b'] },
    sizes: { NS: ['1', '2.5'] },
    none: { NULL: true },
    list: { L: [] },
    empty: { M: {} },
  };
}

describe('E1: DynamoDB', () => {
  test.each<[string, JsonValue]>([
    ['a text', { S: WHOLE }],
    ['bytes', { B: base64(WHOLE) }],
    ['a map', typed(BODY)],
  ])('a body that is %s gives the rows of the plain one, with time and headers', (_, payload) => {
    const item = itemOf(payload);
    const forms: JsonValue[] = [
      { Item: item },
      { Items: [item], Count: 1, ScannedCount: 1 },
      { Records: [{ eventName: 'INSERT', dynamodb: { Keys: { id: { S: 'k1' } }, NewImage: item } }] },
      item,
      { log: `${JSON.stringify({ Item: item })}\n`, stream: 'stdout' },
    ];
    for (const form of forms) {
      const entry = entryOf(form);
      expect(bodiesOf(entry)).toEqual(PLAIN);
      expect(entry.unrecognized).toEqual([]);
      expect(entry.receivedAt).toBe(MS);
      expect(entry.signatures).toHaveLength(1);
    }
  });

  test('a number with more digits than JavaScript keeps stays exact', () => {
    const entry = entryOf({
      Item: { payload: typed(BODY), n: { N: '123456789012345678901' } },
    });
    expect(bodiesOf(entry)).toEqual(PLAIN);
  });

  test('an item with a part that has no type is shown, with its form', () => {
    const entry = entryOf({
      Item: { id: { S: 'k' }, payload: { M: { object: { S: 'x' }, entry: { Q: 'whatsapp' } } } },
    });
    expect(bodiesOf(entry)).toEqual([]);
    expect(entry.unrecognized.map(({ reason }) => reason)).toEqual(['unknown_shape:dynamodb']);
  });
});
