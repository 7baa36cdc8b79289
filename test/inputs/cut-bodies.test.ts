import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { base64, nginx, python, pythonBytes, ruby } from '../decode/wrap.js';
import { body, outcomeOf } from './body-texts.js';

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
