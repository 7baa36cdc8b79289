import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import type { JsonValue } from '../../src/model/json.js';
import { only } from '../decode/meta-builders.js';
import { bodyWith, PASTED_BODY, PLACES_OF_TEXTS, TEXTS_WITH_WEBHOOKS } from '../support/pasted-webhooks.js';
import { readText } from './support.js';
import { tries } from '../support/seed.js';

/** Lines of a log of which the beginning or the end is lost. What is escaped in them is a person's words (rule E1). */

const TIME = '2026-09-21T11:13:20.600000000Z';
const PASTED = JSON.stringify(bodyWith(PASTED_BODY, 'EVIL'));

/** A text that ends the body around it, wherever one level of escapes is taken off. */
const ENDING_TEXTS = [
  `"}}]},"field":"messages"}]}]}\n${PASTED}\n{"a":"`,
  `x"}} ${PASTED}`,
  `{{{{[[[[ ${PASTED} }}`,
  `${PASTED} {`,
  `}}}}]]]] ${PASTED}`,
];

interface Outcome {
  texts: string[];
  /** The lines that are reported. */
  reported: number[];
}

async function outcomeOf(log: string): Promise<Outcome> {
  const texts: string[] = [];
  const reported: number[] = [];
  for (const item of (await readText(log)).items) {
    const { origin } = item.kind === 'problem' ? item.problem : item.entry;
    const line = origin.kind === 'file' ? origin.line : 0;
    const result =
      item.kind === 'problem' ? undefined : decodeEntry(item.entry.bytes, { include: new Set() });
    if (result?.kind !== 'decoded') {
      reported.push(line);
      continue;
    }
    if (result.entry.unrecognized.length > 0) reported.push(line);
    for (const { facts } of result.entry.sections)
      texts.push(...only('message', facts).map(({ body }) => body ?? ''));
  }
  return { texts, reported };
}

const next = (i: number): string => JSON.stringify(bodyWith(`next ${i}`, `N${i}`));
const GOOD = ['next 1', 'next 2', 'next 3'];

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** How logs keep a body in a line; the lines that they begin with. */
const CONTEXTS: Readonly<Record<string, { head?: string[]; write: (body: string) => string }>> = {
  NDJSON: { write: (body) => body },
  'behind words': { write: (body) => `2026-09-21 11:13:20 INFO hook ${body}` },
  syslog: { write: (body) => `Sep 21 11:13:20 host wa[12]: ${body}` },
  'Docker json-file': { write: (body) => JSON.stringify({ log: `${body}\n`, stream: 'stdout', time: TIME }) },
  COPY: {
    head: ['COPY public.w (id, payload) FROM stdin;'],
    write: (body) => `1\t${body.replaceAll('\\', '\\\\')}`,
  },
  CSV: { head: ['id,payload'], write: (body) => `1,${quoted(body)}` },
};

const anyBody = fc
  .tuple(
    fc.constantFrom<(text: string, id: string) => JsonValue>(...PLACES_OF_TEXTS),
    fc.constantFrom(...TEXTS_WITH_WEBHOOKS, ...ENDING_TEXTS),
  )
  .map(([place, text]) => JSON.stringify(place(text, 'A1')));

/** Fewer characters say nothing. */
const SHORTEST = 30;

describe.each(Object.entries(CONTEXTS))('%s', (_, { head = [], write }) => {
  test.each(['beginning', 'end'])(
    'a line whose %s is lost is reported, and brings no message',
    async (lost) => {
      await fc.assert(
        fc.asyncProperty(anyBody, fc.nat(), async (body, point) => {
          const at = 1 + (point % (body.length - SHORTEST));
          const cut = lost === 'beginning' ? body.slice(at) : body.slice(0, -at);
          const lines = [...head, write(next(1)), write(cut), write(next(2)), write(next(3)), ''];
          const { texts, reported } = await outcomeOf(lines.join('\n'));
          expect(texts).toEqual(GOOD);
          expect(reported).toEqual([head.length + 2]);
        }),
        { numRuns: tries(400) },
      );
    },
  );
});

test.each(Object.entries(CONTEXTS).filter(([name]) => ['NDJSON', 'behind words', 'syslog'].includes(name)))(
  'a file whose first line has lost its beginning: %s',
  async (_, { write }) => {
    await fc.assert(
      fc.asyncProperty(anyBody, fc.nat(), async (body, point) => {
        const cut = body.slice(1 + (point % (body.length - SHORTEST)));
        const { texts, reported } = await outcomeOf(
          [cut, write(next(1)), write(next(2)), write(next(3)), ''].join('\n'),
        );
        expect(texts).toEqual(GOOD);
        expect(reported).toContain(1);
      }),
      { numRuns: tries(400) },
    );
  },
);

