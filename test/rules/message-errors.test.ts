import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeErrors } from '../../src/rules/merge-values.js';
import type { MessageError } from '../../src/model/facts.js';
import { tries } from '../support/seed.js';

const word = fc.option(fc.constantFrom('a', 'b', 'aa', 'ab', 'é'), { nil: undefined });
const error = fc
  .record({ code: fc.option(fc.constantFrom(0, 1, 131_047), { nil: undefined }), title: word, details: word })
  .map(({ code, title, details }): MessageError => ({
    ...(code === undefined ? {} : { code }),
    ...(title === undefined ? {} : { title }),
    ...(details === undefined ? {} : { details }),
  }));
const errors = fc
  .option(fc.array(error, { minLength: 1, maxLength: 3 }))
  .map((list) => mergeErrors(null, list));

test('errors merge the same in any order and however often', () => {
  fc.assert(
    fc.property(errors, errors, errors, (a, b, c) => {
      expect(mergeErrors(a, b)).toEqual(mergeErrors(b, a));
      expect(mergeErrors(mergeErrors(a, b), c)).toEqual(mergeErrors(a, mergeErrors(b, c)));
      expect(mergeErrors(a, a)).toBe(a);
      expect(mergeErrors(mergeErrors(a, b), b)).toEqual(mergeErrors(a, b));
    }),
    { numRuns: tries(2000) },
  );
});
