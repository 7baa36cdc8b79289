import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { itemAt } from '../../src/decode/item-at.js';
import type { DecodedEntry } from '../../src/model/facts.js';
import type { JsonObject } from '../../src/model/json.js';
import { readText } from '../inputs/support.js';
import { message, only, wamid, webhook } from './meta-builders.js';
import { base64, docker, gzipped, nginx, node, python, ruby } from './wrap.js';

const LINES = ['um', 'dois + "2"', 'três\n3', 'quatro'];
const BODIES = LINES.map((body, i) =>
  webhook('messages', { messages: [message({ id: wamid(`A${i + 1}`), text: { body } })] }),
);
const TEXTS = BODIES.map((body) => JSON.stringify(body));
const ENCODED = TEXTS.map(base64);
const [FIRST = '', SECOND = ''] = TEXTS;
const [ONE = '', TWO = ''] = ENCODED;
const BOTH = LINES.slice(0, 2);

function entryOf(file: string): DecodedEntry {
  const result = decodeEntry(Buffer.from(file), { include: new Set() });
  if (result.kind === 'invalid') throw new Error(`${result.reason}: ${result.message}`);
  return result.entry;
}

function linesOf(entry: DecodedEntry): (string | null | undefined)[] {
  return entry.sections.flatMap((section) => only('message', section.facts)).map(({ body }) => body);
}

function readingOf(file: string): { lines: unknown; reasons: string[] } {
  const entry = entryOf(file);
  return { lines: linesOf(entry), reasons: entry.unrecognized.map(({ reason }) => reason) };
}

/** What a Lambda function is given of a Kinesis stream. */
const BATCH: JsonObject = {
  Records: ENCODED.map((data) => ({ kinesis: { partitionKey: '1', data }, eventSource: 'aws:kinesis' })),
};

