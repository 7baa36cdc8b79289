import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { message, only, wamid, webhook } from '../decode/meta-builders.js';
import { base64, nginx, python, pythonBytes, ruby } from '../decode/wrap.js';
import { after, firstProblem, readText } from './support.js';

/** What comes of a file: the texts of its messages, what is not understood, and how many lines were skipped. */
interface Outcome {
  texts: (string | undefined)[];
  notUnderstood: string[];
  skipped: number;
}

async function outcomeOf(content: string | Uint8Array): Promise<Outcome> {
  const { items, problems, source } = await readText(content);
  const outcome: Outcome = { texts: [], notUnderstood: [...problems], skipped: source.skippedLines() };
  for (const item of items) {
    if (item.kind === 'problem') continue;
    const result = decodeEntry(item.entry.bytes, { include: new Set() });
    if (result.kind === 'invalid') {
      outcome.notUnderstood.push(result.reason);
      continue;
    }
    const { sections, unrecognized } = result.entry;
    for (const { facts } of sections) for (const { body } of only('message', facts)) outcome.texts.push(body);
    outcome.notUnderstood.push(...unrecognized.map(({ reason }) => reason));
  }
  return outcome;
}

/** A webhook with one message. */
function body(text: string, id = 'A1') {
  return webhook('messages', { messages: [message({ id: wamid(id), text: { body: text } })] });
}

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

const HEROKU = '2026-09-21T14:25:00.123456+00:00 app[web.1]: ';
const SYSLOG = 'Sep 21 14:11:05 host app[123]: ';

/** A line as a log system keeps it that cuts it into pieces without marking them. */
function inPieces(line: string, frame: string, size: number): string {
  const bytes = Buffer.from(line, 'utf8');
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length; from += size)
    pieces.push(Buffer.from(frame), bytes.subarray(from, from + size), Buffer.from('\n'));
  return Buffer.concat(pieces).toString('latin1');
}

/** What programs write of a body into one line. */
const LINES: Readonly<Record<string, (value: JsonObject) => string>> = {
  JSON: (value) => `got ${JSON.stringify(value)}`,
  'JSON with the body twice': (value) => `got ${JSON.stringify({ ...value, whatsapp: value })}`,
  Ruby: (value) => `  Parameters: ${ruby(value)}`,
  'Ruby with the body twice': (value) => `  Parameters: ${ruby({ ...value, whatsapp: value })}`,
  Python: (value) => `INFO:root:${python(value)}`,
  'Python’s bytes': (value) => `body ${pythonBytes(JSON.stringify(value))}`,
  'nginx’s escapes': (value) => `10.0.0.1 "POST /hook HTTP/1.1" 200 "${nginx(JSON.stringify(value))}"`,
  'quotes as \\x22': (value) => `POST "${JSON.stringify(value).replace(/["\\]/g, hexOf)}"`,
  base64: (value) => base64(JSON.stringify(value)),
  'base64 behind words': (value) => `payload ${base64(JSON.stringify(value))}`,
  'a text of JSON': (value) => JSON.stringify({ level: 'info', body: JSON.stringify(value) }),
};

