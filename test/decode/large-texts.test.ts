import { expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { findEntry } from '../../src/inputs/console-line.js';
import { hasMarkedBytes } from '../../src/inputs/markers.js';
import { cpuMs } from '../support/cpu-time.js';
import { decode, message, only, webhook } from './meta-builders.js';

/** Runs of one kind of character, in which a pattern that looks on from each of them takes for ever or overflows the stack. */
const RUNS: Record<string, string> = {
  letters: 'abcdefgh',
  words: 'ab cd ',
  digits: '1234567890',
  base64: 'aGVsbG8gd29ybGQ+/',
  'letters and dashes': 'a-',
  backslashes: '\\',
  'escaped quotes': '\\"',
  'escaped bytes': '\\x41',
  'escaped units': '\\u0041',
  quotes: '"',
  apostrophes: "'",
  'pairs of quotes': '","',
  spaces: ' ',
  'opening braces': '{',
  'opening brackets': '[',
  'closing brackets': ']',
  'empty objects': '{}',
  'beginnings of objects': '{"a',
  'beginnings of hashes': '{"a"=>',
  'beginnings of maps': '{a:',
  'doubled beginnings of objects': '{""',
  'escaped beginnings of objects': '{\\"',
  'hexadecimal beginnings of objects': '{\\x22',
  buffers: '<Buffer 7b ',
  'words of base64': `${'QUJD'.repeat(12)} `,
  percent: '%',
  'percent braces': '%7B',
  entities: '&#',
  'quotes as entities': '{&quot;',
  fields: 'a="b" ',
  'open fields': 'a="',
  equals: '=',
  bytes: '12,',
  'lists of bytes': '[1,2,',
  colors: '\x1b[1m',
  'colors without an end': '\x1b[3',
  arrows: '> ',
  headers: 'x-hub-signature-256:',
  signatures: 'sha256=',
  'maps of Go': 'map[a:',
};

/** Where such a run can stand. */
const PLACES: readonly ((run: string) => string)[] = [
  (run) => JSON.stringify({ payload: run, message: `messaging_product ${run.slice(0, 50_000)}` }),
  (run) => run,
  (run) => `time=1 key="${run}"`,
  (run) => `2026-09-21 INFO whatsapp_business_account {"a":1} ${run}`,
];

const SIZE = 200_000;

test.each(Object.entries(RUNS))('%s without an end are read in time', (_name, unit) => {
  const run = unit.repeat(Math.ceil(SIZE / unit.length));
  const ms = cpuMs(() => {
    for (const place of PLACES) {
      const bytes = Buffer.from(place(run));
      findEntry(bytes);
      hasMarkedBytes(bytes);
      decodeEntry(bytes, { include: new Set() });
    }
  });
  // What grows with the square of the size takes ten times as long, and more.
  expect(ms).toBeLessThan(1_500);
});

test('a text of many megabytes overflows no stack', () => {
  for (const unit of ['a', '\\"', '{"a"=>"', '%41', 'a="b', '12,', '\\x41']) {
    const run = unit.repeat(Math.ceil(4_000_000 / unit.length));
    expect(() => decodeEntry(Buffer.from(`key="${run}"`), { include: new Set() })).not.toThrow();
  }
});

test('a webhook is read beside a file of 9 MB in base64', () => {
  const file = 'A'.repeat(9_000_000);
  const body = webhook('messages', { messages: [message()] });
  const messages = decode({ json: { body }, binary: { data: { data: `/9j/${file}` } } }).sections.flatMap(
    ({ facts }) => only('message', facts),
  );
  expect(messages).toHaveLength(1);
  expect(decode({ x: file }).unrecognized).toHaveLength(1);
});