describe('E1: all bodies of a text that is no JSON are read', () => {
  test.each<[string, string, string[]]>([
    ['a print of Node', `{\n  a: '${ONE}',\n  b: '${TWO}'\n}`, BOTH],
    ['a batch printed by Python', python(BATCH), LINES],
    ['the same as a line of Docker', docker(python(BATCH), 100_000), LINES],
    ['the same in CloudWatch', JSON.stringify({ events: [{ message: python(BATCH), timestamp: 1 }] }), LINES],
    ['a batch printed by Node', `2026-09-21T11:13:20.600Z\treq\tINFO\t${node(BATCH)}`, LINES],
    ['a batch printed by Ruby', `I, [2026-09-21T11:13:20.6 #1]  INFO -- : ${ruby(BATCH)}`, LINES],
    ['a list of texts', node(ENCODED), LINES],
    ['fields of logfmt', `level=info a=${ONE} b=${TWO}`, BOTH],
    ['gzip in fields', `level=info a=${gzipped(FIRST)} b=${gzipped(SECOND)}`, BOTH],
    ['words', ENCODED.join(' '), LINES],
    ['lines without padding', ENCODED.map((text) => text.replace(/=+$/, '')).join('\n'), LINES],
    ['lines of gzip', TEXTS.map(gzipped).join('\n'), LINES],
    [
      'lines of gzip without padding',
      TEXTS.map((text) => gzipped(text).replace(/=+$/, '')).join('\n'),
      LINES,
    ],
    ['quoted fields', `level=info a=${JSON.stringify(FIRST)} b=${JSON.stringify(SECOND)}`, BOTH],
    [
      'quoted fields with words in them',
      `level=info a=${JSON.stringify(`got ${FIRST}`)} b=${JSON.stringify(`got ${SECOND}`)}`,
      BOTH,
    ],
    ['a quoted field and base64', `a=${JSON.stringify(`got ${FIRST}`)} b=${TWO}`, BOTH],
    ['JSON, then base64', `${FIRST} ${TWO}`, BOTH],
    ['base64, then JSON', `INFO ${ONE} ${SECOND}`, BOTH],
    ['JSON, then percent encoding', `${FIRST} payload=${encodeURIComponent(SECOND)}`, BOTH],
    ['percent encoding, then JSON', `payload=${encodeURIComponent(FIRST)} ${SECOND}`, BOTH],
    ['base64, then percent encoding', `a=${ONE} b=${encodeURIComponent(SECOND)}`, BOTH],
    ['percent encoding, then base64', `b=${encodeURIComponent(FIRST)} a=${TWO}`, BOTH],
    ['JSON, then nginx’s escapes', `${FIRST} "${nginx(SECOND)}"`, BOTH],
    ['nginx’s escapes, then JSON', `"${nginx(FIRST)}" ${SECOND}`, BOTH],
    ['escaped quotes, then JSON', `${JSON.stringify(FIRST).slice(1, -1)} ${SECOND}`, BOTH],
    ['doubled quotes, then JSON', `"${FIRST.replaceAll('"', '""')}", ${SECOND}`, BOTH],
    ['Ruby, then base64', `${ruby(BODIES[0] ?? {})} ${TWO}`, BOTH],
  ])('%s', (_what, file, lines) => {
    expect(readingOf(file)).toEqual({ lines, reasons: [] });
    const { sections } = entryOf(file);
    for (const { path } of sections) expect(itemAt(Buffer.from(file), path)).toBeDefined();
  });

  test('a print in a quoted field of a log has the field’s escapes', () => {
    for (const print of [python, ruby]) {
      const line = (body: JsonObject): string => JSON.stringify(`INFO:root:${print(body)}`);
      const [, , third = {}, fourth = {}] = BODIES;
      const two = `level=info body=${line(third)} next=${line(fourth)} took=12 ${FIRST}`;
      expect(readingOf(two)).toEqual({ lines: [LINES[2], LINES[3], LINES[0]], reasons: [] });
    }
  });

  test('base64 in lines of any length is one text', () => {
    for (const text of [`${FIRST}\n${SECOND}`, FIRST]) {
      for (const size of [64, 76, 1000]) {
        const lines = base64(text).replace(new RegExp(`.{${size}}`, 'g'), '$&\n');
        expect(linesOf(entryOf(lines))).toEqual(BOTH.slice(0, text === FIRST ? 1 : 2));
      }
    }
  });

  test.each<[string, string]>([
    ['JSON and base64', `raw=${ONE} parsed=${FIRST}`],
    ['two fields', `a=${ONE} b=${ONE}`],
    ['a print', `{ a: '${ONE}', b: '${ONE}' }`],
    ['JSON and percent encoding', `${FIRST} ${encodeURIComponent(FIRST)}`],
  ])('the same one twice in a line is one: %s', (_what, file) => {
    expect(readingOf(file)).toEqual({ lines: LINES.slice(0, 1), reasons: [] });
  });

  test('deliveries that are alike in one encoded text stay deliveries', () => {
    expect(linesOf(entryOf(`INFO ${base64(`${FIRST}\n${FIRST}`)} ${TWO}`))).toEqual([
      LINES[0],
      LINES[0],
      LINES[1],
    ]);
  });
});

test('E1: a text with a character that no program could read is a text, in base64, too', () => {
  const body = JSON.stringify(webhook('messages', { messages: [message({ text: { body: 'a\uFFFDb' } })] }));
  expect(readingOf(`a=${base64(body)} b=${TWO}`)).toEqual({ lines: ['a\uFFFDb', LINES[1]], reasons: [] });
  const cut = base64(body.slice(0, body.indexOf('\uFFFD') + 1)).slice(0, -2);
  expect(readingOf(`a=${cut} b=${TWO}`)).toEqual({ lines: [LINES[1]], reasons: ['invalid_json'] });
});

