import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gzipSync } from 'node:zlib';
import { decodeEntry } from '../../src/decode/decode-entry.js';
import { itemAt } from '../../src/decode/item-at.js';
import type { JsonValue } from '../../src/model/json.js';
import { ANA, message, wamid, webhook } from './meta-builders.js';
import { fileOf, WRAPS } from './wrap.js';
import { cpuMs } from '../support/cpu-time.js';
import { anyCharacter } from '../support/any-text.js';
import { tries } from '../support/seed.js';

const OPTIONS = { include: new Set<never>() };
const BODY = webhook('messages', {
  messages: [
    message({ text: { body: 'Olá "tudo" bem?\nSegunda linha 👍 {"a":[1]}' } }),
    message({ id: wamid('A2') }),
  ],
});
const NAMES = Object.keys(WRAPS);

/** What changes one entry: a place, how much of it goes, and what comes there. */
const change = fc.record({
  at: fc.nat(10_000),
  gone: fc.oneof(fc.nat(4), fc.nat(400)),
  new: fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      "'",
      '=>',
      '\\x22',
      '{"',
      '""',
      '\n',
      '#<',
      '%7B%22',
      '&quot;',
    ),
    fc.constantFrom(
      '{"a":',
      '[[[[[[[[',
      '\\"',
      '{"$numberInt":',
      "b'{",
      'H4sI',
      '\x1b[',
      '... 3 more items',
      '\ud800',
    ),
    fc.string({ unit: anyCharacter, maxLength: 8 }),
  ),
  times: fc.constantFrom(1, 1, 1, 1, 50),
});

/** The longest that one entry of some kilobytes may take on a busy machine. */
const LONGEST_MS = 2000;

describe('whatever a log has become, it is read or refused', () => {
  test('damaged logs: no crash, no hang, and everything is accounted for', () => {
    let longest = 0;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        (wraps, changes) => {
          const value = wraps.reduce<JsonValue>((inner, name) => WRAPS[name]?.(inner) ?? null, BODY);
          let text = fileOf(value);
          for (const { at, gone, new: inserted, times } of changes) {
            const place = at % (text.length + 1);
            text = text.slice(0, place) + inserted.repeat(times) + text.slice(place + gone);
          }
          const started = performance.now();
          const result = decodeEntry(Buffer.from(text), OPTIONS);
          longest = Math.max(longest, performance.now() - started);
          if (result.kind === 'invalid') {
            expect(result.message).toMatch(/^[ -~]{5,120}$/);
            return;
          }
          const { sections, unrecognized } = result.entry;
          expect(sections.length + unrecognized.length).toBeGreaterThan(0);
          for (const { excerpt } of unrecognized) expect(excerpt.isWellFormed()).toBe(true);
        },
      ),
      { numRuns: tries(10_000), seed: 20260921 },
    );
    expect(longest).toBeLessThan(LONGEST_MS);
  });

  const MARKED = '"whatsapp_business_account"';
  test.each<[string, string]>([
    ['brackets', '['.repeat(100_000)],
    ['braces', '{'.repeat(100_000)],
    ['keys', '{"a":'.repeat(40_000)],
    ['starts that lead nowhere', `{"a":x} {"a":`.repeat(16_000)],
    ['nested starts', `${'{"a":x '.repeat(10_000)}${'}'.repeat(10_000)}`],
    ['lists of texts', '["a'.repeat(20_000)],
    ['quotes', '"'.repeat(100_000)],
    ['backslashes', `{"a":"${'\\'.repeat(1_000_001)}`],
    ['escaped quotes', '{\\"a\\":'.repeat(30_000)],
    ['hex escapes', '{\\x22'.repeat(30_000)],
    ['CSV quotes', '{""a"":'.repeat(30_000)],
    ['arrows', '{"a"=>'.repeat(30_000)],
    ['arrows with an end', `${'{"a"=>'.repeat(50)}1${'}'.repeat(50)} `.repeat(1000)],
    ['symbols', '{a: '.repeat(40_000)],
    ['objects of Ruby', `{"a"=>${'#<A '.repeat(40_000)}`],
    ['bytes of Python', "b'{".repeat(10_000)],
    ['logfmt', ` a="{\\`.repeat(30_000)],
    ['percent', '%7B%22'.repeat(30_000)],
    ['entities', '{&quot;'.repeat(30_000)],
    ['frames', '2026-09-21T11:13:20Z stdout P {"a":\n'.repeat(30_000)],
    ['colors', '\x1b[31m{"a":'.repeat(100_000)],
    [
      'base64 in base64',
      Array.from({ length: 12 }).reduce<string>(
        (inner) => Buffer.from(inner).toString('base64'),
        'x'.repeat(20_000),
      ),
    ],
    [
      'texts in texts',
      Array.from({ length: 15 }).reduce<string>((inner) => JSON.stringify({ a: inner }), MARKED),
    ],
    ['a bomb', JSON.stringify({ data: gzipSync(Buffer.alloc(100_000_000)).toString('base64') })],
    [
      'many bombs',
      JSON.stringify(Array<string>(20).fill(gzipSync(Buffer.alloc(10_000_000)).toString('base64'))),
    ],
    [
      'a flat value without end',
      JSON.stringify([
        { a: '1' },
        ...Array.from({ length: 200 }, (_, i) => [String(i + 2), String(i + 2)]),
        'x',
        'y',
      ]),
    ],
    ['a flat value in itself', JSON.stringify([{ a: '1' }, { b: '0' }])],
    ['long spaces', `{${' '.repeat(100_000)}"a" ${' '.repeat(100_000)}`],
    ['names', `{${'a'.repeat(100_000)}`],
    ['keys of brackets', `{"${'['.repeat(100_000)}":`],
    ['arrays of spaces', '[ '.repeat(10_000)],
  ])('%s end in time', (_what, text) => {
    for (const hostile of [
      text,
      `${MARKED} ${text}`,
      JSON.stringify({ payload: text, [text.slice(0, 1000)]: text }),
    ]) {
      let result: unknown;
      const ms = cpuMs(() => {
        result = decodeEntry(Buffer.from(hostile), OPTIONS);
      });
      expect(JSON.stringify(result).length).toBeLessThan(100_000);
      expect(ms).toBeLessThan(4000);
    }
  });

  test('memory stays near what the entry has', () => {
    const data = gzipSync(Buffer.alloc(20_000_000)).toString('base64');
    const bomb = JSON.stringify(Array.from({ length: 75 }, () => ({ data })));
    const before = process.memoryUsage().rss;
    expect(decodeEntry(Buffer.from(bomb), OPTIONS).kind).toBe('decoded');
    expect(process.memoryUsage().rss - before).toBeLessThan(1_000_000_000);
  });

  test('a path leads into every form again', () => {
    for (const name of NAMES) {
      const file = Buffer.from(fileOf(WRAPS[name]?.(BODY) ?? null));
      const result = decodeEntry(file, OPTIONS);
      const facts =
        result.kind === 'decoded' ? result.entry.sections.flatMap((section) => section.facts) : [];
      const [first] = facts;
      expect(first?.kind, name).toBe('message');
      expect(itemAt(file, first?.path ?? ''), name).toMatchObject({ from: ANA, id: wamid('A1') });
    }
  });
});
