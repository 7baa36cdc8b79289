import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { after, firstProblem, openPaths, readText, temporaryDirectory } from './support.js';

const SMALL = '{"a":1}';
const LARGE = JSON.stringify({ text: 'x'.repeat(500) });

const SHAPES: [string, string, string[]][] = [
  ['a line', `${SMALL}\n${LARGE}\n${SMALL}\n`, ['log:1', 'log:2', 'log:3']],
  ['a last line', `${SMALL}\n${SMALL}\n${LARGE}`, ['log:1', 'log:2', 'log:3']],
  ['an element', `[${SMALL},\n${LARGE},${SMALL}]`, ['log:1[0]', 'log:2[1]', 'log:2[2]']],
  [
    'a pretty-printed body',
    `{\n"a":1}\n{\n"text":"${'x'.repeat(500)}"\n}\n{\n"a":1}\n`,
    ['log:1', 'log:3', 'log:6'],
  ],
  ['a console line', `x ${SMALL}\nx ${LARGE}\nx ${SMALL}\n`, ['log:1', 'log:2', 'log:3']],
];

test.each(SHAPES)(
  '%s over the limit is reported with its place and size; its neighbors are read',
  async (_, text, places) => {
    for (const chunkBytes of [7, 100_000]) {
      const result = await readText(text, { maxEntryBytes: 100, chunkBytes });
      expect(result.seen.map(({ at }) => at)).toEqual(places);
      expect(result.problems).toHaveLength(1);
      expect(firstProblem(result)).toMatch(/An entry of 5\d\d bytes is over the limit of 100 bytes/);
      const rest = await readText(text, { maxEntryBytes: 100, chunkBytes, resume: after(result.items[1]) });
      expect(rest.seen).toEqual(result.seen.slice(2));
    }
  },
);

test('an entry as large as the limit is read', async () => {
  expect(
    (await readText(`\uFEFF${LARGE}\r\n`, { maxEntryBytes: LARGE.length, chunkBytes: 10 })).texts,
  ).toEqual([LARGE]);
});

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

function collectGarbage(): void {
  if (typeof collect !== 'function') throw new Error('this Node does not let tests collect garbage');
  Reflect.apply(collect, undefined, []);
}

async function writeLarge(before: string, after: string): Promise<string> {
  const file = path.join(await temporaryDirectory(), 'log');
  const piece = 'x'.repeat(1_000_000);
  await pipeline(
    Readable.from([before, ...Array.from({ length: 40 }, () => piece), after]),
    createWriteStream(file),
  );
  return file;
}

test.each([
  ['NDJSON', `${SMALL}\n{"text":"`, `"}\n${SMALL}\n`],
  ['an array', `[${SMALL},{"text":"`, `"},${SMALL}]`],
  ['CSV', `id,payload\n1,"{""a"":1}"\n2,"{""text"":""`, `""}"\n3,"{""a"":1}"\n`],
])('40 MB in one entry of %s are read past in flat memory', async (_, before, behind) => {
  const source = await openPaths([await writeLarge(before, behind)]);
  collectGarbage();
  const memoryBefore = process.memoryUsage();
  let most = 0;
  const watch = setInterval(() => {
    // Only what is still held counts: chunks that were read past wait for the collector, which runs when it likes.
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    most = Math.max(most, heapUsed + external - memoryBefore.heapUsed - memoryBefore.external);
  }, 20);
  const kinds = [];
  for await (const item of source.items()) kinds.push(item.kind);
  clearInterval(watch);
  expect(kinds).toEqual(['entry', 'problem', 'entry']);
  expect(most).toBeLessThan(30_000_000);
});

test('an array of many elements is never held as a whole', async () => {
  const file = path.join(await temporaryDirectory(), 'log');
  const element = `${JSON.stringify({ text: 'y'.repeat(10_000) })},\n`;
  await pipeline(
    Readable.from(['[', ...Array.from({ length: 4000 }, () => element), SMALL, ']']),
    createWriteStream(file),
  );
  const before = process.memoryUsage.rss();
  let entries = 0;
  let problems = 0;
  let most = 0;
  for await (const item of (await openPaths([file])).items()) {
    if (item.kind === 'entry') entries++;
    else problems++;
    most = Math.max(most, process.memoryUsage.rss() - before);
  }
  expect(entries).toBe(4001);
  expect(most).toBeLessThan(38_000_000);
  expect(problems).toBe(0);
});
