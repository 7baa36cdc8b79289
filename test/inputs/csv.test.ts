import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { after, firstProblem, readText } from './support.js';
import { tries } from '../support/seed.js';

const BODY = '{"object":"whatsapp","text":"a, b; \\"c\\""}';
const WEBHOOK = '{"object":"whatsapp_business_account","entry":[{"id":"1"}]}';

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

test('the JSON cell of each row is an entry, with its physical line, its row and its time', async () => {
  const pretty = JSON.stringify(JSON.parse(BODY), null, 2);
  const { seen, problems } = await readText(
    [
      'id,payload,created_at',
      `1,${quoted(BODY)},2025-09-16 05:00:00+00`,
      `2,${quoted(pretty)},2025-09-16T05:00:00.5-03:00`,
      `3,${quoted(BODY)},1758000000`,
      `4,${quoted(BODY)},1758000000123`,
      `5,${quoted(BODY)},yesterday`,
      '',
    ].join('\n'),
  );
  expect(seen).toEqual([
    { at: 'log:2[0]', text: BODY, receivedAt: '2025-09-16T05:00:00.000Z' },
    { at: 'log:3[1]', text: pretty, receivedAt: '2025-09-16T08:00:00.500Z' },
    { at: 'log:7[2]', text: BODY, receivedAt: '2025-09-16T05:20:00.000Z' },
    { at: 'log:8[3]', text: BODY, receivedAt: '2025-09-16T05:20:00.123Z' },
    { at: 'log:9[4]', text: BODY },
  ]);
  expect(problems).toEqual([]);
});

test.each([
  ['words before the body', 'created_at,message', `body: ${WEBHOOK}`],
  ['a console line of CloudWatch', '@timestamp,@message', `2025-09-16T05:00:00Z\tid\tINFO\t${WEBHOOK}`],
  ['what PHP serialized', 'time,payload', `a:1:{s:4:"body";s:${WEBHOOK.length}:"${WEBHOOK}";}`],
  ['Python’s notation', 'time,payload', "{'object': 'whatsapp_business_account', 'entry': []}"],
])('a column with %s holds entries', async (_what, header, cell) => {
  const { seen, problems } = await readText(
    `${header}\n2025-09-16T05:00:00Z,${quoted(cell)}\n2025-09-16T05:00:01Z,${quoted(cell)}\n`,
  );
  expect(seen).toEqual([
    { at: 'log:2[0]', text: cell, receivedAt: '2025-09-16T05:00:00.000Z' },
    { at: 'log:3[1]', text: cell, receivedAt: '2025-09-16T05:00:01.000Z' },
  ]);
  expect(problems).toEqual([]);
});

test('a row that says who signed its body is an entry with both, from any row on', async () => {
  const { texts, seen } = await readText(
    `id,payload,"x-hub-signature-256",note,created_at\n` +
      `1,${quoted(BODY)},NULL,,2025-09-16 05:00:00+00\n`.repeat(60) +
      `2,${quoted(BODY)},sha256=ab,hi,2025-09-16 05:00:00+00\n`,
  );
  expect(texts.slice(59)).toEqual([
    BODY,
    `{"x-hub-signature-256":"sha256=ab","body":${JSON.stringify(BODY)}}`,
  ]);
  expect(seen.at(-1)).toMatchObject({ at: 'log:62[60]', receivedAt: '2025-09-16T05:00:00.000Z' });
});

test('a column that is just called a signature is one where it holds one', async () => {
  const { texts } = await readText(
    `id,signature,payload\n1,sha256=ab,${quoted(BODY)}\n2,Ana Souza,${quoted(BODY)}\n3,,${quoted(BODY)}\n`,
  );
  expect(texts).toEqual([`{"signature":"sha256=ab","body":${JSON.stringify(BODY)}}`, BODY, BODY]);
});

test.each([';', '\t', ','])(
  'delimiter "%s", a byte order mark and CRLF are recognized',
  async (delimiter) => {
    const rows = [
      ['created_at', 'raw_body'],
      ['2025-09-16', quoted(BODY)],
      ['', quoted('[1]')],
    ];
    const { texts } = await readText(`\uFEFF${rows.map((row) => row.join(delimiter)).join('\r\n')}\r\n`);
    expect(texts).toEqual([BODY, '[1]']);
  },
);

