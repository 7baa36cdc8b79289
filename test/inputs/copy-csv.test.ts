import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, fileWith, read, readText, type Seen, expectResumed } from './support.js';
import { tries } from '../support/seed.js';

function utf8({ text = '' }: Seen): string {
  return Buffer.from(text, 'latin1').toString();
}

/** A cell as PostgreSQL writes it. */
function quoted(text: string, quote = '"', escape = quote): string {
  const escaped = Array.from(text, (byte) => (byte === quote || byte === escape ? escape + byte : byte));
  return `${quote}${escaped.join('')}${quote}`;
}

const hex = (text: string): string => `\\x${Buffer.from(text).toString('hex')}`;

const TEXTS = [
  `it's "quoted"; with, commas\tand \\ backslashes \\" \\\\ \\N`,
  'lines\n\\.\nand \r\n more',
  '',
  'ção 🚲 | ~',
];

const bodies = fc.array(
  fc.record({
    object: fc.constant('whatsapp_business_account'),
    text: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.constantFrom(...TEXTS)),
  }),
  { minLength: 1, maxLength: 4 },
);

/** How a statement is written, and its rows. */
const FORMS: Record<string, (texts: string[]) => string> = {
  'FORMAT csv': (texts) =>
    `COPY public.hooks (id, payload, created_at, note) FROM stdin WITH (FORMAT csv);\n${texts
      .map((text, i) => `${i},${quoted(text)},2025-09-16 05:00:00+00,\n`)
      .join('')}\\.\n`,
  'HEADER and a semicolon, the columns named by the header': (texts) =>
    `COPY hooks FROM stdin WITH (FORMAT 'csv', HEADER true, DELIMITER ';', NULL 'none', FORCE_NOT_NULL (id, csv));\n` +
    `id;payload;note\n${texts.map((text, i) => `${i};${quoted(text)};none\n`).join('')}\\.\n`,
  'CSV of before version 9': (texts) =>
    `copy hooks (payload, id) from stdin with delimiter as E'\\t' csv header quote as '''' escape as E'\\\\' null as '-';\n` +
    `payload\tid\n${texts.map((text, i) => `${quoted(text, "'", '\\')}\t${i}\n`).join('')}\\.\n`,
  ESCAPE: (texts) =>
    `COPY hooks (id, payload) FROM stdin (FORMAT CSV, QUOTE '"', ESCAPE '\\', HEADER false);\r\n${texts
      .map((text, i) => `${i},${quoted(text, '"', '\\')}\r\n`)
      .join('')}\\.\r\n`,
  'a bytea, quotes around every cell': (texts) =>
    `COPY hooks (id, raw) FROM stdin CSV FORCE QUOTE id;\n${texts
      .map((text, i) => `"${i}",${i % 2 === 0 ? hex(text) : `"${hex(text)}"`}\n`)
      .join('')}\\.\n`,
};