test.each([
  ['words of the log', (body: string) => `13:20 INFO hook ${body}`],
  ['a bracket of the log', (body: string) => `:13:20] INFO ${body}`],
  ['structured data of syslog', (body: string) => `Id="1"] hook ${body}`],
  ['a wrapper', (body: string) => `:13:20Z","level":"info","msg":${body}}`],
  ['words before a field', (body: string) => `3:20 level=info payload=${JSON.stringify(body)}`],
  ['words before a text', (body: string) => `3:20 INFO payload: ${JSON.stringify(body)}`],
])('a body is read where only the beginning of %s is lost', async (_, write) => {
  const log = `${write(next(1))}\n2026-09-21 11:13:21 INFO hook ${next(2)}\n`;
  expect(await outcomeOf(log)).toEqual({ texts: ['next 1', 'next 2'], reported: [] });
});

describe('a line that is cut off behind', () => {
  const body = next(0);
  test.each([':', '[', '{', ','])('"%s" takes no other line along', async (last) => {
    for (let at = body.indexOf(last, SHORTEST); at !== -1; at = body.indexOf(last, at + 1)) {
      for (const write of ['NDJSON', 'behind words', 'syslog', 'Docker json-file']) {
        const { write: wrap } = CONTEXTS[write] ?? { write: String };
        const cut = wrap(body.slice(0, at + 1));
        for (const before of [[], [wrap(next(1))]]) {
          for (const end of ['\n', '']) {
            const lines = [...before, cut, wrap(next(2)), wrap(next(3))];
            const { texts, reported } = await outcomeOf(lines.join('\n') + end);
            expect(texts).toEqual(GOOD.slice(1 - before.length));
            expect(reported).toEqual([before.length + 1]);
          }
        }
      }
    }
  });
});

describe('a line with cells in a text makes no table of a log', () => {
  const CELLS = ['nome,"{""id"": 5, ""ok"": true}"', `x,${quoted(PASTED)},y`, `1;${quoted(PASTED)};`];
  /** How Python prints a body that has no apostrophes. */
  const printed = (text: string, i: number): string =>
    `INFO:root:body ${JSON.stringify(bodyWith(text, `P${i}`))
      .replaceAll('\\"', '\0')
      .replaceAll('"', "'")
      .replaceAll('\0', '"')}`;

  test.each(CELLS)('%s', async (cells) => {
    for (const more of [0, 1, 19]) {
      const rest = Array.from({ length: more }, (_, i) => `bom dia ${i}`);
      const texts = [cells, ...rest];
      expect(await outcomeOf(`${texts.map(printed).join('\n')}\n`)).toEqual({ texts, reported: [] });
    }
  });
});

test('a dump of requests is none, whatever separates the words of a message', async () => {
  const request = (text: string): string => {
    const body = JSON.stringify(bodyWith(text, text));
    const head = [
      'POST /webhook HTTP/1.1',
      'Host: a',
      'Accept: */*',
      'Accept-Encoding: deflate, gzip',
      'User-Agent: facebookexternalua',
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    return [...head, '', body].join('\r\n');
  };
  for (const texts of [['oi; tudo'], ['oi; tudo', 'a; b', 'c'], ['oi', 'a;b;c']]) {
    const log = texts.map(request).join('\r\n\r\n');
    expect(await outcomeOf(log)).toEqual({ texts, reported: [] });
  }
});

test('lines of base64 behind a line of words are no column, and the bodies beside them are read', async () => {
  const wrapped =
    Buffer.from(next(1))
      .toString('base64')
      .match(/.{1,76}/g) ?? [];
  const { texts } = await outcomeOf(['2026-09-21 INFO start', ...wrapped, next(2), ''].join('\n'));
  expect(texts).toContain('next 2');
});

describe('a line of pretty-printed JSON without its indentation', () => {
  const lines = JSON.stringify(bodyWith(`veja: ${PASTED} fim`), null, 2).split('\n');
  const from = lines.findIndex((line) => line.includes('"body"'));
  const [first = '', ...rest] = lines.slice(from).map((line) => line.trim());

  test.each([
    ['whole', first],
    ['from inside its text on', first.slice(first.indexOf('eja'))],
    ['from the webhook on', first.slice(first.indexOf('{'))],
  ])('brings no message of its text: %s', async (_, line) => {
    for (const words of ['', '2026-09-21 10:00:00 INFO ']) {
      const log = [line, ...rest, next(1)].map((each) => words + each).join('\n');
      expect((await outcomeOf(`${log}\n`)).texts).toEqual(['next 1']);
    }
  });
});