test('JSON without quotes is read from a table with tabs', async () => {
  expect((await readText(`id\tpayload\n1\t${BODY}\n2\t${BODY}\n`)).texts).toEqual([BODY, BODY]);
});

test('the column is chosen by what it holds, then by its name', async () => {
  const row = [quoted('{"host":"x"}'), quoted(BODY), 'payload'].join(',');
  expect((await readText(`headers,body,payload\n${row}\n`)).texts).toEqual([BODY]);
  expect((await readText(`id,whatever\n1,${quoted(BODY)}\n`)).texts).toEqual([BODY]);
  expect((await readText(`payload\n${quoted(BODY)}\n`)).texts).toEqual([BODY]);
});

test('a table without a header loses no row', async () => {
  const { seen } = await readText(`1,messages,${quoted(BODY)},f\n2,history,${quoted(BODY)},f\n`);
  expect(seen).toEqual([
    { at: 'log:1[0]', text: BODY },
    { at: 'log:2[1]', text: BODY },
  ]);
});

test('rows whose JSON cell is empty are passed over and counted', async () => {
  const { seen, source } = await readText(
    `id,payload\n1,${quoted(BODY)}\n2,\n3,""\n4,\\N\n5,NULL\n\n6,${quoted(BODY)}\n`,
  );
  expect(seen.map(({ at }) => at)).toEqual(['log:2[0]', 'log:8[5]']);
  expect(source.skippedLines()).toBe(4);
});

test('a table without a JSON column is unreadable, and the remedy says what to export', async () => {
  const result = await readText('id,name\n1,Ana\n2,Bruno\n');
  expect(result.problems).toEqual(['unreadable_input log:1']);
  expect(firstProblem(result)).toMatch(/no column holds a webhook.*Export/);
});

test('a cut last row is given as it is, and read again once the file has grown', async () => {
  const { seen, items } = await readText(`id,payload\n1,${quoted(BODY)}\n2,"{""object"":""wh`);
  expect(seen[1]).toEqual({ at: 'log:3[1]', text: '{"object":"wh' });
  expect(after(items[1])).toEqual(after(items[0]));
});

test('a row that is cut before its JSON cell says so', async () => {
  const { problems } = await readText(`id,payload\n1,${quoted(BODY)}\n2`);
  expect(problems).toEqual(['truncated_input log:3[1]']);
});

test('a cell over the limit is reported with its size, and costs its neighbors nothing', async () => {
  const large = JSON.stringify({ text: '"'.repeat(3000) });
  const result = await readText(`id,payload\n1,${quoted(BODY)}\n2,${quoted(large)}\n3,${quoted(BODY)}\n`, {
    maxEntryBytes: 2000,
    chunkBytes: 100,
  });
  expect(result.seen.map(({ at, problem }) => `${at} ${problem ?? 'entry'}`)).toEqual([
    'log:2[0] entry',
    'log:3[1] entry_too_large',
    'log:4[2] entry',
  ]);
  expect(firstProblem(result)).toContain(String(large.length));
});

test('whatever a CSV writer writes is read as another CSV reader reads it', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\n', '\r\n', ' ', '{', 'é') });
  const json = fc
    .dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 })
    .map((value) => JSON.stringify(value));
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, json, cell), { minLength: 1 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 50 }),
      async (rows, everyCellQuoted, chunkBytes) => {
        const text = stringify([['a', 'payload', 'b'], ...rows], { quoted: everyCellQuoted });
        const { texts } = await readText(text, { chunkBytes });
        const expected: string[][] = parse(text, { from: 2 });
        expect(texts.map((entry) => Buffer.from(entry, 'latin1').toString())).toEqual(
          expected.map(([, payload]) => payload),
        );
      },
    ),
    { numRuns: tries(60) },
  );
});

