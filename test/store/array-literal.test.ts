import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrayLiteral } from '../../src/store/array-literal.js';
import { describeOnBackends } from '../support/databases.js';
import { anyCharacter } from '../support/any-text.js';
import { tries } from '../support/seed.js';

/** Any Unicode text that PostgreSQL can store, and often what an array literal could misread. */
const text = fc.oneof(
  fc.string({ unit: anyCharacter }).map((value) => value.replaceAll('\u0000', '')),
  fc.constantFrom(
    '',
    'NULL',
    'null',
    'Null',
    '{}',
    '{a,b}',
    '"',
    '\\',
    '\\"',
    "'",
    ' ',
    '\t',
    '\n',
    '\r',
    ',',
    '\u00a0',
    '\u000b',
  ),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', ',', ' ', 'N', 'U', 'L', "'", '\n', '😀', 'é') }),
);

describeOnBackends('an array literal', (backend) => {
  test('brings every text back as it was', async () => {
    const store = await backend.open();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text, { freq: 10 }), { maxLength: 30 }), async (values) => {
        const rows = await store.sql.query(
          'select value from unnest($1::text[]) with ordinality as t (value, place) order by place',
          [arrayLiteral(values)],
        );
        expect(rows.map((row) => row.value)).toEqual(values);
      }),
      { numRuns: tries(200) },
    );
  });

  test('brings every byte back as it was', async () => {
    const store = await backend.open();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.uint8Array(), { freq: 10 }), { maxLength: 10 }),
        async (values) => {
          const rows = await store.sql.query(
            'select value from unnest($1::bytea[]) with ordinality as t (value, place) order by place',
            [arrayLiteral(values)],
          );
          expect(rows.map((row) => row.value)).toEqual(values);
        },
      ),
      { numRuns: tries(50) },
    );
  });

  test('carries numbers, booleans, times and absent values', async () => {
    const store = await backend.open();
    const at = new Date('2026-03-01T10:00:00.123Z');
    const [row] = await store.sql.query(
      'select $1::integer[] as numbers, $2::boolean[] as truths, $3::timestamptz[] as times, $4::jsonb[] as documents',
      [
        arrayLiteral([1, -2, null]),
        arrayLiteral([true, false, undefined]),
        arrayLiteral([at, null]),
        arrayLiteral([JSON.stringify({ text: 'say "hi", {you}\\' })]),
      ],
    );
    expect(row?.numbers).toEqual([1, -2, null]);
    expect(row?.truths).toEqual([true, false, null]);
    expect(row?.times).toEqual([at, null]);
    expect(row?.documents).toEqual([{ text: 'say "hi", {you}\\' }]);
  });

  test('of nothing is an empty array', async () => {
    const store = await backend.open();
    const [row] = await store.sql.query('select $1::text[] as texts, $2::bytea[] as bytes', [
      arrayLiteral([]),
      arrayLiteral([]),
    ]);
    expect(row).toEqual({ texts: [], bytes: [] });
  });
});
