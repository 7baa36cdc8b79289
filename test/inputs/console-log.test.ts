import { describe, expect, test } from 'vitest';
import { bodyWith } from '../support/pasted-webhooks.js';
import { outcomes, UNREAD } from './outcomes.js';
import { readText } from './support.js';

const BODY = '{"object":"whatsapp_business_account","entry":[{"id":"1"}]}';

test('the JSON behind a prefix is the entry, with the time at the start of the line', async () => {
  const { seen, source } = await readText(
    [
      'Server listening on port 3000',
      `2025-09-16T05:00:00Z INFO webhook: ${BODY}`,
      `[2025-09-16 05:00:01.250+02:00] ${BODY} took 3 ms`,
      `[pm2] ${BODY}`,
      `[0] {id} ${BODY}`,
      '2025-09-16T05:00:02Z GET /health 200',
      `2025-09-16T05:00:03,500 webhook ${BODY}\r`,
      '',
    ].join('\n'),
  );
  expect(seen).toEqual([
    { at: 'log:2', text: BODY, receivedAt: '2025-09-16T05:00:00.000Z' },
    { at: 'log:3', text: BODY, receivedAt: '2025-09-16T03:00:01.250Z' },
    { at: 'log:4', text: BODY },
    { at: 'log:5', text: BODY },
    { at: 'log:7', text: BODY, receivedAt: '2025-09-16T05:00:03.500Z' },
  ]);
  expect(source.skippedLines()).toBe(2);
});

test.each(['[pm2] ', '[0] ', '[2025-09-16 05:00:00] ', '[true] ', '{app} INFO ', '0|app | ', 'webhook,'])(
  'a log whose first line begins with "%s" is a console log',
  async (prefix) => {
    const { texts } = await readText(`${prefix}${BODY}\n${prefix}started\n${prefix}${BODY}\n`);
    expect(texts).toEqual([BODY, BODY]);
  },
);

test('an array behind a prefix is one entry', async () => {
  expect((await readText(`n8n: [${BODY}]\n`)).texts).toEqual([`[${BODY}]`]);
});

test('a body that is pretty-printed behind a prefix is one entry', async () => {
  const pretty = JSON.stringify(JSON.parse(BODY), null, 2);
  const { seen } = await readText(
    `2025-09-16T05:00:00Z got ${pretty}\n2025-09-16T05:00:01Z done\nx ${pretty}\n`,
  );
  expect(seen).toEqual([
    { at: 'log:1', text: pretty, receivedAt: '2025-09-16T05:00:00.000Z' },
    { at: 'log:10', text: pretty },
  ]);
});

test('a cut body is given as it is, and costs its neighbors nothing', async () => {
  const { texts } = await readText(`a ${BODY}\na {"object":"wh\na ${BODY}\na {"object":"w`);
  expect(texts).toEqual([BODY, '{"object":"wh', BODY, '{"object":"w']);
});

test('a body that is cut between its tokens ends where the next line begins', async () => {
  const { texts } = await readText(`a ${BODY}\na {"object":"wh",\nb ${BODY}\n`);
  expect(texts).toEqual([BODY, '{"object":"wh",', BODY]);
});

test('prose that ends in a bracket is chatter', async () => {
  const { texts, source } = await readText(`a ${BODY}\noptions: {\n  port: 3000\n}\nb ${BODY}\n`);
  expect(texts).toEqual([BODY, BODY]);
  expect(source.skippedLines()).toBe(3);
});

test('bare lines between prefixed ones are entries', async () => {
  expect((await readText(`a ${BODY}\nb ${BODY}\n${BODY}\n`)).texts).toEqual([BODY, BODY, BODY]);
});

test('an empty object in a prefix is not taken for the body', async () => {
  expect((await readText(`query={} params=[] body=${BODY}\n`)).texts).toEqual([BODY]);
});

test('JSON that was logged as a string is that string', async () => {
  const escaped = JSON.stringify(BODY);
  const pretty = JSON.stringify(JSON.stringify([JSON.parse(BODY)], null, 2));
  const { texts } = await readText(`level=info body=${escaped} ms=3\nlevel=info body=${pretty}\n`);
  expect(texts).toEqual([escaped, pretty]);
});

