import { describe, expect, test } from 'vitest';
import { joinFrames, readFrame, type Frame } from '../../src/decode/envelopes/line-frames.js';

/** A body with everything that a frame can harm: quotes, backslashes, line ends in texts, characters of 1 to 4 bytes. */
const BODY = JSON.stringify({
  object: 'whatsapp_business_account',
  text: 'Olá "tudo" bem?\nSegunda linha \\ ação 👩‍👩‍👧 日本\t'.repeat(400),
});
const TIME = Date.UTC(2025, 8, 16, 5, 0, 0, 123);

function frameOf(line: string): Frame {
  const frame = readFrame(Buffer.from(line));
  if (frame === undefined) throw new Error(`no frame: ${line}`);
  return frame;
}

function docker(log: string, more: object = {}): string {
  return JSON.stringify({ log, stream: 'stdout', time: '2025-09-16T05:00:00.123456789Z', ...more });
}

/** Cuts a text into pieces of so many bytes, also inside characters. */
function pieces(text: string, size: number): Buffer[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
}

describe('a framed line', () => {
  test.each([
    ['docker', docker('{"a":1}\n'), '{"a":1}', TIME],
    ['docker', docker('{"a":1}\r\n', { attrs: { tag: 'web' } }), '{"a":1}', TIME],
    ['docker', '{"container_id":"ab","container_name":"/web","source":"stdout","log":"x"}', 'x', undefined],
    ['cri', '2025-09-16T05:00:00.123456789Z stdout F {"a":1}', '{"a":1}', TIME],
    ['cri', '2025-09-16T07:00:00.123+02:00 stderr F:tag ', '', TIME],
    [
      'journald',
      `{"MESSAGE":"got {}","__REALTIME_TIMESTAMP":"${TIME}456","_PID":"7","_HOSTNAME":"h"}`,
      'got {}',
      TIME,
    ],
    ['journald', `{"MESSAGE":[195,161],"__REALTIME_TIMESTAMP":"${TIME}456"}`, 'á', TIME],
    ['heroku', '2025-09-16T05:00:00.123456+00:00 app[web.1]: {"a":1}', '{"a":1}', TIME],
    ['syslog_rfc3164', '<13>Sep 16 05:00:00 host web[12]: {"a":1}', '{"a":1}', undefined],
    [
      'syslog_rfc3164',
      'Sep  6 05:00:00 host web: 2025-09-16T05:00:00.123Z {}',
      '2025-09-16T05:00:00.123Z {}',
      TIME,
    ],
    ['syslog_rfc3164', '2025-09-16T05:00:00.123+0000 host web[12]: {"a":1}', '{"a":1}', TIME],
    ['syslog_rfc3164', 'Sep 16 05:00:00 h w[1]: {#012  "a": "x#012y"#012}', '{\n  "a": "x\ny"\n}', undefined],
    ['syslog_rfc3164', 'Sep 16 05:00:00 h w[1]: {"a":"x#012y"}', '{"a":"x#012y"}', undefined],
    ['syslog_rfc5424', '<14>1 2025-09-16T05:00:00.123Z host app 1 - - {"a":1}', '{"a":1}', TIME],
    [
      'syslog_rfc5424',
      '<14>1 2025-09-16T05:00:00.123Z h app 1 id [a@1 k="v\\"]x" l="2"][b] \uFEFF[{"a":1}]',
      '[{"a":1}]',
      TIME,
    ],
    ['syslog_rfc5424', '152 <190>1 2025-09-16T05:00:00.123+00:00 d.1 app web.1 - {"a":1}', '{"a":1}', TIME],
    ['pm2', '0|webhook  | 2025-09-16T05:00:00.123Z: {"a":1}', '2025-09-16T05:00:00.123Z: {"a":1}', TIME],
    ['compose', 'web-1      | {"a":1}', '{"a":1}', undefined],
    ['compose', '\x1b[36mweb-1  | \x1b[0m{"a":1}', '{"a":1}', undefined],
  ])('of %s gives its text and time: %s', (form, line, content, time) => {
    const frame = frameOf(line);
    expect(frame).toMatchObject({ form, partial: false, time, omitted: false });
    expect(frame.content.toString()).toBe(content);
  });

  test.each([
    '',
    '{"object":"whatsapp_business_account","entry":[]}',
    '{"log":{"level":"info"},"stream":"x"}',
    '{"level":"info","log":"a line of a program that calls its text log"}',
    '{"log":"cut',
    '2025-09-16T05:00:00Z INFO webhook: {"a":1}',
    '[2025-09-16 05:00:00] {"a":1}',
    '| 1 | {"a":1} |',
    '  1 | {"a":1} | 2025-09-16',
  ])('is not: %s', (line) => {
    expect(readFrame(Buffer.from(line))).toBeUndefined();
  });

  test('tells streams and containers apart', () => {
    const streams = [
      docker('a'),
      docker('a', { stream: 'stderr' }),
      docker('a', { kubernetes: { pod_name: 'b' } }),
      '2025-09-16T05:00:00Z stdout F a',
      '2025-09-16T05:00:00Z app[web.1]: a',
      '2025-09-16T05:00:00Z app[web.2]: a',
      'web-1 | a',
    ].map((line) => frameOf(line).stream);
    expect(new Set(streams).size).toBe(streams.length);
  });

  test('says that journalctl left its text out', () => {
    expect(frameOf('{"MESSAGE":null,"__REALTIME_TIMESTAMP":"1"}').omitted).toBe(true);
  });
});

