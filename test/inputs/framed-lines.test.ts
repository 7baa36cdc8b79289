import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinFrames } from '../../src/decode/envelopes/line-frames.js';
import { after, fileWith, read, readText, type Seen, expectResumed } from './support.js';
import { tries } from '../support/seed.js';

const BODY = '{"object":"whatsapp_business_account","entry":[{"id":"1","text":"Olá \\"tudo\\" bem?\\nçã"}]}';

/** How a log system writes what one stream prints: each line of the text in as many lines as its limit makes of it. */
interface LogSystem {
  /** The lines of one printed line. */
  frame(text: Buffer, stream: number): Buffer[];
  /** Streams that it can tell apart. */
  streams: number;
}

function pieces(text: Buffer, size: number): Buffer[] {
  const count = Math.max(1, Math.ceil(text.length / size));
  return Array.from({ length: count }, (_, i) => text.subarray(i * size, (i + 1) * size));
}

/** Docker writes text: a piece must end where a character does. */
function textPieces(text: string, size: number): string[] {
  const characters = Array.from(text);
  const count = Math.max(1, Math.ceil(characters.length / size));
  return Array.from({ length: count }, (_, i) => characters.slice(i * size, (i + 1) * size).join(''));
}

const SYSTEMS: Record<string, LogSystem> = {
  docker: {
    streams: 2,
    frame: (text, stream) => {
      const parts = textPieces(text.toString(), 50);
      return parts.map((part, i) =>
        Buffer.from(
          JSON.stringify({
            log: i === parts.length - 1 ? `${part}\n` : part,
            stream: stream === 0 ? 'stdout' : 'stderr',
            time: '2025-09-16T05:00:00.123456789Z',
          }),
        ),
      );
    },
  },
  cri: {
    streams: 2,
    frame: (text, stream) => {
      const parts = pieces(text, 40);
      return parts.map((part, i) =>
        Buffer.concat([
          Buffer.from(
            `2025-09-16T05:00:00.123456789Z ${stream === 0 ? 'stdout' : 'stderr'} ${i === parts.length - 1 ? 'F' : 'P'} `,
          ),
          part,
        ]),
      );
    },
  },
  journald: {
    streams: 5,
    frame: (text, stream) => {
      const parts = textPieces(text.toString(), 60);
      return parts.map((part, i) =>
        Buffer.from(
          JSON.stringify({
            __REALTIME_TIMESTAMP: '1757998800123456',
            _PID: String(stream),
            MESSAGE: part,
            ...(i < parts.length - 1 ? { _LINE_BREAK: 'line-max' } : {}),
          }),
        ),
      );
    },
  },
  heroku: {
    streams: 5,
    frame: (text, stream) =>
      pieces(text, 10_000).map((part) =>
        Buffer.concat([Buffer.from(`2025-09-16T05:00:00.123456+00:00 app[web.${stream}]: `), part]),
      ),
  },
  compose: {
    streams: 5,
    frame: (text, stream) => [Buffer.concat([Buffer.from(`web-${stream}  | `), text])],
  },
  'syslog with a limit of 1024 bytes': {
    streams: 5,
    frame: (text, stream) =>
      pieces(text, 1024 - 30).map((part) =>
        Buffer.concat([Buffer.from(`Sep 16 05:00:00 host web[100${stream}]: `), part]),
      ),
  },
};

/** What a program printed, as JSON or prose. */
interface Printed {
  stream: number;
  value: unknown;
  form: 'compact' | 'pretty' | 'prose';
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('x'.repeat(700), 'é"\\\n👩‍👩‍👧'.repeat(450)),
);
const printed: fc.Arbitrary<Printed> = fc.record({
  stream: fc.nat(4),
  value: fc.record({
    object: fc.constant('whatsapp_business_account'),
    text,
    list: fc.array(fc.integer(), { minLength: 1, maxLength: 3 }),
  }),
  form: fc.constantFrom('compact', 'pretty', 'prose'),
});

