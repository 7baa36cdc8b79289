import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findEntryList } from '../../src/inputs/wrapped-values.js';
import { after, fileWith, read, readText, type Seen, expectResumed } from './support.js';
import { tries } from '../support/seed.js';

/** Small enough for a test; the limit of an entry is also that from which a value is looked into. */
const LIMIT = { maxEntryBytes: 300 };

/** Room for what stands before the first element of an answer that is pretty-printed. */
const WIDE = { maxEntryBytes: 1500 };

const hit = fc.record({
  _index: fc.constant('hooks'),
  _source: fc.record({
    object: fc.constant('whatsapp_business_account'),
    text: fc.string({ unit: 'grapheme', maxLength: 10 }),
  }),
});

function utf8({ text = '' }: Seen): string {
  return Buffer.from(text, 'latin1').toString();
}

/** How the hits are wrapped, and with what before and after them. */
const WRAPPERS: Record<string, (hits: unknown[]) => unknown> = {
  elasticsearch: (hits) => ({
    took: 3,
    _shards: { total: 5, failures: [] },
    hits: { total: { value: hits.length }, max_score: null, hits },
    aggregations: { days: { buckets: [{ key: 1, doc_count: 2 }] } },
  }),
  har: (hits) => ({ log: { version: '1.2', pages: [{ id: 'page_1' }], entries: hits, comment: ']},' } }),
  'a list in a list': (hits) => ({
    status: 'success',
    data: {
      result: [
        { stream: { app: 'a"]' }, values: hits },
        { stream: {}, values: hits },
      ],
    },
  }),
};

test.each(Object.entries(WRAPPERS))(
  'a large %s gives its elements, however it is read',
  async (name, wrap) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(hit, { minLength: 30, maxLength: 40 }),
        fc.constantFrom(0, 2),
        fc.boolean(),
        fc.integer({ min: 1, max: 700 }),
        fc.nat(),
        async (hits, indent, isLine, chunkBytes, point) => {
          // Between lines of NDJSON a value is one line.
          const between = isLine && indent === 0;
          const small = '{"a":1}';
          const large = JSON.stringify(wrap(hits), null, indent);
          const file = await fileWith(between ? `${small}\n${large}\n${small}\n` : large);
          const { items, seen, problems } = await read(file, WIDE);
          expect(problems).toEqual([]);
          const expected = [...hits, ...(name === 'a list in a list' ? hits : [])].map((one) =>
            JSON.stringify(one),
          );
          expect(seen.map((entry) => JSON.stringify(JSON.parse(utf8(entry))))).toEqual(
            between ? [small, ...expected, small] : expected,
          );
          expect((await read(file, { ...WIDE, chunkBytes })).items).toEqual(items);
          await expectResumed(file, { items, seen }, point, { ...WIDE, chunkBytes });
        },
      ),
      { numRuns: tries(12) },
    );
  },
);

test.each([3, 30, 60, 90, 120, 140])('a list is found wherever in a body its beginning ends (%i)', (cut) => {
  const one = {
    _source: { object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field: 'messages' }] }] },
  };
  const text = JSON.stringify({ hits: { hits: [one, one, one] } });
  expect(findEntryList(Buffer.from(text.slice(0, text.length - cut)))).toEqual(['hits', 'hits']);
});

test('an element is named by its line and its place in the list', async () => {
  const { seen } = await readText(
    JSON.stringify({ n: 1, rows: Array.from({ length: 30 }, (_, i) => ({ number: i })) }, null, 1),
    LIMIT,
  );
  expect(seen[0]?.at).toBe('log:4[0]');
  expect(seen[29]?.at).toBe('log:91[29]');
});

test("Loki's lines have their own time", async () => {
  const values = Array.from({ length: 12 }, (_, i) => [
    `175799880012${String(i).padStart(2, '0')}56789`,
    '{"a":"b"}',
  ]);
  const { seen } = await readText(JSON.stringify({ data: { result: [{ stream: {}, values }] } }), LIMIT);
  expect(seen).toHaveLength(12);
  expect(seen[3]?.receivedAt).toBe('2025-09-16T05:00:00.120Z');
});

test('a value that fits is an entry as a whole', async () => {
  const text = JSON.stringify({ hits: { hits: [{ a: 1 }, { a: 2 }] } });
  expect((await readText(text, LIMIT)).texts).toEqual([text]);
});

const messages = Array.from({ length: 40 }, (_, i) => ({
  key: { id: String(i) },
  message: { conversation: 'x' },
}));

test.each([
  ['a body of Meta', { object: 'whatsapp_business_account', entry: [{ id: '1' }, { id: '2' }] }],
  ['a body of Meta in a row', { id: 1, payload: { object: 'x', entry: [{ id: '1' }, { id: '2' }] } }],
  ['an event of Evolution', { event: 'messages.set', instance: 'a', data: messages }],
  ['a history of Baileys', { chats: [], contacts: [], messages }],
  ['a value without a list', { a: { b: 'x'.repeat(100) } }],
])('%s is never split', (_, value) => {
  const text = JSON.stringify(value);
  expect(findEntryList(Buffer.from(text.slice(0, -4)))).toBeUndefined();
});

test('a list that is cut says so, and goes on there once the file has grown', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({ number: i, text: 'abc' }));
  const text = JSON.stringify({ n: 1, rows });
  const cut = text.indexOf('{"number":25');
  const { items, problems, seen } = await readText(text.slice(0, cut), LIMIT);
  expect(seen).toHaveLength(26);
  expect(problems).toEqual(['truncated_input log:1']);
  const grown = await readText(text, { ...LIMIT, resume: after(items[25]) });
  expect(grown.texts.map((one) => one)).toEqual(rows.slice(25).map((row) => JSON.stringify(row)));
  const inside = await readText(text.slice(0, cut + 5), LIMIT);
  expect(inside.texts.at(-1)).toBe('{"num');
  const again = await readText(text, { ...LIMIT, resume: after(inside.items.at(-1)) });
  expect(again.texts[0]).toBe(JSON.stringify(rows[25]));
});

test('a large line that is cut costs the next line nothing', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({ number: i, text: 'abc' }));
  const text = JSON.stringify({ n: 1, rows });
  const { texts, problems } = await readText(`${text.slice(0, 500)}\n{"b":1}\n`, LIMIT);
  expect(texts.at(-1)).toBe('{"b":1}');
  expect(texts.length + problems.length).toBeGreaterThan(14);
});
