import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tarOf } from '../support/tar.js';
import { zipOf } from '../support/zip.js';
import { expectResumed, fileWith, read } from './support.js';
import { tries } from '../support/seed.js';

test('tar: any cutting into chunks and any resume point give the same entries', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 700 }),
      fc.nat(),
      async (days, packed, chunkBytes, point) => {
        const tar = tarOf(
          days.map((day, i) => {
            const text = day.map((n) => `got {"n":${n}}\n`).join('');
            return { name: `day-${i}.log`, content: i % 2 === 1 ? gzipSync(text) : text };
          }),
        );
        const file = await fileWith(packed ? gzipSync(tar) : tar, 'backup');
        const { items, seen } = await read(file);
        expect(seen.map(({ text }) => text)).toEqual(days.flat().map((n) => `{"n":${n}}`));
        expect((await read(file, { chunkBytes })).items).toEqual(items);
        await expectResumed(file, { items, seen }, point, { chunkBytes });
      },
    ),
    { numRuns: tries(25) },
  );
});

test('zip: any cutting into chunks and any resume point give the same entries, whatever the name of the archive', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 300 }),
      fc.nat(),
      async (days, stored, chunkBytes, point) => {
        const members = days.map((day, i) => ({
          name: `day-${i}.log`,
          content: day.map((n) => `got {"n":${n}}\n`).join(''),
          stored,
        }));
        const file = await fileWith(zipOf(members), 'backup');
        const { items, seen } = await read(file);
        expect(seen.map(({ text }) => text)).toEqual(days.flat().map((n) => `{"n":${n}}`));
        expect((await read(file, { chunkBytes })).items).toEqual(items);
        await expectResumed(file, { items, seen }, point, { chunkBytes });
      },
    ),
    { numRuns: tries(25) },
  );
});
