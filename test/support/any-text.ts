import fc from 'fast-check';

const SURROGATES = { from: 0xd800, count: 0x800 };

/**
 * One character, from all of Unicode, often of ASCII. fast-check's own `binary` builds a table of a million characters first, which
 * takes each process a second.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: charactersTo(0x7f) },
  { weight: 7, arbitrary: charactersTo(0x10ffff - SURROGATES.count) },
);

/** A character, or half of one, which is no text but stands in JSON. */
export const anyUnit: fc.Arbitrary<string> = fc.oneof(
  { weight: 9, arbitrary: anyCharacter },
  { weight: 1, arbitrary: unitsFrom(SURROGATES.from, SURROGATES.count) },
);

function charactersTo(max: number): fc.Arbitrary<string> {
  return fc.integer({ min: 0, max }).map(characterAt, (text) => {
    const point = onlyPoint(text);
    return point < SURROGATES.from ? point : point - SURROGATES.count;
  });
}

/** The character at an index among those that are whole. */
function characterAt(index: number): string {
  return String.fromCodePoint(index < SURROGATES.from ? index : index + SURROGATES.count);
}

function unitsFrom(first: number, count: number): fc.Arbitrary<string> {
  return fc
    .integer({ min: first, max: first + count - 1 })
    .map((code) => String.fromCharCode(code), onlyPoint);
}

/** With its way back, fast-check also tries the names of an object's own members, and makes a failure shorter. */
function onlyPoint(text: unknown): number {
  const [character, ...more] = typeof text === 'string' ? text : '';
  const point = character?.codePointAt(0);
  if (point === undefined || more.length > 0) throw new Error('not one character');
  return point;
}