test('text without any JSON says so', async () => {
  const { seen, problems } = await readText('Dear Sir or Madam,\nplease find enclosed.\n');
  expect(seen).toHaveLength(1);
  expect(problems).toEqual(['no_log_entries log:1']);
});

const RUBY = '{"object"=>"whatsapp_business_account", "entry"=>[{"id"=>"1", "errors"=>[], "n"=>nil}]}';
const ESCAPED = BODY.replaceAll('"', '\\x22');

test.each([
  ['a Ruby hash', `I, [2025-09-16T05:00:00.500000 #1]  INFO -- : [97145d6e]   Parameters: ${RUBY}`],
  ['the bytes of Python', String.raw`INFO:app:got b'{"object":"whatsapp_business_account","t":"Ol\\u00e1"}'`],
  ['the escapes of nginx', `10.0.0.1 - [16/Sep/2025:05:00:00 +0000] "POST /hook" 200 ${ESCAPED}`],
  ['base64', `got ${Buffer.from(`a${BODY}`).toString('base64')}`],
  ['gzip in base64', `got H4sIAAAAAAAAA6tWKs5Py0zPSVWyUlAqzy9KSc1TqgUAbCkxVxYAAAA=`],
  ['URL encoding', `POST /hook payload=${encodeURIComponent(BODY)}`],
  ['headers before the body', `headers={"x-hub-signature-256":"sha256=0"} body=${BODY}`],
  ['a text of JSON inside a hash', `Parameters: {"body"=>"{\\"a\\":1}", "messaging_product"=>"whatsapp"}`],
])('a line that holds a body as %s is an entry as a whole', async (_, line) => {
  const { seen, source } = await readText(`started\n${line}\r\nGET / 200\n`);
  expect(seen.map(({ at, text }) => ({ at, text }))).toEqual([{ at: 'log:2', text: line }]);
  expect(source.skippedLines()).toBe(2);
});

test("the time of Ruby's logger is the entry's", async () => {
  const line = `I, [2025-09-16T05:00:00.500000 #1]  INFO -- :   Parameters: ${RUBY}`;
  expect((await readText(`${line}\n`)).seen).toEqual([
    { at: 'log:1', text: line, receivedAt: '2025-09-16T05:00:00.500Z' },
  ]);
});

test('a sentence that only names a marker is chatter', async () => {
  const { texts, source } = await readText(`a ${BODY}\nsubscribed to whatsapp_business_account\n`);
  expect(texts).toEqual([BODY]);
  expect(source.skippedLines()).toBe(1);
});

test('a Ruby hash over several lines is one entry', async () => {
  const hash =
    '{"object"=>"whatsapp_business_account",\n "entry"=>\n  [{"id"=>"1",\n    :n=>nil,\n    "b"=>[]}]}';
  const { seen } = await readText(`a ${BODY}\nParameters: ${hash}\nCompleted 200 OK\na ${BODY}\n`);
  expect(seen.map(({ at, text }) => ({ at, text }))).toEqual([
    { at: 'log:1', text: BODY },
    { at: 'log:2', text: hash },
    { at: 'log:8', text: BODY },
  ]);
});

test('bodies one directly after the other in a line are an entry each, with the time of the line', async () => {
  const { seen } = await readText(`2025-09-16T05:00:00Z got ${BODY}${BODY}, ${BODY} done\n`);
  expect(seen).toEqual(
    Array.from({ length: 3 }, () => ({ at: 'log:1', text: BODY, receivedAt: '2025-09-16T05:00:00.000Z' })),
  );
});

test.each([
  '\x1b[32m2026-09-21T11:13:20.600Z\x1b[0m INFO',
  '\x1b[1m\x1b[90m[2026-09-21T11:13:20.600Z]\x1b[39m hook',
  '[\x1b[2m2026-09-21T11:13:20.600Z\x1b[22m] hook',
])('the time behind a color is the entry’s: %j', async (prefix) => {
  const { seen } = await readText(`${prefix} {"a":1}\n`);
  expect(seen).toEqual([{ at: 'log:1', text: '{"a":1}', receivedAt: '2026-09-21T11:13:20.600Z' }]);
});

