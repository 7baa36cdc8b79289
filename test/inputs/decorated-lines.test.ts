import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PSQL_CELLS, SUFFIXED_LINES, type LinesFrame } from '../support/log-frames.js';
import { bodyWith, PASTED_BODY, PLACES_OF_TEXTS, TEXTS_WITH_WEBHOOKS } from '../support/pasted-webhooks.js';
import { outcomes, UNREAD } from './outcomes.js';
import { after, readText } from './support.js';
import { inTurn, tries } from '../support/seed.js';

/**
 * JSON over several lines with something behind each of them, or with the newest line first. It is read or reported, and a webhook in a
 * customer's text is never an entry of its own (rule E1).
 */

const json = (body: unknown, indent = 2): string[] => JSON.stringify(body, null, indent).split('\n');
const next = (i: number): string => `2026-09-21 INFO got ${JSON.stringify(bodyWith(`next ${i}`, `N${i}`))}`;
const isOwn = (outcome: string): boolean => !outcome.startsWith(UNREAD);

describe.each(Object.entries(PSQL_CELLS))('psql: %s', (_, frame) => {
  test('is read with what stands around it', async () => {
    const lines = TEXTS_WITH_WEBHOOKS.flatMap((text, i) => [
      ...frame(json(bodyWith(text, `B${i}`), 4 - (i % 2) * 2)),
      next(i),
    ]);
    const expected = TEXTS_WITH_WEBHOOKS.flatMap((text, i) => [text, `next ${i}`]);
    expect(outcomes(await readText(`${lines.join('\n')}\n`))).toEqual(expected);
  });

  test('brings no message of its texts where lines are missing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TEXTS_WITH_WEBHOOKS),
        fc.nat(),
        fc.nat(),
        async (text, from, to) => {
          const all = frame(json(bodyWith(text)));
          const start = from % all.length;
          const lines = all.slice(start, start + 1 + (to % (all.length - start)));
          const found = outcomes(await readText([next(1), ...lines, next(2), next(3), ''].join('\n')));
          expect(found.filter((each) => isOwn(each) && each !== text)).toEqual([
            'next 1',
            'next 2',
            'next 3',
          ]);
        },
      ),
      { numRuns: tries(40) },
    );
  });
});

test('psql’s rows of one line and of several are read in one file', async () => {
  const rows = Array.from({ length: 9 }, (_, i) => {
    const body = bodyWith(`row ${i}`, `B${i}`);
    const head = [`-[ RECORD ${i + 1} ]---`, `id      | ${i}`];
    const [first = '', ...more] = json(body);
    const pretty = [`payload | ${first} +`, ...more.map((line) => `        | ${line} +`)];
    pretty.push((pretty.pop() ?? '').slice(0, -2));
    return [...head, ...(i % 4 === 3 ? pretty : [`payload | ${JSON.stringify(body)}`])];
  });
  const found = outcomes(await readText(`${rows.flat().join('\n')}\n`));
  expect(found).toEqual(rows.map((_, i) => `row ${i}`));
});

describe.each(Object.entries(SUFFIXED_LINES))('%s', (_, frame) => {
  test('is reported, and what stands around it is read', async () => {
    for (const [i, text] of TEXTS_WITH_WEBHOOKS.entries()) {
      for (const indent of [2, 4]) {
        const lines = frame(json(bodyWith(text), indent));
        const found = outcomes(await readText([next(i), ...lines, next(i), ''].join('\n')));
        expect(found.filter(isOwn), text).toEqual([`next ${i}`, `next ${i}`]);
        expect(found, text).toContain(`${UNREAD}printed_json`);
      }
    }
  });

  test('is resumed where it was, however the file is cut into chunks', async () => {
    const lines = TEXTS_WITH_WEBHOOKS.flatMap((text, i) => [next(i), ...frame(json(bodyWith(text)))]);
    const log = `${lines.join('\n')}\n`;
    const whole = await readText(log);
    expect((await readText(log, { chunkBytes: 777 })).seen).toEqual(whole.seen);
    for (const [i, item] of inTurn([...whole.items.entries()], log.length)) {
      const { seen: rest } = await readText(log, { resume: after(item) });
      expect(rest).toEqual(whole.seen.slice(whole.seen.length - rest.length));
      expect(rest.length).toBeGreaterThanOrEqual(whole.seen.length - i - 1);
    }
  });
});

const anyLines = fc.constantFrom(2, 3, 4).map((indent) => (body: unknown) => json(body, indent));
const anyFrame = fc.constantFrom<LinesFrame>(...Object.values(SUFFIXED_LINES), ...Object.values(PSQL_CELLS));

test('no text of such JSON brings a message, whatever is behind its lines and which of them are there', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyLines,
      anyFrame,
      fc.constantFrom(...PLACES_OF_TEXTS),
      fc.constantFrom(...TEXTS_WITH_WEBHOOKS),
      fc.nat(),
      fc.nat(),
      async (write, frame, place, text, from, to) => {
        const all = frame(write(place(text, 'B1')));
        const start = from % all.length;
        const lines = all.slice(start, start + 1 + (to % (all.length - start)));
        const found = outcomes(await readText([next(1), ...lines, next(2), next(3), ''].join('\n')));
        expect(found).not.toContain(PASTED_BODY);
        expect(found).toEqual(expect.arrayContaining(['next 1', 'next 2', 'next 3']));
      },
    ),
    { numRuns: tries(700) },
  );
});

test.each([
  ['words and a label', (body: string) => `2026-09-21 INFO  payload: ${JSON.stringify(body)}`],
  ['a quoted label', (body: string) => `2026-09-21 INFO "payload": ${JSON.stringify(body)}`],
  [
    'an object with blanks',
    (body: string) => `2026-09-21 INFO {  "id": 1,  "payload": ${JSON.stringify(body)}  }`,
  ],
  ['labels before it', (body: string) => `2026-09-21 {app="w",  "x": "y"} ${body}`],
  ['a quoted field before it', (body: string) => `a  "x": "y" payload=${body} `],
  ['a table of psql', (body: string) => `  1 | ${body} | 2026-09-21 11:13:20+00`],
])('a body in one line is read: %s', async (_, write) => {
  const body = JSON.stringify(bodyWith('one line', 'B1'));
  expect(outcomes(await readText(`${[next(1), write(body), next(2)].join('\n')}\n`))).toEqual([
    'next 1',
    'one line',
    'next 2',
  ]);
});
