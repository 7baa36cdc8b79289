import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cleanJson,
  cleanText,
  cutText,
  excerptOf,
  numberOf,
  ownValue,
  textOf,
} from '../../src/decode/read.js';
import { parseJson } from '../../src/decode/parse-json.js';
import { parseTimestamp } from '../../src/decode/timestamp.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { anyUnit } from '../support/any-text.js';

const parse: (text: string) => JsonValue = JSON.parse;

describe('M8: texts', () => {
  test('M8: NUL and lone surrogates become U+FFFD; everything else stays', () => {
    expect(cleanText('antes\0depois')).toBe('antes\uFFFDdepois');
    expect(cleanText('\uD83D e \uDC4D')).toBe('\uFFFD e \uFFFD');
    expect(cleanText('👍\u001b[31m\n')).toBe('👍\u001b[31m\n');
  });

  test('M8: byte order marks at the begin go', () => {
    expect(cleanText('\uFEFF\uFEFFoi \uFEFF')).toBe('oi \uFEFF');
    expect(textOf('\uFEFF')).toBeUndefined();
  });

  test('M8: a cut never leaves half a character', () => {
    expect(cutText('ab👍', 3)).toBe('ab\uFFFD');
    expect(cutText('abc', 3)).toBe('abc');
  });

  test('M8: whatever the text, PostgreSQL takes what is left of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyUnit }), (text) => {
        const clean = cleanText(text);
        expect(clean.isWellFormed() && !clean.includes('\0')).toBe(true);
        expect(clean).toHaveLength(text.length);
      }),
    );
  });
});

describe('M8: timestamps', () => {
  const AT = 1758000000000;
  test.each([
    ['1758000000', AT],
    [1758000000, AT],
    ['1758000000000', AT],
    [1758000000000, AT],
    [' 1758000000 ', AT],
    [{ low: 1758000000, high: 0, unsigned: true }, AT],
    [{ low: 1758000000, high: 0, unsigned: false }, AT],
    [{ low: 1361424384, high: 409, unsigned: true }, 409 * 2 ** 32 + 1361424384],
    [{ low: -2147483648, high: 0, unsigned: true }, 2147483648000],
    [1758000000.123, AT + 123],
  ])('M8: %j is an instant', (value, expected) => {
    expect(parseTimestamp(value)).toBe(expected);
  });

  test('M8: a bigint is an instant like its number', () => {
    expect(parseTimestamp(1758000000n)).toBe(AT);
  });

  test.each([
    [undefined],
    [null],
    [''],
    ['0'],
    [0],
    [-1758000000],
    ['-1758000000'],
    [NaN],
    [Infinity],
    ['1e9'],
    ['0x68c8'],
    ['amanhã'],
    [true],
    [[]],
    [{}],
    [{ low: '1', high: 0 }],
    [1230767999],
    ['4133980800'],
    ['175800000000'],
    ['17580000000000'],
    ['1758000000000000'],
  ])('M8: %j is none', (value) => {
    expect(parseTimestamp(value)).toBeUndefined();
  });
});

describe('values of unknown JSON', () => {
  test('numbers are taken where texts are expected, and texts of numbers where numbers are', () => {
    expect(textOf(5511900000001)).toBe('5511900000001');
    expect(textOf('')).toBeUndefined();
    expect(textOf({})).toBeUndefined();
    expect(numberOf('55')).toBe(55);
    expect(numberOf(-1.5)).toBe(-1.5);
    expect(numberOf('5x')).toBeUndefined();
    expect(numberOf('')).toBeUndefined();
  });

  test('a name from outside finds own values only', () => {
    const object: JsonObject = Object.fromEntries([['__proto__', 'own']]);
    expect(ownValue(object, '__proto__')).toBe('own');
    expect(ownValue(object, 'constructor')).toBeUndefined();
  });

  test('an excerpt is at most 200 clean characters, however large or deep the value', () => {
    expect(excerptOf({ a: [1, 'x\0', null, true] })).toBe('{"a":[1,"x\\u0000",null,true]}');
    expect(excerptOf('x'.repeat(5_000_000))).toHaveLength(200);
    expect(excerptOf(parse('['.repeat(10_000) + ']'.repeat(10_000))).length).toBeLessThanOrEqual(200);
    expect(excerptOf(undefined)).toBe('');
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        const excerpt = excerptOf(parse(json));
        expect(excerpt.length).toBeLessThanOrEqual(200);
        expect(excerpt.isWellFormed() && !excerpt.includes('\0')).toBe(true);
      }),
    );
  });

  test('a copy for jsonb is clean in keys and texts, bounded, and keeps a key __proto__ as a key', () => {
    const copy = cleanJson(parse('{"__proto__":{"a\\u0000":"b\\u0000"},"l":["\\ud800"]}'));
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a\uFFFD":"b\uFFFD"},"l":["\uFFFD"]}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    const deep = cleanJson(parse('['.repeat(10_000) + ']'.repeat(10_000)));
    expect(JSON.stringify(deep).length).toBeLessThan(300);
    const wide = cleanJson(parse(`[${'1,'.repeat(50_000)}1]`));
    expect(JSON.stringify(wide).length).toBeLessThan(3000);
  });
});

describe('JSON that does not parse', () => {
  test.each([
    ['{"a":1', 'the JSON ends early, at character 6'],
    ['{"a":"x', 'the JSON ends early, at character 7'],
    ['{"a":1}}', 'the JSON breaks at character 8 of 8'],
    ['{"a":1,}', 'the JSON breaks at character 8 of 8'],
    ['[1,]', 'the JSON breaks at character 4 of 4'],
    ['{"a" 1}', 'the JSON breaks at character 6 of 7'],
    ['{a:1}', 'the JSON breaks at character 2 of 5'],
    ['{"a":tru}', 'the JSON breaks at character 6 of 9'],
    ['{"a":01}', 'the JSON breaks at character 7 of 8'],
    ['["a\nb"]', 'the JSON breaks at character 4 of 7'],
    ['["\\x"]', 'the JSON breaks at character 3 of 6'],
    ['[1 2]', 'the JSON breaks at character 4 of 5'],
    ['[}', 'the JSON breaks at character 2 of 2'],
  ])('%j: %s', (text, message) => {
    expect(parseJson(text)).toEqual({ ok: false, message });
  });

  test('a complaint never quotes the text, which is private', () => {
    const parsed = parseJson('{"from":"5511900000001","body": segredo}');
    expect(parsed).toEqual({ ok: false, message: 'the JSON breaks at character 33 of 40' });
  });

  test('nesting without end is located, not followed', () => {
    expect(parseJson('['.repeat(200_000))).toMatchObject({ ok: false });
  });

  test('a place is found in whatever does not parse', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, at) => {
        const json = JSON.stringify(value);
        const cut = json.slice(0, at % (json.length + 1));
        const parsed = parseJson(cut);
        if (!parsed.ok) expect(parsed.message).toMatch(/^the JSON (?:ends|breaks) .*at character \d+/);
      }),
    );
  });

  test('words before the JSON are passed over, but never the start of an array', () => {
    expect(parseJson('[2025-09-16 05:33] INFO webhook {"a":1}')).toEqual({ ok: true, value: { a: 1 } });
    expect(parseJson('INFO [{"a":1}]')).toEqual({ ok: true, value: [{ a: 1 }] });
    expect(parseJson('[{"a":1}').ok).toBe(false);
    expect(parseJson('INFO [ {"a":1}').ok).toBe(false);
  });
});
