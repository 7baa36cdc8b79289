import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import type { DecodedEntry } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, BUSINESS, historyOf, message, wamid, webhook } from './meta-builders.js';
import { fileOf, WRAPS } from './wrap.js';
import { tries } from '../support/seed.js';

const PASTED = JSON.stringify(webhook('messages', { messages: [message({ id: wamid('PASTED') })] }));

/** Texts of people, among them all that wrappers take for their own. */
const words = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.constantFrom(
    'Olá "tudo" bem?\nSegunda linha\r\n\tterceira',
    'preço: R$ 5,00 \\ "aspas" \'simples\' `crase`',
    '{"object":"whatsapp_business_account"}',
    '{"a"=>nil, :b=>[1]} #{x} \\x22\\u00e1 %7B%22 &quot; ""',
    '👩‍👩‍👧 ação\u2028\u00a0fim',
    "it's {'a': None} [Object] ... 3 more items",
    '2026-09-21T11:13:20Z stdout F {"a":1}',
    PASTED,
    Buffer.from(PASTED).toString('base64'),
  ),
);
const item = fc
  .record({
    id: fc.integer({ min: 1, max: 99 }).map((n) => wamid(`A${n}`)),
    body: words,
    timestamp: fc.constantFrom<JsonValue>('1758000000', 1758000000, '1758000000000'),
  })
  .map(({ id, body, timestamp }) => message({ id, timestamp, text: { body } }));
const items = fc.array(item, { minLength: 1, maxLength: 3 });
const body = fc.oneof(
  items.map((messages) =>
    webhook('messages', { messages, contacts: [{ wa_id: ANA, profile: { name: 'Ana' } }] }),
  ),
  items.map((messages) => historyOf(messages)),
  items.map((echoes) =>
    webhook('smb_message_echoes', {
      message_echoes: echoes.map((echo) => ({ ...echo, from: BUSINESS, to: ANA })),
    }),
  ),
  fc.tuple(words, fc.integer({ min: 1, max: 99 })).map(([text, n]): JsonObject => ({
    event: 'messages.upsert',
    instance: 'loja',
    data: {
      key: { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: `3EB0${n}` },
      message: { conversation: text },
      messageTimestamp: 1758000000,
    },
  })),
);
const names = Object.keys(WRAPS);
const stack = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 });

function decoded(text: string): DecodedEntry {
  const result = decodeEntry(Buffer.from(text), { include: new Set() });
  if (result.kind === 'invalid') throw new Error(`${result.reason}: ${result.message}`);
  return result.entry;
}

/** Sections without their place in the entry. */
function said(entry: DecodedEntry): unknown {
  const text = JSON.stringify(
    entry.sections.map(({ field, connection, facts, eventOnly }) => ({
      field,
      connection,
      facts,
      eventOnly,
    })),
    (key, value: unknown) => (key === 'path' ? undefined : value),
  );
  const parsed: unknown = JSON.parse(text);
  return parsed;
}

function wrapped(value: JsonValue, wraps: readonly string[]): string {
  // The last name is the outermost wrapper.
  return fileOf(wraps.reduce((inner, name) => WRAPS[name]?.(inner) ?? null, value));
}

describe('a body says the same in whatever it was kept', () => {
  test.each(names)('%s', (name) => {
    fc.assert(
      fc.property(body, (value) => {
        const entry = decoded(wrapped(value, [name]));
        expect(entry.unrecognized).toEqual([]);
        expect(said(entry)).toEqual(said(decoded(JSON.stringify(value))));
      }),
      { numRuns: tries(60) },
    );
  });

  test('three wrappers deep, in any order', () => {
    fc.assert(
      fc.property(body, stack, (value, wraps) => {
        const entry = decoded(wrapped(value, wraps));
        expect(entry.unrecognized).toEqual([]);
        expect(said(entry)).toEqual(said(decoded(JSON.stringify(value))));
      }),
      { numRuns: tries(2000) },
    );
  });

  test.each(['ruby', 'ruby 3.4'])('a line of Rails (%s) with the line end that Docker keeps', (form) => {
    const value = webhook('messages', { messages: [message({ text: { body: 'Olá\n\t"tudo" bem?' } })] });
    const line = fileOf(WRAPS[form]?.(value) ?? null);
    const entry = decoded(JSON.stringify({ log: `${line}\n`, stream: 'stdout' }));
    expect(entry.unrecognized).toEqual([]);
    expect(said(entry)).toEqual(said(decoded(JSON.stringify(value))));
  });
});
