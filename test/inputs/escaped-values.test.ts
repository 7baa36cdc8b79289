import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { message, only, webhook } from '../decode/meta-builders.js';
import { python } from '../decode/wrap.js';
import { after, fileWith, firstProblem, read, readText } from './support.js';

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
    expect(await textsOf([PATH, LINES])).toEqual([PATH, LINES]);
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

describe('rows of one column, as COPY … TO STDOUT writes them', () => {
  const rows = (bodies: readonly string[]): string => bodies.map((body) => `${doubled(body)}\n`).join('');
  const ASCII = LINES.replace('Oi', 'informa\\u00e7\\u00e3o');
  const INCHES = raw('tela de 5"');

  test('one that is JSON either way is told by the one before it, and by the one after it', async () => {
    for (const bodies of [
      [QUOTED, ASCII],
      [ASCII, QUOTED],
      [ASCII, LINES, QUOTED, PATH, ASCII],
    ]) {
      const { texts, problems } = await readText(rows(bodies));

      expect(problems).toEqual([]);
      expect(texts).toEqual(bodies);
    }
  });

  test('a quote alone in the first row makes it no value over several lines', async () => {
    const { texts, problems } = await readText(rows([INCHES, ASCII, INCHES]));

    expect(problems).toEqual([]);
    expect(texts).toEqual([INCHES, ASCII, INCHES]);
  });

  test('one that nothing tells is read as it is, and reported', async () => {
    const result = await readText(rows([ASCII]));

    expect(result.texts).toEqual([doubled(ASCII)]);
    expect(result.problems).toEqual(['ambiguous_escapes log:1']);
    expect(firstProblem(result)).toContain('copy … to stdout (format csv, header)');
  });

  test('between rows and JSON as it was, it is reported', async () => {
    const { texts, problems } = await readText(`${QUOTED}\n${rows([ASCII, QUOTED, ASCII])}${QUOTED}\n`);

    expect(texts).toEqual([QUOTED, doubled(ASCII), QUOTED, doubled(ASCII), QUOTED]);
    expect(problems).toEqual(['ambiguous_escapes log:2', 'ambiguous_escapes log:4']);
  });

  test('a backslash that a person wrote stays one in NDJSON', async () => {
    const { texts, problems } = await readText(`${PATH}\n${LINES}\n${PATH}\n`);

    expect(problems).toEqual([]);
    expect(texts).toEqual([PATH, LINES, PATH]);
  });

  test('what is too far away tells nothing, wherever a run resumes', async () => {
    const plain = `${raw('x'.repeat(500_000))}\n`;
    const log = `${rows([QUOTED])}${plain.repeat(17)}${rows([ASCII])}${plain.repeat(17)}${rows([QUOTED])}`;
    const file = await fileWith(log);
    const { items, seen, problems } = await read(file);
    const rest = await read(file, { resume: after(items[3]) });

    expect(problems).toEqual(['ambiguous_escapes log:19']);
    expect(rest.seen).toEqual(seen.slice(4));
  });
});

describe('a COPY block among other lines', () => {
  const HEADER = 'COPY public.hooks (id, payload) FROM stdin;';
  const ofCopy = (bodies: readonly string[]): string[] => bodies.map((body, i) => `${i}\t${doubled(body)}`);
  const docker = (body: string): string =>
    JSON.stringify({ log: `${body}\n`, stream: 'stdout', time: '2026-09-21T11:13:20.600Z' });
  const BEFORE: Record<string, (body: string) => string> = {
    NDJSON: (body) => body,
    'a console log': (body) => `2026-09-21 11:13:20 INFO hook ${body}`,
    'Docker json-file': docker,
  };

  test.each(Object.entries(BEFORE))('%s: its rows are read without their escapes', async (_, write) => {
    const block = [HEADER, ...ofCopy([PATH, LINES]), '\\.'];
    const lines = [write(SLASH), write(LINES), ...block, write(PATH), write(LINES)];

    expect(await bodiesIn(lines)).toEqual([
      'preço \\ barra',
      'Oi\nsegunda linha',
      'C:\\temp',
      'Oi\nsegunda linha',
      'C:\\temp',
      'Oi\nsegunda linha',
    ]);
  });

  test('a statement that a program printed takes no line with it', async () => {
    expect(await textsOf([LINES, 'COPY public.hooks (payload) FROM stdin;', QUOTED, LINES])).toEqual([
      LINES,
      QUOTED,
      LINES,
    ]);
  });

  test('any resume point gives the same entries', async () => {
    const lines = [SLASH, LINES, HEADER, ...ofCopy([PATH, LINES, QUOTED]), '\\.', PATH, LINES];
    const file = await fileWith(`${lines.join('\n')}\n`);
    const { items, seen } = await read(file);
    for (const [i, item] of items.entries()) {
      const rest = await read(file, { chunkBytes: 7, resume: after(item) });

      expect(rest.seen).toEqual(seen.slice(i + 1));
    }
  });
});
