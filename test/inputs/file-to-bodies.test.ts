import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { nginx } from '../decode/wrap.js';
import { body, outcomeOf } from './body-texts.js';
import { after, firstProblem, readText } from './support.js';

describe('a literal of SQL or YAML, in which an apostrophe is written twice', () => {
  const TEXT = "it's O'Neil, '' and ' \u00e7";
  const doubled = JSON.stringify(body(TEXT)).replaceAll("'", "''");
  const lines = JSON.stringify(body(TEXT), null, 2).replaceAll("'", "''");
  const csv = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  test.each([
    ['gcloud’s YAML', `---\ninsertId: a1\ntextPayload: '${doubled}'\n---\ninsertId: a2\n`],
    ['PostgreSQL’s log', `2026-09-21 14:25:00 UTC [7] DETAIL:  parameters: $1 = '${doubled}', $2 = 'x'\n`],
    [
      'PostgreSQL’s statement',
      `2026-09-21 14:25:00 UTC [7] LOG:  execute: INSERT INTO w VALUES ('${doubled}')\n`,
    ],
    ['PostgreSQL’s log, over several lines', `[7] DETAIL:  parameters: $1 = '${lines}'\nnext\n`],
    ['PostgreSQL’s csvlog', `2026-09-21 14:25:00,"p","db",${csv(`parameters: $1 = '${doubled}'`)},""\n`],
    ['syslog', `<13>1 2026-09-21T11:13:20Z db postgres 7 - - DETAIL:  parameters: $1 = '${doubled}'\n`],
  ])('%s', async (_, content) => {
    expect(await outcomeOf(content)).toMatchObject({ texts: [TEXT], notUnderstood: [] });
  });

  test.each([
    ['outside of one', (json: string) => `got ${json}\n`],
    ['where one stands alone, too', (json: string) => `got '${json.replace('end', "e'nd")}'\n`],
  ])('two of them stay two %s', async (_, line) => {
    const content = line(JSON.stringify(body("a '' b end")));
    const [text] = (await outcomeOf(content)).texts;
    expect(text).toMatch(/^a '' b e'?nd$/);
  });
});

const SYSLOG = 'Sep 21 14:11:05 host app[123]: ';

test('a list printed over several lines through syslog stays one entry, however long its elements are', async () => {
  const texts = ['a'.repeat(1_500), 'b', 'c'.repeat(1_500), 'd'];
  const elements = texts.map((text, i) => JSON.stringify(body(text, `B${i}`)));
  const lines = ['got [', ...elements.map((each, i) => `  ${each}${i < 3 ? ',' : ''}`), ']'];
  const content = lines.map((line) => `${SYSLOG}${line}\n`).join('');
  expect(await outcomeOf(content)).toEqual({ texts, notUnderstood: [], skipped: 0 });
  expect((await readText(content)).seen).toHaveLength(1);
});

describe('what Monolog writes behind the message of a line is no entry', () => {
  const json = JSON.stringify(body('Olá'));
  test.each([
    ['an empty context and extra', `Webhook ${json} [] []`],
    ['an empty extra', `Webhook ${json} []`],
    ['empty objects', `Webhook ${json} {} { }`],
    ['a context', `Webhook ${json} {"ip":"10.0.0.1"} []`],
    ['the body as the context', `Webhook ${json} []`],
  ])('%s', async (_, line) => {
    const content = `[2026-09-21 14:25:00] production.INFO: ${line}\n`.repeat(2);
    expect(await outcomeOf(content)).toEqual({ texts: ['Olá', 'Olá'], notUnderstood: [], skipped: 0 });
  });

  test('a second body is one, also behind an empty value', async () => {
    const content = `got ${json} [] ${JSON.stringify(body('two', 'A2'))} []\n`;
    expect(await outcomeOf(content)).toMatchObject({ texts: ['Olá', 'two'], notUnderstood: [] });
  });
});

describe('a line of words before a pretty-printed body is skipped', () => {
  const json = JSON.stringify(body('Olá'), null, 2);
  test.each([
    ['a tag', '[Hook] v2 LOG'],
    ['a tag with colors', '\x1b[32m[Hook]\x1b[39m v2 \x1b[33mLOG\x1b[39m'],
    ['words', 'Webhook received:'],
    ['a time', '2026-09-21T14:25:00Z INFO'],
  ])('%s', async (_, label) => {
    const once = { texts: ['Olá'], notUnderstood: [], skipped: 1 };
    expect(await outcomeOf(`${label}\n${json}\n`)).toEqual(once);
    const twice = { texts: ['Olá', 'Olá'], notUnderstood: [], skipped: 2 };
    expect(await outcomeOf(`${label}\n${json}\n\n${label}\n${json}\n`)).toEqual(twice);
  });

  test('not the rest of a body that was cut', async () => {
    const { notUnderstood } = await outcomeOf(`  "text": "broken\n  }\n}\n${json}\n`);
    expect(notUnderstood).not.toEqual([]);
  });
});

describe('bytes as numbers in a cell of a dump', () => {
  const bytes = [...Buffer.from(JSON.stringify(body("it's", 'A1')))];
  const signed = bytes.map((byte) => (byte > 127 ? byte - 256 : byte));
  test.each<[string, JsonValue]>([
    ['a Buffer', { type: 'Buffer', data: bytes }],
    ['a Buffer under a key', { id: 1, body: { type: 'Buffer', data: bytes } }],
    ['a list', bytes],
    ['a list with signs', signed],
    ['an object by place', Object.fromEntries(bytes.entries())],
  ])('%s', async (_, value) => {
    for (const json of [JSON.stringify(value), JSON.stringify(value, null, 1).replaceAll('\n', '')]) {
      const read = { texts: ["it's"], notUnderstood: [], skipped: 1 };
      const chatter = '[123, 34, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]';
      const copy = `COPY public.w (id, p) FROM stdin;\n1\t${json}\n2\t${chatter}\n\\.\n`;
      expect(await outcomeOf(copy)).toEqual(read);
      expect(await outcomeOf(`INSERT INTO w VALUES (1,'${json}'),(2,'${chatter}');\n`)).toEqual(read);
    }
  });
});

describe('an ordinary line of a logger that writes JSON', () => {
  const pino = (more: JsonObject) => ({ level: 30, time: 1790000700600, pid: 1, hostname: 'x', ...more });
  const request = {
    id: 1,
    method: 'GET',
    url: '/health',
    headers: { host: 'x', 'user-agent': 'kube-probe/1.2' },
  };
  const error = {
    type: 'Error',
    message: 'ECONNRESET',
    stack: 'Error: x\n    at Socket.<anonymous> [as y] (/app/a.js:1:2)',
  };
  const written: Record<string, (value: JsonValue) => string> = {
    NDJSON: (value) => JSON.stringify(value),
    'Docker’s file': (value) =>
      JSON.stringify({ log: `${JSON.stringify(value)}\n`, stream: 'stdout', time: '2026-09-21T11:13:20Z' }),
    'a console log': (value) => `2026-09-21T11:13:20Z app ${JSON.stringify(value)}`,
    CRI: (value) => `2026-09-21T11:13:20.1Z stdout F ${JSON.stringify(value)}`,
  };
  const hook = pino({ msg: 'webhook', req: { id: 1, body: body('Olá') } });

  describe.each(Object.entries(written))('in %s', (_, write) => {
    test.each<[string, JsonObject]>([
      ['pino', pino({ msg: 'listening' })],
      ['pino, about WhatsApp', pino({ msg: 'Sent the WhatsApp message.', service: 'whatsapp' })],
      [
        'pino-http',
        pino({ req: request, res: { statusCode: 200 }, responseTime: 3, msg: 'request completed' }),
      ],
      ['pino, an error', pino({ level: 50, err: error, msg: 'ECONNRESET' })],
      ['winston', { message: 'listening', level: 'info', timestamp: '2026-09-21T11:13:20Z' }],
      [
        'bunyan',
        { name: 'app', hostname: 'x', pid: 1, level: 30, msg: 'up', time: '2026-09-21T11:13:20Z', v: 0 },
      ],
      ['zap', { level: 'info', ts: 1790000700.6, caller: 'main.go:1', msg: 'up' }],
      ['Monolog', { message: 'up', context: {}, level: 200, level_name: 'INFO', channel: 'app', extra: [] }],
      ['structlog', { event: 'listening', level: 'info', timestamp: '2026-09-21T11:13:20Z' }],
    ])('of %s is skipped', async (__, line) => {
      const content = `${write(hook)}\n${write(line)}\n${write(hook)}\n`;
      expect(await outcomeOf(content)).toEqual({ texts: ['Olá', 'Olá'], notUnderstood: [], skipped: 1 });
      // Also where it comes first, and where there is nothing else.
      expect(await outcomeOf(`${write(line)}\n${write(hook)}\n`)).toMatchObject({
        texts: ['Olá'],
        notUnderstood: [],
      });
      expect((await outcomeOf(`${write(line)}\n`)).notUnderstood).toEqual(['no_log_entries log:1']);
    });

    test.each<[string, JsonObject]>([
      ['about a message', pino({ msg: 'got it', from: '5511988887777', text: 'oi' })],
      ['with an id of WhatsApp', pino({ msg: 'stored wamid.X' })],
      ['with an event of a vendor', pino({ msg: 'hook', payload: { event: 'message', session: 'x' } })],
      ['with JSON in its words', pino({ msg: 'got {"event":"x"}' })],
      ['without words', pino({ value: 1 })],
    ])('%s is an entry', async (__, line) => {
      const content = `${write(hook)}\n${write(line)}\n${write(hook)}\n`;
      const { notUnderstood, skipped } = await outcomeOf(content);
      expect({ count: notUnderstood.length, skipped }).toEqual({ count: 1, skipped: 0 });
    });
  });

  test('it is skipped in any cutting and at any resume point', async () => {
    const lines = [hook, pino({ msg: 'up' }), hook, pino({ msg: 'down' }), hook].map((line) =>
      JSON.stringify(line),
    );
    const { items, seen } = await readText(lines.join('\n'));
    expect(seen).toHaveLength(3);
    for (const [i, item] of items.entries())
      expect((await readText(lines.join('\n'), { resume: after(item), chunkBytes: 11 })).seen).toEqual(
        seen.slice(i + 1),
      );
  });
});

describe('a log without its bodies says what it resembles', () => {
  const request = (method: string, last: string) =>
    `1.2.3.4 - - [21/Sep/2026:14:10:05 +0000] "${method} /webhook HTTP/1.1" 200 2 "-" "facebookexternalua" "${last}"\n`;

  test('nginx, where a body was in a temporary file and others were not', async () => {
    const kept = request('POST', nginx(JSON.stringify(body('Olá'))));
    const content = `${request('GET', '-')}${kept}${request('POST', '-')}${kept}`;
    const outcome = { texts: ['Olá', 'Olá'], notUnderstood: ['empty_request_body'], skipped: 1 };
    expect(await outcomeOf(content)).toEqual(outcome);
    const { items, seen } = await readText(content);
    for (const [i, item] of items.entries())
      expect((await readText(content, { resume: after(item), chunkBytes: 50 })).seen).toEqual(
        seen.slice(i + 1),
      );
  });

  test('nginx without any body', async () => {
    const result = await readText(request('GET', '-') + request('POST', '-'));
    expect(firstProblem(result)).toMatch(/nginx.*\$request_body/);
  });

  test('nginx’s usual lines beside a program’s own are chatter', async () => {
    const content = `${request('POST', '-')}got ${JSON.stringify(body('Olá'))}\n`;
    expect(await outcomeOf(content)).toEqual({ texts: ['Olá'], notUnderstood: [], skipped: 1 });
  });

  test('a body that Node printed over several lines and other lines cut', async () => {
    const printed = inspect(body('x '.repeat(100)), { depth: null });
    const content = `started\nwebhook ${printed.slice(0, printed.indexOf('timestamp:'))}\nstopped\n`;
    const { texts, notUnderstood } = await outcomeOf(content);
    expect(texts).toEqual([]);
    expect(notUnderstood).toContain('printed_by_node');
  });
});