describe('E1: what looks like a body beside one that is read is reported', () => {
  test.each<[string, string, string]>([
    ['base64 that was cut', `a=${ONE} b=${TWO.slice(0, 400)}`, 'invalid_json'],
    ['base64 that was cut, beside JSON', `${FIRST} b=${TWO.slice(0, 400)}`, 'invalid_json'],
    ['base64 that was cut, in a line', `${FIRST}\n${TWO.slice(0, 400)}\n`, 'invalid_json'],
    [
      'gzip that was cut',
      `a=${ONE} b=${gzipSync(TEXTS.join('\n')).toString('base64').slice(0, 360)}`,
      'invalid_json',
    ],
    [
      'percent encoding that was cut',
      `${FIRST} b=${encodeURIComponent(SECOND).slice(0, 500)}`,
      'invalid_json',
    ],
    ['a print that was cut', `{ a: '${ONE}', b: '${TWO.slice(0, 400)}`, 'invalid_json'],
    ['base64 behind an event’s name', `messages.upsert ${TWO} ${FIRST}`, 'inside_text'],
  ])('%s', (_what, file, reason) => {
    const { lines, reasons } = readingOf(file);
    expect(lines).toEqual(LINES.slice(0, 1));
    expect(reasons).toEqual([reason]);
  });

  test('a label that only mentions a body is none', () => {
    const labels = [
      '[messages.upsert]',
      '[whatsapp_business_account] phone_number_id=106540352242922 received a webhook of',
      'request-id=c2VtIG5hZGEgYXF1aSBwYXJhIGxlciwgc8OzIHRleHRvIGNvbXVt trace=0123456789abcdef0123456789abcdef0123456789',
    ];
    for (const label of labels)
      expect(readingOf(`${label} ${FIRST}`)).toEqual({ lines: LINES.slice(0, 1), reasons: [] });
  });
});

describe('E1: a person’s text stays a text', () => {
  const holding = (text: string): string =>
    JSON.stringify(webhook('messages', { messages: [message({ text: { body: text } })] }));

  test.each([TWO, gzipped(SECOND), encodeURIComponent(SECOND), nginx(SECOND), JSON.stringify(SECOND)])(
    'in a body, alone and beside another one: %#',
    (text) => {
      expect(readingOf(`INFO ${holding(text)}`)).toEqual({ lines: [text], reasons: [] });
      expect(readingOf(`INFO ${holding(text)} raw=${ONE}`)).toEqual({ lines: [text, LINES[0]], reasons: [] });
      expect(readingOf(`INFO ${ONE} "${nginx(holding(text))}"`).lines).toEqual([LINES[0], text]);
    },
  );

  test('base64 that a line shows as what somebody wrote', () => {
    expect(readingOf(`INFO ${FIRST} from 5511900000001 text=${TWO}`)).toEqual({
      lines: LINES.slice(0, 1),
      reasons: ['inside_text'],
    });
    expect(readingOf(`INFO ${holding(TWO)} said ${TWO}`)).toEqual({ lines: [TWO], reasons: [] });
    for (const text of [`oi ${SECOND} fim`, SECOND])
      expect(readingOf(`level=info from=5511900000001 text=${JSON.stringify(text)}`)).toEqual({
        lines: [],
        reasons: ['inside_text'],
      });
    for (const print of [node, python, ruby]) {
      const row = { from: '5511900000001', fromMe: false, text: TWO };
      expect(readingOf(`INFO ${print(row)}`)).toEqual({ lines: [], reasons: ['unknown_shape'] });
    }
  });
});

test('E1: a console log gives a line whole that has a body before its JSON', async () => {
  const { texts } = await readText(`INFO ${ONE} ${SECOND}\nINFO [messages.upsert] ${FIRST}\n`);
  expect(texts.map((text) => linesOf(entryOf(Buffer.from(text, 'latin1').toString())))).toEqual([
    BOTH,
    LINES.slice(0, 1),
  ]);
  expect(texts[1]).toBe(FIRST);
});

test('E1: a row of a dump with a body in several columns is an entry with all of them', async () => {
  const dump = `COPY hooks (id, a, b) FROM stdin;\n1\t${ONE}\t${TWO}\n2\t${ONE}\t${ONE}\n3\t${FIRST.replaceAll('\\', '\\\\')}\t{"a":1}\n\\.\n`;
  const { texts } = await readText(dump);
  expect(texts.map((text) => linesOf(entryOf(text)))).toEqual([[LINES[1], LINES[0]], [LINES[0]], [LINES[0]]]);
  expect(texts[1]).toBe(ONE);
  expect(texts[2]).toBe(FIRST);
});
