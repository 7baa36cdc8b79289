import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { itemAt } from '../../src/decode/item-at.js';
import { decode, message, only, wamid, webhook } from '../decode/meta-builders.js';
import { after, fileWith, read, readText } from './support.js';

const TEXT = 'parte '.repeat(40);
const BODY = JSON.stringify(webhook('messages', { messages: [message({ text: { body: TEXT } })] }));
const OTHER = JSON.stringify(
  webhook('messages', { messages: [message({ id: wamid('A2'), text: { body: 'oi' } })] }),
);

interface LogEntry {
  insertId: string;
  logName: string;
  timestamp: string;
  textPayload?: string;
  jsonPayload?: unknown;
  split?: { uid: string; index?: number; totalSplits: number };
}

const COMMON = { logName: 'projects/p/logs/run', timestamp: '2026-09-21T11:13:20.600Z' };

/** The LogEntries of a text that Google Cloud cut into `total` parts. */
function entriesOf(text: string, total: number, uid = 'u1', isJson = false): LogEntry[] {
  const size = Math.ceil(text.length / total);
  return Array.from({ length: total }, (_, index) => {
    const part = text.slice(index * size, (index + 1) * size);
    const payload = isJson ? { jsonPayload: { level: 'info', message: part } } : { textPayload: part };
    // Protocol buffers leave a zero out.
    const split = index === 0 ? { uid, totalSplits: total } : { uid, index, totalSplits: total };
    return { insertId: `${uid}-${index}`, ...COMMON, ...payload, ...(total > 1 ? { split } : {}) };
  });
}

const lines = (entries: readonly LogEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

/** What the entries of a log bring. */
async function reading(file: string): Promise<{ bodies: (string | null | undefined)[]; reasons: string[] }> {
  const entries = (await readText(file)).texts.map((text) => decode(text));
  return {
    bodies: entries.flatMap(({ sections }) =>
      sections.flatMap(({ facts }) => only('message', facts).map(({ body }) => body)),
    ),
    reasons: entries.flatMap(({ unrecognized }) => unrecognized.map(({ reason }) => reason)),
  };
}

describe('a LogEntry that Google Cloud split is one entry', () => {
  const [whole] = entriesOf(OTHER, 1);
  test.each<[string, LogEntry[]]>([
    ['one after the other', entriesOf(BODY, 3)],
    ['the newest first', entriesOf(BODY, 3).reverse()],
    ['behind words', entriesOf(`webhook: ${BODY}`, 3)],
    ['in a field of JSON', entriesOf(BODY, 3, 'u1', true)],
  ])('%s', async (_what, parts) => {
    for (const others of [[], whole === undefined ? [] : [whole]]) {
      const entries = parts.flatMap((part) => [...others, part]);
      for (const file of [lines(entries), JSON.stringify(entries, null, 2)]) {
        const { bodies, reasons } = await reading(file);
        expect(bodies.filter((body) => body !== 'oi')).toEqual([TEXT]);
        expect(bodies.filter((body) => body === 'oi')).toHaveLength(3 * others.length);
        expect(reasons).toEqual([]);
      }
    }
  });

  test('several between each other, and a part that came twice', async () => {
    const a = entriesOf(BODY, 3, 'a');
    const b = entriesOf(OTHER, 3, 'b');
    const mixed = a.flatMap((part, i) => [part, ...b.slice(i, i + 1), ...a.slice(0, i === 1 ? 1 : 0)]);
    expect(await reading(lines(mixed))).toEqual({ bodies: [TEXT, 'oi'], reasons: [] });
  });

  test('its paths lead into it', () => {
    const entry = Buffer.from(JSON.stringify(entriesOf(BODY, 3)));
    const [section] = decode(entry.toString()).sections;
    expect(section?.via).toEqual(['split', 'gcp_logging', 'json_string']);
    expect(itemAt(entry, section?.path ?? '')).toBeDefined();
  });

  test('without all of its parts it says which are missing, and nothing in it is read', async () => {
    const holding = JSON.stringify(webhook('messages', { messages: [message({ text: { body: OTHER } })] }));
    for (const missing of [[0], [1], [2], [0, 2]]) {
      const parts = entriesOf(holding, 3).filter((_, i) => !missing.includes(i));
      const numbers = missing.map((index) => index + 1).join(', ');
      expect(await reading(lines([...entriesOf(OTHER, 1), ...parts]))).toEqual({
        bodies: ['oi'],
        reasons: [`missing_part:${numbers} of 3`],
      });
    }
  });

  test('a body with such a member is a body, and lines of a program are no loss', async () => {
    const body = JSON.stringify({ ...webhook('messages', { messages: [message({})] }), split: { uid: 'x' } });
    const [, ...rest] = entriesOf('just a very long line '.repeat(20), 2);
    const [first] = entriesOf('just a very long line '.repeat(20), 2);
    expect((await reading(`${body.replace('"x"', '"x","index":0,"totalSplits":2')}\n`)).bodies).toHaveLength(
      1,
    );
    expect((await reading(lines(rest))).reasons).toEqual(['missing_part:1 of 2']);
    expect((await reading(lines(first === undefined ? [] : [first]))).reasons).not.toContain(
      'missing_part:2 of 2',
    );
  });
});

test('any order, cutting into chunks and resume point give the same entries', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { minLength: 24, maxLength: 24 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 400 }),
      async (totals, order, isArray, isCut, chunkBytes) => {
        const parts = totals.flatMap((total, i) => entriesOf(BODY.replace(TEXT, `n${i}`), total, `u${i}`));
        const places = new Map(parts.map((part, i) => [part, order[i] ?? 0]));
        parts.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
        if (isCut && parts.length > 1) parts.pop();
        const file = await fileWith(isArray ? JSON.stringify(parts, null, 1) : lines(parts));
        const { items, seen } = await read(file, { chunkBytes });
        const uids = seen.map(({ text = '' }) => /"(u\d)-/.exec(text)?.[1]);
        expect(new Set(uids)).toEqual(new Set(parts.map(({ insertId }) => insertId.slice(0, 2))));
        expect(uids).toHaveLength(new Set(uids).size);
        const isWhole = (text = ''): boolean => decode(text).unrecognized.length === 0;
        for (const [i, item] of items.entries()) {
          // What the end of the file left without its parts comes again.
          if (!isWhole(seen[i]?.text)) continue;
          expect((await read(file, { chunkBytes, resume: after(item) })).seen).toEqual(seen.slice(i + 1));
        }
      },
    ),
    { numRuns: 60 },
  );
});
