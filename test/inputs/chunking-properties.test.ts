import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode } from '../decode/meta-builders.js';
import { BODY, entriesOf, lines, TEXT } from './google-entries.js';
import { PRINTS, raw } from './prints.js';
import { after, fileWith, read, readText } from './support.js';
import { tries } from '../support/seed.js';

test('prints over several lines: any cutting into chunks and any resume point give the same entries', async () => {
  const parts = [
    ...Object.values(PRINTS).map((write) => write("it's\n\\")),
    'options: {',
    "  a: 'b',",
    '  list: [',
    '}',
    '[',
    raw('x'),
    '',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 300 }),
      async (chosen, chunkBytes) => {
        const text = chosen.join('\n');
        const whole = await readText(text);
        const cut = await readText(text, { chunkBytes });
        expect(cut.seen).toEqual(whole.seen);
        for (const [i, item] of whole.items.entries()) {
          const resumed = await readText(text, { resume: after(item) });
          const isCut = resumed.items.length === whole.items.length - i;
          expect(resumed.seen).toEqual(whole.seen.slice(isCut ? i : i + 1));
        }
      },
    ),
    { numRuns: tries(60) },
  );
});

test('LogEntries that Google Cloud split: any order, cutting into chunks and resume point give the same entries', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { minLength: 24, maxLength: 24 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 400 }),
      async (totals, order, isArray, isCut, chunkBytes) => {
        const parts = totals.flatMap((total, i) => entriesOf(BODY.replace(TEXT, `n${i}`), total, `u${i}`));
        const places = new Map(parts.map((part, i) => [part, order[i] ?? 0]));
        parts.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
        if (isCut && parts.length > 1) parts.pop();
        const file = await fileWith(isArray ? JSON.stringify(parts, null, 1) : lines(parts));
        const { items, seen } = await read(file, { chunkBytes });
        const uids = seen.map(({ text = '' }) => /"(u\d)-/.exec(text)?.[1]);
        expect(new Set(uids)).toEqual(new Set(parts.map(({ insertId }) => insertId.slice(0, 2))));
        expect(uids).toHaveLength(new Set(uids).size);
        const isWhole = (text = ''): boolean => decode(text).unrecognized.length === 0;
        for (const [i, item] of items.entries()) {
          // What the end of the file left without its parts comes again.
          if (!isWhole(seen[i]?.text)) continue;
          expect((await read(file, { chunkBytes, resume: after(item) })).seen).toEqual(seen.slice(i + 1));
        }
      },
    ),
    { numRuns: tries(60) },
  );
});