function hexOf(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

describe('a line that a log system has cut without a mark is joined, whatever it is written in', () => {
  const LONG = 'Olá "tudo" bem? it\'s {a} [b] \\ \n'.repeat(800);
  test.each(Object.entries(LINES))('%s', async (_, write) => {
    for (const [frame, size] of [
      [HEROKU, 10_000],
      [SYSLOG, 1_000],
      [SYSLOG, 2_018],
    ] as const) {
      const texts = ['one', LONG, LONG.replaceAll('a', 'e'), 'four'];
      const lines = texts.map((text, i) => inPieces(write(body(text, `B${i}`)), frame, size));
      lines.splice(2, 0, `${frame}GET /health 200\n`);
      expect(await outcomeOf(Buffer.from(lines.join(''), 'latin1'))).toMatchObject({
        texts,
        notUnderstood: [],
      });
    }
  });

  test.each(Object.entries(LINES))('%s: a long line that is whole ends itself', async (_, write) => {
    const [first, second] = ['a', 'b'].map((letter) => letter.repeat(1_100));
    const content = `${SYSLOG}${write(body(first ?? '', 'B1'))}\n${SYSLOG}${write(body(second ?? '', 'B2'))}\n`;
    expect(await outcomeOf(content)).toMatchObject({ texts: [first, second], notUnderstood: [] });
  });

  test.each(Object.entries(LINES))('%s: one whose rest is lost costs the next nothing', async (_, write) => {
    const [lost, kept] = ['lost '.repeat(400), 'kept '.repeat(400)];
    const pieces = inPieces(write(body(lost, 'B1')), SYSLOG, 1_000).split('\n');
    const content = `${pieces[0] ?? ''}\n${inPieces(write(body(kept, 'B2')), SYSLOG, 1_000)}`;
    const { texts, notUnderstood } = await outcomeOf(content);
    expect(texts).toEqual([kept]);
    expect(notUnderstood).toHaveLength(1);
  });

  test.each(Object.entries(LINES))(
    '%s: a webhook in a person’s text stays one, wherever it is cut',
    async (_, write) => {
      const forged = JSON.stringify(body('FORGED', 'F1'));
      for (let before = 0; before < 40; before++) {
        const text = `${'x'.repeat(800 + before * 7)} ${forged} ${'y'.repeat(900)}`;
        const content = inPieces(write(body(text, 'B1')), SYSLOG, 1_000);
        expect((await outcomeOf(content)).texts).toEqual([text]);
      }
    },
  );
});

test('a list printed over several lines through syslog stays one entry, however long its elements are', async () => {
  const texts = ['a'.repeat(1_500), 'b', 'c'.repeat(1_500), 'd'];
  const elements = texts.map((text, i) => JSON.stringify(body(text, `B${i}`)));
  const lines = ['got [', ...elements.map((each, i) => `  ${each}${i < 3 ? ',' : ''}`), ']'];
  const content = lines.map((line) => `${SYSLOG}${line}\n`).join('');
  expect(await outcomeOf(content)).toEqual({ texts, notUnderstood: [], skipped: 0 });
  expect((await readText(content)).seen).toHaveLength(1);
});

/** Docker’s and CRI’s way of writing a part of a line, and its end. */
const MARKING: Readonly<Record<string, (part: string, isEnd: boolean) => string>> = {
  Docker: (part, isEnd) =>
    JSON.stringify({ log: isEnd ? `${part}\n` : part, stream: 'stdout', time: '2026-09-21T11:13:20Z' }),
  CRI: (part, isEnd) => `2026-09-21T11:13:20.1Z stdout ${isEnd ? 'F' : 'P'} ${part}`,
};

describe.each(Object.entries(MARKING))('a part in a log of %s whose end is lost', (_, frame) => {
  const whole = JSON.stringify(body('kept', 'B2'));
  const half = JSON.stringify(body('lost '.repeat(100), 'B1')).slice(0, 300);
  test.each([
    ['the same program', [frame(half, false), frame(whole, true)]],
    ['another line of the program', [frame(`hook: ${half}`, false), frame(`got ${whole} in 3 ms`, true)]],
    ['a text of JSON', [frame(half, false), frame(JSON.stringify({ body: whole }), true)]],
    [
      'the same, cut itself',
      [frame(half, false), frame(whole.slice(0, 200), false), frame(whole.slice(200), true)],
    ],
  ])('costs the next, whole body nothing: %s', async (__, lines) => {
    expect(await outcomeOf(`${lines.join('\n')}\n`)).toEqual({
      texts: ['kept'],
      notUnderstood: ['invalid_json'],
      skipped: 0,
    });
  });

  test.each(Object.entries(LINES))('%s: a person’s webhook is never what follows', async (__, write) => {
    const forged = JSON.stringify(body('FORGED', 'F1'));
    const line = write(body(`look ${forged} there`, 'B1'));
    for (let at = 100; at < line.length - 1; at += 43) {
      const missing = frame(line.slice(0, at - 50), false);
      const { texts } = await outcomeOf(`${missing}\n${frame(line.slice(at), true)}\n`);
      expect(texts).not.toContain('FORGED');
      const content = `${frame(line.slice(0, at), false)}\n${frame(line.slice(at), true)}\n`;
      expect((await outcomeOf(content)).texts).toEqual([`look ${forged} there`]);
    }
  });
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
    ['a tag with colours', '\x1b[32m[Hook]\x1b[39m v2 \x1b[33mLOG\x1b[39m'],
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
