import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, fileWith, read, readText, type Seen, expectResumed } from './support.js';
import { tries } from '../support/seed.js';

function utf8({ text = '' }: Seen): string {
  return Buffer.from(text, 'latin1').toString();
}

const body = fc.record({
  object: fc.constant('whatsapp_business_account'),
  text: fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom(`it's a "\\" 100% \t\n'' \\N; (x), ção`),
  ),
});

function copyEscaped(text: string): string {
  const escapes = new Map([
    ['\\', '\\\\'],
    ['\n', '\\n'],
    ['\t', '\\t'],
    ['\r', '\\r'],
    ['\b', '\\b'],
    ['\f', '\\f'],
    ['\v', '\\v'],
  ]);
  return Array.from(text, (character) => escapes.get(character) ?? character).join('');
}

function mysqlEscaped(text: string): string {
  const escapes = new Map([
    ['\\', '\\\\'],
    ["'", "\\'"],
    ['"', '\\"'],
    ['\n', '\\n'],
    ['\r', '\\r'],
    ['\0', '\\0'],
    ['\x1a', '\\Z'],
  ]);
  return Array.from(text, (character) => escapes.get(character) ?? character).join('');
}

const DUMPS: Record<string, (bodies: string[]) => string> = {
  'COPY of PostgreSQL': (bodies) =>
    `--\n-- PostgreSQL database dump\n--\nSET x = 1;\nCOPY public.users (id, settings) FROM stdin;\n1\t{"a": 1}\n\\.\n\n` +
    `COPY public.webhooks (id, payload, created_at, note) FROM stdin;\n${bodies
      .map((text, i) => `${i}\t${copyEscaped(text)}\t2025-09-16 05:00:00+00\t\\N\n`)
      .join('')}\\.\n\nSELECT 1;\n`,
  'COPY with a bytea': (bodies) =>
    `COPY hooks (id, raw) FROM stdin;\n${bodies.map((text, i) => `${i}\t\\\\x${Buffer.from(text).toString('hex')}\n`).join('')}\\.\n`,
  'pg_dump --inserts': (bodies) =>
    `-- PostgreSQL database dump\nINSERT INTO public.users VALUES (1, '{"a": (1)}');\n${bodies
      .map(
        (text, i) =>
          `INSERT INTO public.webhooks VALUES (${i}, now(), '${text.replaceAll("'", "''")}', NULL);\n`,
      )
      .join('')}`,
  'pg_dump --rows-per-insert': (bodies) =>
    `-- PostgreSQL database dump\nINSERT INTO public.webhooks (id, payload) VALUES\n${bodies
      .map((text, i) => `\t(${i}, E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}')`)
      .join(',\n')};\n`,
  'a script of SQL Server': (bodies) =>
    `USE [crm]\nGO\nSET IDENTITY_INSERT [dbo].[hooks] ON\nGO\n${bodies
      .map(
        (text, i) =>
          `INSERT [dbo].[hooks] ([id], [at], [payload]) VALUES (${i}, CAST(N'2025-09-16' AS DateTime2), N'${text.replaceAll("'", "''")}')\n${i % 2 === 0 ? 'GO\n' : ''}`,
      )
      .join('')}GO\n`,
  'statements on one line, with a clause after the rows': (bodies) =>
    `INSERT INTO old VALUES (1); ${bodies
      .map(
        (text, i) =>
          `INSERT INTO hooks (id, payload) VALUES (${i}, '${text.replaceAll("'", "''")}') ON CONFLICT (id) DO NOTHING;`,
      )
      .join('\nselect 1; ')}\n`,
  mysqldump: (bodies) =>
    `-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\nINSERT INTO \`users\` VALUES (1,'a;(b'),(2,NULL);\n` +
    `INSERT INTO \`webhook_calls\` VALUES ${bodies.map((text, i) => `(${i},'x',_binary '${mysqlEscaped(text)}','2025-09-16 05:00:00')`).join(',')};\nUNLOCK TABLES;\n`,
  'mysqldump --hex-blob': (bodies) =>
    `INSERT INTO \`hooks\` VALUES ${bodies.map((text, i) => `(${i},0x${Buffer.from(text).toString('hex').toUpperCase()})`).join(',')};\n`,
};

describe.each(Object.entries(DUMPS))('%s', (_, dump) => {
  test('gives the bodies of its rows without the escapes, however it is read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 400 }),
        fc.nat(),
        async (bodies, chunkBytes, point) => {
          const texts = bodies.map((one) => JSON.stringify(one));
          const file = await fileWith(dump(texts));
          const { items, seen, problems } = await read(file);
          expect(problems).toEqual([]);
          expect(seen.map(utf8)).toEqual(texts);
          expect((await read(file, { chunkBytes })).items).toEqual(items);
          await expectResumed(file, { items, seen }, point, { chunkBytes });
        },
      ),
      { numRuns: tries(20) },
    );
  });
});

const BODY = '{"object":"whatsapp_business_account"}';

test('a row is named by its line and its place, with its time', async () => {
  const { seen, source } = await readText(
    `COPY public.hooks (id, payload, created_at) FROM stdin;\n1\t${BODY}\t2025-09-16 05:00:00.5+00\n2\t\\N\t\\N\n3\t${BODY}\t\\N\n\\.\n`,
  );
  expect(seen).toEqual([
    { at: 'log:2[0]', text: BODY, receivedAt: '2025-09-16T05:00:00.500Z' },
    { at: 'log:4[2]', text: BODY },
  ]);
  expect(source.skippedLines()).toBe(1);
});

test('a dump that ends inside a row says so, and goes on there once it has grown', async () => {
  const whole = `INSERT INTO \`hooks\` VALUES (1,'${BODY}'),(2,'${BODY}');\n`;
  const cut = await readText(whole.slice(0, -20));
  expect(cut.texts).toEqual([BODY]);
  expect(cut.problems).toEqual(['truncated_input log:1[1]']);
  expect((await readText(whole, { resume: after(cut.items[1]) })).texts).toEqual([BODY]);
});

test('a dump without a body says that it holds none', async () => {
  const { problems } = await readText(`-- MySQL dump\nINSERT INTO \`users\` VALUES (1,'a');\n`);
  expect(problems).toEqual(['no_log_entries log:1']);
});

const FRAGMENTS = [
  'COPY hooks (id, payload) FROM stdin;\n',
  'INSERT INTO `hooks` VALUES (',
  'insert into hooks values\n(',
  `1,'${BODY}')`,
  `\t${BODY}\n`,
  '\\.\n',
  "'",
  '\\',
  '(',
  ')',
  ',',
  ';',
  '\n',
  '\t',
  '0x7b22',
  "E'",
  'x',
];

test('no dump, however broken, depends on the cutting into chunks or on a resume point', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      async (fragments, chunkBytes, point) => {
        const file = await fileWith(`-- MySQL dump\n${fragments.join('')}`);
        const limits = { maxEntryBytes: 60 };
        const { items, seen } = await read(file, limits);
        expect((await read(file, { ...limits, chunkBytes })).items).toEqual(items);
        const resumeAt = point % items.length;
        const rest = await read(file, { ...limits, chunkBytes, resume: after(items[resumeAt]) });
        // A row that the end of the file cut off is told again: the file may have grown.
        const again = seen[resumeAt]?.problem === 'truncated_input' ? resumeAt : resumeAt + 1;
        expect(rest.seen).toEqual(rest.seen.length === 0 ? [] : seen.slice(again));
        if (rest.seen.length === 0) expect(again).toBeGreaterThanOrEqual(seen.length - 1);
      },
    ),
    { numRuns: tries(300) },
  );
});