/** The lines of each stream in their order, those of several streams between each other as `order` says. */
function interleave(streams: Buffer[][], order: number[]): Buffer[] {
  const left = streams.map((lines) => [...lines]);
  const lines: Buffer[] = [];
  for (let turn = 0; left.some((stream) => stream.length > 0); turn++) {
    const choice = (order[turn % order.length] ?? 0) % left.length;
    const stream = (left[choice]?.length ?? 0) > 0 ? left[choice] : left.find(({ length }) => length > 0);
    const line = stream?.shift();
    if (line !== undefined) lines.push(line);
  }
  return lines;
}

/** The value that an entry holds, whether it is the bare JSON or the framed lines around it. */
function valueOf({ text: latin1 = '' }: Seen): unknown {
  const bytes = Buffer.from(latin1, 'latin1');
  return JSON.parse(joinFrames(bytes)?.text ?? bytes.toString());
}

describe.each(Object.entries(SYSTEMS))('%s', (_, system) => {
  test('joins cut lines and values over several lines per stream, however they are interleaved and read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(printed, { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(4), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 7, max: 5000 }),
        fc.nat(),
        async (texts, order, chunkBytes, point) => {
          const streams: Buffer[][] = Array.from({ length: system.streams }, () => []);
          const expected: string[] = [];
          for (const { stream, value, form } of texts) {
            const lines =
              form === 'prose'
                ? ['GET /health 200']
                : JSON.stringify(value, null, form === 'pretty' ? 2 : 0).split('\n');
            const index = stream % system.streams;
            for (const line of lines) streams[index]?.push(...system.frame(Buffer.from(line), index));
            if (form !== 'prose') expected.push(JSON.stringify(value));
          }
          const lines = interleave(streams, order);
          const file = await fileWith(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
          const { items, seen, problems } = await read(file);
          if (expected.length > 0) expect(problems).toEqual([]);
          expect(
            seen
              .filter((entry) => entry.problem === undefined)
              .map((entry) => JSON.stringify(valueOf(entry)))
              .sort(),
          ).toEqual(expected.sort());
          const cut = await read(file, { chunkBytes });
          expect(cut.items).toEqual(items);
          if (items.length === 0) return;
          await expectResumed(file, { items, seen }, point, { chunkBytes });
        },
      ),
      { numRuns: tries(15) },
    );
  });
});

const docker = (log: string, stream = 'stdout'): string =>
  JSON.stringify({ log, stream, time: '2025-09-16T05:00:00.5Z' });

test('a line of Docker that holds a body is an entry as it is in the file, chatter is none', async () => {
  const { seen, source } = await readText(
    `${docker('Server started\n')}\n${docker(`INFO ${BODY}\n`)}\r\n\n${docker('GET /health 200\n')}\n`,
  );
  expect(seen).toEqual([{ at: 'log:2', text: Buffer.from(docker(`INFO ${BODY}\n`)).toString('latin1') }]);
  expect(source.skippedLines()).toBe(2);
});

test('the parts of two streams are joined each for itself, and named by the first line', async () => {
  const lines = [
    docker(BODY.slice(0, 30)),
    docker(BODY.slice(0, 20), 'stderr'),
    docker(BODY.slice(30, 60)),
    docker(`${BODY.slice(20)}\n`, 'stderr'),
    docker(`${BODY.slice(60)}\n`),
  ];
  const { seen, texts } = await readText(`${lines.join('\n')}\n`);
  expect(seen.map(({ at }) => at)).toEqual(['log:2', 'log:1']);
  expect(texts.map((entry) => Buffer.from(entry, 'latin1').toString())).toEqual([
    [lines[1], lines[3]].join('\n'),
    [lines[0], lines[2], lines[4]].join('\n'),
  ]);
});

