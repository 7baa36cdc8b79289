import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { message, only, webhook } from '../decode/meta-builders.js';
import { python } from '../decode/wrap.js';
import { fileWith, read } from './support.js';

/** A log in which programs escaped the bodies once more: what it gives is what Meta sent. */

const raw = (body: string): string =>
  JSON.stringify(webhook('messages', { messages: [message({ text: { body } })] }));

const LINES = raw('Oi\nsegunda linha');
const SLASH = raw('preço \\ barra');
const QUOTED = raw('diz "sim" {\nok');
const PATH = raw('C:\\temp');
const ALL = [LINES, SLASH, QUOTED, PATH];

const doubled = (text: string): string => text.replaceAll('\\', '\\\\');
const phpText = (text: string): string => `'${doubled(text).replaceAll("'", "\\'")}'`;

async function textsOf(lines: readonly string[]): Promise<string[]> {
  const { items, problems } = await read(await fileWith(`${lines.join('\n')}\n`));
  expect(problems).toEqual([]);
  return items.flatMap((item) => (item.kind === 'entry' ? Buffer.from(item.entry.bytes).toString() : []));
}

async function bodiesIn(lines: readonly string[]): Promise<(string | undefined)[]> {
  return (await textsOf(lines)).flatMap((text) => {
    const decoded = decodeEntry(Buffer.from(text), { include: new Set() });
    if (decoded.kind === 'invalid') return [];
    return decoded.entry.sections.flatMap(({ facts }) => only('message', facts).map(({ body }) => body));
  });
}

/** The file of some bodies in each of the forms that escape backslashes. */
const FORMS: Record<string, (bodies: readonly string[]) => string[]> = {
  'mysql -B': (bodies) => ['id\tpayload', ...bodies.map((body, i) => `${i}\t${doubled(body)}`)],
  '\\copy … to': (bodies) => bodies.map((body, i) => `${i}\t${doubled(body)}\t\\N`),
  'inspect of Node': (bodies) => bodies.map((body) => `webhook received ${inspect(body)}`),
  '%r of Python': (bodies) => bodies.map((body) => `INFO body=${python(body)}`),
  'var_export of PHP': (bodies) => bodies.map((body) => `webhook: ${phpText(body)}`),
};

describe('a layer of escapes around JSON', () => {
  describe.each(Object.entries(FORMS))('%s', (_, write) => {
    test('is taken off every body of a file', async () => {
      const texts = await textsOf(write(ALL));

      expect(texts.map((text) => text.trim())).toEqual(ALL);
    });

    test.each(ALL)('is taken off where the file has one body: %#', async (body) => {
      const texts = await textsOf(write([body]));

      expect(texts.map((text) => text.trim())).toEqual([body]);
    });
  });

  test('is not there where the file shows JSON as it was', async () => {
    const around = (before: string, after: string) => ALL.map((body) => `${before}${body}${after}`);

    expect(await textsOf(around('INFO body=', ''))).toEqual(ALL);
    expect(await textsOf(around("INFO body='", "'"))).toEqual(ALL);
    expect(await textsOf(around('7\t', '\tok'))).toEqual(ALL);
    expect(await textsOf(['id\tpayload', ...around('7\t', '')])).toEqual(ALL);
    expect(await textsOf(ALL)).toEqual(ALL);
  });

  test('is not there in JSON, in a text of JSON, and in forms that escape nothing', async () => {
    expect(await textsOf([PATH])).toEqual([PATH]);
    expect(await textsOf([`INFO ${PATH}`])).toEqual([PATH]);
    expect(await textsOf([`2026-09-21T11:13:20.600Z\tINFO\twebhook\t${PATH}`])).toEqual([PATH]);
    expect(await textsOf(['id,payload', `1,"${PATH.replaceAll('"', '""')}"`])).toEqual([PATH]);
    expect(await bodiesIn([JSON.stringify({ body: PATH })])).toEqual(['C:\\temp']);
    expect(await bodiesIn([JSON.stringify(PATH)])).toEqual(['C:\\temp']);
    expect(await bodiesIn([`LOG:  execute: insert DETAIL:  parameters: $1 = '${PATH}'`])).toEqual([
      'C:\\temp',
    ]);
  });

  test('is taken off beside a signature, and inside a line of a logger', async () => {
    const signed = `INFO signature=sha256=${'0'.repeat(64)} body='${doubled(LINES)}'`;
    const copied = `7\tsha256=${'0'.repeat(64)}\t${doubled(LINES)}`;
    const inLogger = JSON.stringify({ level: 30, msg: `body='${doubled(LINES)}'` });

    expect(await bodiesIn([signed, copied, inLogger])).toEqual(Array(3).fill('Oi\nsegunda linha'));
  });

  test('what Python escapes because nobody can see it proves nothing', async () => {
    const family = raw('olá\n👨‍👩‍👧');
    const written = doubled(family).replaceAll('\u200d', '\\u200d');

    expect(await textsOf([`INFO body='${written}'`])).toEqual([family]);
  });
});
