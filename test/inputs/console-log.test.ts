import { expect, test } from 'vitest';
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

test('a cut body is given as it is, and costs its neighbours nothing', async () => {
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