test('behind a prefix that fits one line, the JSON alone is the entry, with the time of the frame', async () => {
  const { seen } = await readText(
    [
      `2025-09-16T05:00:00.123456789Z stdout F INFO ${BODY}`,
      `2025-09-16T05:00:01.123456+00:00 app[web.1]: ${BODY}`,
      `web-1  | 2025-09-16T05:00:02Z ${BODY}`,
    ].join('\n'),
  );
  const text = Buffer.from(BODY).toString('latin1');
  expect(seen).toEqual([
    { at: 'log:1', text, receivedAt: '2025-09-16T05:00:00.123Z' },
    { at: 'log:2', text, receivedAt: '2025-09-16T05:00:01.123Z' },
    { at: 'log:3', text, receivedAt: '2025-09-16T05:00:02.000Z' },
  ]);
});

test('lines without their line ends, as Fluent Bit writes them, are entries of their own, and parts are still joined', async () => {
  const large = JSON.stringify({ object: 'whatsapp_business_account', text: 'x'.repeat(20_000) });
  const lines = [
    docker(BODY),
    docker('GET /health 200'),
    docker(large),
    docker(BODY.slice(0, 40)),
    docker(BODY.slice(40)),
    docker(BODY),
  ];
  const { seen } = await readText(`${lines.join('\n')}\n`);
  expect(seen.map(({ at }) => at)).toEqual(['log:1', 'log:3', 'log:4', 'log:6']);
  expect(seen.map(valueOf)).toEqual([BODY, large, BODY, BODY].map((body): unknown => JSON.parse(body)));
});

test('a part that never ends is an entry, and comes again once the file has grown', async () => {
  const text = `${docker(`${BODY}\n`)}\n${docker(BODY.slice(0, 40))}\n`;
  const { items, texts } = await readText(text);
  expect(texts).toHaveLength(2);
  expect(joinFrames(Buffer.from(texts[1] ?? '', 'latin1'))).toMatchObject({ complete: false });
  const grown = await readText(`${text}${docker(`${BODY.slice(40)}\n`)}\n`, { resume: after(items[1]) });
  expect(grown.seen.map(valueOf)).toEqual([JSON.parse(BODY)]);
});

test('a part whose stream says nothing more is given while others go on', async () => {
  const chatter = `${docker('x\n', 'stderr')}\n`.repeat(12_000);
  const { seen, problems } = await readText(`${docker(BODY.slice(0, 40))}\n${chatter}${docker('rest\n')}\n`);
  expect(problems).toEqual([]);
  expect(seen.map(({ at }) => at)).toEqual(['log:1']);
});

test('a joined line over the limit is reported with its first line', async () => {
  const part = docker('{"a":"'.padEnd(200, 'x'));
  const { problems, texts } = await readText(
    `${part}\n${part}\n${docker(`"}\n`)}\n${docker('{"b":1}\n')}\n`,
    {
      maxEntryBytes: 300,
    },
  );
  expect(problems).toEqual(['entry_too_large log:1']);
  expect(texts).toHaveLength(1);
});

test('a body that syslog cut off for good costs the next one nothing', async () => {
  const cut = `${BODY.slice(0, 60)}${'x'.repeat(1000)}`;
  const line = (text: string): string => `Sep 16 05:00:00 host web[1]: ${text}`;
  const { texts } = await readText([line(cut), line(cut), line('started'), line(BODY), ''].join('\n'));
  expect(texts.map((entry) => entry.length)).toEqual([
    line(cut).length,
    line(cut).length,
    Buffer.from(BODY).length,
  ]);
});

test('what journalctl left out is an entry, so that the decoder says what to do', async () => {
  const line = (message: string | null): string =>
    JSON.stringify({ __REALTIME_TIMESTAMP: '1757998800123456', _PID: '7', MESSAGE: message });
  const { texts } = await readText(`${line('started')}\n${line(null)}\n${line(BODY)}\n`);
  expect(texts).toHaveLength(2);
});