test.each([
  ['clears the screen', '\x1bc[11:13:20 AM] Starting compilation in watch mode...'],
  ['sets a title', '\x1b]0;node server.js\x07'],
  ['selects a character set', '\x1b(B'],
  ['changes a mode', '\x1b[?2004l'],
  ['is cut inside a color', '\x1b[3'],
  ['is an escape alone', '\x1b'],
])('a line that %s is one without a body', async (_what, line) => {
  for (const log of [`${line}\n${BODY}\n`, `${BODY}\n${line}\n${BODY}\n`, `[pm2] ${BODY}\n${line}\n`, line]) {
    const { texts, problems } = await readText(log);
    expect(texts.filter((text) => text === BODY)).toHaveLength(log.split(BODY).length - 1);
    expect(problems.filter((problem) => !problem.startsWith('no_log_entries'))).toEqual([]);
  }
});

describe('a body in an encoding that no line of prose has', () => {
  const body = JSON.stringify(bodyWith('encoded', 'E1'));
  const bytes = [...Buffer.from(body)];
  const hex = Buffer.from(body).toString('hex');
  const twice = Buffer.from(Buffer.from(body).toString('base64')).toString('base64');
  const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
  const gateway = base64({
    version: '2.0',
    headers: {},
    body: base64(bodyWith('encoded', 'E1')),
    isBase64Encoded: true,
  });
  const buffer = base64({ type: 'Buffer', data: bytes });
  const places = bytes.map((byte, i) => `'${i}': ${byte}`).join(', ');
  const pretty = JSON.stringify({ data: Object.fromEntries(bytes.entries()) }, null, 2);
  const escaped = pretty.replaceAll('"', '\\x22').replaceAll('\n', '\\x0A');
  const every = hex.replace(/../g, '\\x$&');

  test.each([
    ['an object by places, of Python', `DEBUG {'data': {${places}}}`],
    ['an object by places, in nginx’s escapes', `a "${escaped}"`],
    ['hexadecimal digits in Python’s', `DEBUG {'d': '${hex}'}`],
    ['every byte escaped', `2026 body: ${every}`],
    ['base64 of base64', `2026 INFO d=${twice}`],
    ['base64 of a wrapper with base64', `2026 INFO payload=${gateway}`],
    ['the same in Python’s', `INFO {'Records': [{'kinesis': {'data': '${gateway}'}}]}`],
    ['the same in Ruby’s', `INFO {"message"=>{"data"=>"${gateway}"}}`],
    ['base64 of Node’s bytes', `2026 INFO payload=${buffer}`],
    ['base64 of hexadecimal digits', `2026 INFO {'d': '${Buffer.from(hex).toString('base64')}'}`],
  ])('is read: %s', async (_, line) => {
    expect(outcomes(await readText(`2026 INFO start\n${line}\n`))).toEqual(['encoded']);
  });

  test.each([
    ['Go’s bytes', `2026 body: [${bytes.join(' ')}]`],
    ['bare hexadecimal digits', `2026 INFO d=${hex}`],
  ])('is reported: %s', async (_, line) => {
    const all = outcomes(await readText(`2026 INFO start\n${line}\n`));
    expect(all).toEqual([expect.stringMatching(new RegExp(`^${UNREAD}(?:no|invalid)_json$`))]);
  });

  test.each([
    ['hexadecimal digits', hex],
    ['every byte escaped', every],
    ['base64 of base64', twice],
    ['base64 of a wrapper', gateway],
    ['numbers', `[${bytes.join(' ')}]`],
  ])('is no webhook where a person wrote it: %s', async (_, text) => {
    for (const line of [
      `INFO from 5511900000001 text=${text}`,
      `INFO {'from': '5511900000001', 'text': '${text}'}`,
    ]) {
      expect(outcomes(await readText(`2026 INFO start\n${line}\n`)), line).not.toContain('encoded');
    }
  });
});