describe('a line that was cut is the line again', () => {
  const characters = Array.from(BODY);

  test('by Docker', () => {
    const parts = [characters.slice(0, 4000), characters.slice(4000, 8000), characters.slice(8000)];
    const lines = parts.map((part, i) => docker(part.join('') + (i === 2 ? '\n' : '')));
    expect(joinFrames(Buffer.from(lines.join('\n')))).toMatchObject({
      text: BODY,
      time: TIME,
      complete: true,
    });
    expect(joinFrames(Buffer.from(lines.slice(0, 2).join('\n')))?.complete).toBe(false);
  });

  test('by CRI, inside a character', () => {
    const parts = pieces(BODY, 4097);
    const lines = parts.map((part, i) =>
      Buffer.concat([
        Buffer.from(`2025-09-16T05:00:00.123Z stdout ${i === parts.length - 1 ? 'F' : 'P'} `),
        part,
        Buffer.from('\n'),
      ]),
    );
    expect(joinFrames(Buffer.concat(lines))).toMatchObject({ form: 'cri', text: BODY, complete: true });
  });

  test('by Heroku, at 10,000 bytes', () => {
    const lines = pieces(BODY, 10_000).flatMap((part) => [
      Buffer.from('2025-09-16T05:00:00.123456+00:00 app[web.1]: '),
      part,
      Buffer.from('\n'),
    ]);
    expect(joinFrames(Buffer.concat(lines))).toMatchObject({ form: 'heroku', text: BODY });
  });

  test('by journald', () => {
    const parts = pieces(BODY, 5000);
    const lines = parts.map((part, i) =>
      JSON.stringify({
        MESSAGE: [...part],
        __REALTIME_TIMESTAMP: '1757998800123456',
        ...(i < parts.length - 1 ? { _LINE_BREAK: 'line-max' } : {}),
      }),
    );
    expect(joinFrames(Buffer.from(lines.join('\n')))).toMatchObject({ text: BODY, complete: true });
  });

  test('by syslog, whose packets end anywhere', () => {
    const lines = pieces(BODY, 990).flatMap((part) => [
      Buffer.from('Sep 16 05:00:00 host web[1]: '),
      part,
      Buffer.from('\n'),
    ]);
    expect(joinFrames(Buffer.concat(lines))?.text).toBe(BODY);
  });
});

test('lines that were not cut keep their line ends', () => {
  const pretty = JSON.stringify({ a: 'é', b: [1, 2] }, null, 2);
  const lines = (frame: string): Buffer =>
    Buffer.from(
      pretty
        .split('\n')
        .map((line) => frame + line)
        .join('\r\n'),
    );
  expect(joinFrames(lines('web-1  | '))?.text).toBe(pretty);
  expect(joinFrames(lines('2025-09-16T05:00:00Z stdout F '))?.text).toBe(pretty);
  expect(
    joinFrames(
      Buffer.from(
        pretty
          .split('\n')
          .map((line) => docker(`${line}\n`))
          .join('\n'),
      ),
    )?.text,
  ).toBe(pretty);
});

test('bytes that are no framed lines are nothing that could be joined', () => {
  expect(joinFrames(Buffer.from(BODY))).toBeUndefined();
  expect(joinFrames(Buffer.from(`${docker('a')}\n{"b":1}`))).toBeUndefined();
  expect(joinFrames(Buffer.from(`${docker('a')}\nweb-1 | b`))).toBeUndefined();
  expect(joinFrames(Buffer.from(''))).toBeUndefined();
});
