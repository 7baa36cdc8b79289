import { describe, expect, test } from 'vitest';
import { itemAt } from '../../src/decode/item-at.js';
import { decode, message, only, webhook } from '../decode/meta-builders.js';
import { BODY, entriesOf, lines, type LogEntry, OTHER, TEXT } from './google-entries.js';
import { readText } from './support.js';

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