describe.each(Object.entries(FORMS))('COPY as CSV: %s', (_, block) => {
  test('gives the entries of the plain log, however it is read', async () => {
    await fc.assert(
      fc.asyncProperty(
        bodies,
        fc.boolean(),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        async (values, isPacked, chunkBytes, point) => {
          const compact = values.map((value) => JSON.stringify(value));
          const pretty = values.map((value) => JSON.stringify(value, null, 2));
          const escaped = compact.map((text) => text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t'));
          const dump =
            `SET x = 1;\nCOPY users (id, name) FROM stdin CSV;\n1,"Ana\nSouza"\n\\.\n\n${block(compact)}\n` +
            `COPY hooks (id, payload) FROM stdin;\n${escaped.map((text) => `1\t${text}\n`).join('')}\\.\n` +
            `${block(pretty)}INSERT INTO hooks VALUES (1, '{"object":"whatsapp_business_account"}');\n`;
          const file = await fileWith(isPacked ? gzipSync(dump) : dump);
          const { items, seen, problems } = await read(file);
          expect(problems).toEqual([]);
          const plain = await readText(compact.map((text) => `${text}\n`).join(''));
          expect(seen.map(utf8)).toEqual([
            ...plain.seen.map(utf8),
            ...plain.seen.map(utf8),
            ...pretty,
            '{"object":"whatsapp_business_account"}',
          ]);
          expect((await read(file, { chunkBytes })).items).toEqual(items);
          await expectResumed(file, { items, seen }, point, { chunkBytes });
        },
      ),
      { numRuns: tries(20) },
    );
  });
});

const BODY = '{"object":"whatsapp_business_account","text":"a \\"b\\" \\\\ c"}';
const PRETTY = JSON.stringify(JSON.parse(BODY), null, 2);
const HEAD =
  'COPY hooks (id, payload, created_at) FROM stdin WITH (FORMAT csv, HEADER);\nid,payload,created_at\n';
const ROWS = `1,${quoted(PRETTY)},2025-09-16 05:00:00+00\n2,,\n3,${quoted(BODY)},2025-09-16 05:00:01+00\n`;
const SEEN = [
  { at: 'log:3[0]', text: PRETTY, receivedAt: '2025-09-16T05:00:00.000Z' },
  { at: 'log:8[2]', text: BODY, receivedAt: '2025-09-16T05:00:01.000Z' },
];

test('a row is named by its first line and its place, with its time', async () => {
  const { seen, source } = await readText(`${HEAD}${ROWS}\\.\n`);
  expect(seen).toEqual(SEEN);
  expect(source.skippedLines()).toBe(1);
});

test('a dump that is cut anywhere gives its whole rows, says so inside a row, and goes on once it has grown', async () => {
  const whole = `${HEAD}${ROWS}\\.\n`;
  for (let length = HEAD.length; length < whole.length; length++) {
    const { seen, items } = await readText(whole.slice(0, length));
    const rows = seen.filter(({ text }) => text !== undefined);
    expect(rows).toEqual(SEEN.slice(0, rows.length));
    const isAtLine = whole[length - 1] === '\n' || length === whole.length - 1;
    if (seen.length === rows.length && rows.length < 2) expect(isAtLine || length === HEAD.length).toBe(true);
    const last = items.at(-1);
    if (last?.after === undefined || seen.at(-1)?.problem === 'no_log_entries') continue;
    const rest = await readText(whole, { resume: last.after });
    expect(rest.seen).toEqual(SEEN.slice(rows.length));
  }
});

test('a block of CSV among the lines of a log is read as one; without its end it leaves the lines of the log alone', async () => {
  const line = `{"object":"whatsapp_business_account","text":"\\n"}`;
  const log = `${line}\n${HEAD}${ROWS}`;
  const expected = [line, PRETTY, BODY, line];
  expect((await readText(`${log}\\.\n${line}\n`)).texts).toEqual(expected);
  expect((await readText(`${log}${line}\n`)).texts).toEqual(expected);
});

test('a cell over the limit is reported and the rows after it are read', async () => {
  const large = JSON.stringify({ object: 'whatsapp_business_account', text: '"'.repeat(400) });
  const file = await fileWith(`${HEAD}1,${quoted(large)},\n2,${quoted(BODY)},\n\\.\n`);
  const options = { maxEntryBytes: 200 };
  const { items, problems, texts } = await read(file, options);
  expect(problems).toEqual(['entry_too_large log:3[0]']);
  expect(texts).toEqual([BODY]);
  expect((await read(file, { ...options, chunkBytes: 3 })).items).toEqual(items);
});

const FRAGMENTS = [
  'COPY hooks (id, payload) FROM stdin CSV;\n',
  'COPY hooks (id, payload) FROM stdin;\n',
  `1,${quoted(BODY)}\n`,
  `1\t{"object":"whatsapp_business_account"}\n`,
  '\\.\n',
  '\\.',
  '\\',
  '"',
  ',',
  '\n',
  '\r\n',
  "'",
  '\\x7b22',
];

test('no such dump, however broken, depends on the cutting into chunks or on a resume point', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 30 }),
      fc.integer({ min: 1, max: 40 }),
      fc.nat(),
      async (fragments, chunkBytes, point) => {
        const file = await fileWith(`-- PostgreSQL database dump\n${fragments.join('')}`);
        const limits = { maxEntryBytes: 100 };
        const { items, seen } = await read(file, limits);
        expect((await read(file, { ...limits, chunkBytes })).items).toEqual(items);
        const resumeAt = point % items.length;
        const rest = await read(file, { ...limits, chunkBytes, resume: after(items[resumeAt]) });
        const again = seen[resumeAt]?.problem === 'truncated_input' ? resumeAt : resumeAt + 1;
        expect(rest.seen).toEqual(rest.seen.length === 0 ? [] : seen.slice(again));
        if (rest.seen.length === 0) expect(again).toBeGreaterThanOrEqual(seen.length - 1);
      },
    ),
    { numRuns: tries(200) },
  );
});
