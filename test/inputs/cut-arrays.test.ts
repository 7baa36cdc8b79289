import { expect, test } from 'vitest';
import { live } from '../support/webhooks.js';
import { after, fileWith, read, readText } from './support.js';

const BODIES = ['A1', 'A2', 'A3'].map((key, index) => JSON.stringify(live(key, index)));

test('an array that is cut off in an element does not take the lines after it', async () => {
  const { texts } = await readText(`[{"a":1},{"a":\n${BODIES.join('\n')}\n`);
  expect(texts).toEqual(['{"a":1}', '{"a":', ...BODIES]);
});

test('a line of opening brackets does not take the lines after it', async () => {
  for (const depth of [5_000, 100_000]) {
    const { texts } = await readText(`${'['.repeat(depth)}\n${BODIES.join('\n')}\n`);
    expect(texts.slice(-3)).toEqual(BODIES);
  }
});

test('the places behind a cut element resume where the whole reading goes on', async () => {
  const text = `[{"a":1},{"a":\n${BODIES.join('\n')}\n`;
  const file = await fileWith(text);
  const { seen, items } = await read(file);
  for (const [index, item] of items.entries()) {
    // That the file ends in the array is said by every run.
    if (item.kind === 'problem') continue;
    const rest = await read(file, { chunkBytes: index + 1, resume: after(item) });
    expect(rest.seen).toEqual(seen.slice(index + 1));
  }
});

test('an array with a line to each element is read as it was', async () => {
  for (const text of [
    `[${BODIES.join(',\n')}]`,
    `[${BODIES.join('\n,')}\n]\n`,
    `[\n${BODIES.join(',\n')}\n]`,
  ])
    expect((await readText(text)).texts).toEqual(BODIES);
});