describe('a body in another column than the first one with JSON', () => {
  const body = (text: string): string => JSON.stringify({ object: 'whatsapp_business_account', text });
  const rows = ['a', 'ção "x"\n, y', 'c'].map(body);
  const other = '{"a":"b"}';

  test.each<[string, string, (text: string, i: number) => string[]]>([
    ['without a header', '', (text, i) => [String(i), quoted(other), quoted(text)]],
    ['with names nobody knows', 'n,meta,stuff\n', (text, i) => [String(i), quoted(other), quoted(text)]],
    [
      'whose name says less than another',
      'n,data,stuff\n',
      (text, i) => [String(i), quoted(other), quoted(text)],
    ],
    [
      'now in one column, now in another',
      'a,b\n',
      (text, i) => (i === 1 ? [quoted(text), ''] : [quoted(other), quoted(text)]),
    ],
    ['as base64', 'meta,raw\n', (text) => [quoted(other), Buffer.from(text).toString('base64')]],
    ['twice', 'a,b\n', (text) => [quoted(text), quoted(text)]],
  ])('%s', async (name, header, row) => {
    const { texts, problems } = await readText(
      `${header}${rows.map((text, i) => row(text, i).join(',')).join('\n')}\n`,
    );
    const plain = texts.map((text) =>
      Buffer.from(text, name === 'as base64' ? 'base64' : 'latin1').toString(),
    );
    expect(plain).toEqual(rows);
    expect(problems).toEqual([]);
  });

  test('beside another one is an entry with it', async () => {
    const { texts } = await readText(`id,raw,parsed\n1,${quoted(rows[0] ?? '')},${quoted(rows[2] ?? '')}\n`);
    expect(JSON.parse(texts[0] ?? '')).toEqual({ body: rows[0], parsed: rows[2] });
  });
});

describe('quotes that a backslash escapes', () => {
  const LONG = 'a, "b"; \\ C:\\temp\n'.repeat(3_000);
  const body = (text: string): string => JSON.stringify({ object: 'whatsapp_business_account', text });
  const bodies = ['Oi\nsegunda linha', 'preço \\ barra', 'diz "sim", "não"\n', LONG].map(body);
  /** SELECT … INTO OUTFILE … ENCLOSED BY '"' of MySQL. */
  const outfile = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
  /** Spark escapes quotes, and the backslashes before them. */
  const spark = (text: string): string =>
    `"${text.replace(/(\\*)"/g, (_, run: string) => `${run}${run}\\"`)}"`;

  test.each([
    ['MySQL', outfile, ','],
    ['MySQL', outfile, '\t'],
    ['Spark', spark, ','],
    ['Spark', spark, ';'],
  ])('of %s are read wherever the file ends: %#', async (_, write, delimiter) => {
    for (const header of [`id${delimiter}payload${delimiter}note\n`, '']) {
      for (const rows of [bodies, [...bodies].reverse(), bodies.slice(0, 1)]) {
        for (const end of ['\n', '']) {
          const lines = rows.map((text, i) => [String(i), write(text), '"x"'].join(delimiter));
          const { texts, problems } = await readText(`${header}${lines.join('\n')}${end}`, {
            chunkBytes: 1_000,
          });

          expect(problems).toEqual([]);
          expect(texts.map((text) => Buffer.from(text, 'latin1').toString())).toEqual(rows);
        }
      }
    }
  });

  test('an escaped line end is one', async () => {
    const { texts } = await readText(
      `id,payload\n1,"{\\"object\\":\\"whatsapp_business_account\\",\\\n\\"a\\":1}"\n`,
    );

    expect(texts).toEqual(['{"object":"whatsapp_business_account",\n"a":1}']);
  });
});

describe('a column of bytes, as PostgreSQL writes it', () => {
  const bytes = String.raw`\x${Buffer.from(WEBHOOK).toString('hex')}`;

  test.each([
    ['CSV with a header', `id,raw\n1,${bytes}\n2,${bytes}\n`],
    ['CSV without one', `1,${bytes}\n2,${bytes}\n`],
    ['CSV of this column alone', `raw\n${bytes}\n${bytes}\n`],
    ['text', `1\t\\${bytes}\n2\t\\${bytes}\n`],
    ['text with a header', `id\traw\n1\t\\${bytes}\n2\t\\${bytes}\n`],
  ])('%s', async (_, table) => {
    const { seen, problems } = await readText(table);
    expect(seen.map(({ text }) => text)).toEqual([bytes, bytes]);
    expect(problems).toEqual([]);
  });
});
