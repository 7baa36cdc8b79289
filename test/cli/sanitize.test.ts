import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { sanitize, truncate } from '../../src/cli/ui/sanitize.js';
import { anyCharacter } from '../support/any-text.js';

describe('text from outside, before it reaches a terminal', () => {
  test.each([
    ['colors', '\u001b[31mred\u001b[0m', 'red'],
    ['cursor movements that would overwrite a line', 'a\u001b[2K\u001b[1Gb', 'ab'],
    ['a window title, ended by a bell', '\u001b]0;owned\u0007name', 'name'],
    ['a clipboard write, ended by a string terminator', '\u001b]52;c;aGk=\u001b\\name', 'name'],
    ['a hyperlink around its words', '\u001b]8;;http://evil.example\u001b\\click\u001b]8;;\u001b\\', 'click'],
    ['a device control string', '\u001bP1$r0m\u001b\\name', 'name'],
    ['8-bit forms', '\u009b31mred\u009d0;t\u009cname', 'redname'],
    ['a sequence that never ends', 'name\u001b]0;rest', 'name0;rest'],
    ['backspaces that would hide what stands before', 'admin\b\b\b\b\bguest', 'adminguest'],
    [
      'line breaks that would fake a line of the report',
      'Ann\nwa-reconcile: all is well',
      'Ann wa-reconcile: all is well',
    ],
    ['marks that reorder text', 'a\u202egnp.exe\u2066b\u2069', 'agnp.exeb'],
    ['NUL and DEL', 'a\u0000b\u007fc', 'abc'],
    ['lone surrogates', 'a\ud800b', 'a\ufffdb'],
  ])('loses %s', (_what, hostile, harmless) => {
    expect(sanitize(hostile)).toBe(harmless);
  });

  test('keeps names in every script, and emoji made of several characters', () => {
    for (const name of ['José', 'Владимир', '田中', 'नमस्ते', 'أحمد', '👩‍👩‍👧‍👦', '🇧🇷'])
      expect(sanitize(name)).toBe(name);
  });

  test('holds no control character, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (text) => {
        expect(sanitize(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test('takes time in proportion to its length, also for sequences made to be slow', () => {
    const started = performance.now();
    sanitize('\u001b]'.repeat(200_000) + '\u001b['.repeat(200_000) + '0;'.repeat(200_000));
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('a text cut to a width', () => {
  test('shows that it was cut, and never cuts through an emoji', () => {
    expect(truncate('abcdef', 6)).toBe('abcdef');
    expect(truncate('abcdefg', 6)).toBe('abcde…');
    expect(truncate('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 2)).toBe('👩‍👩‍👧‍👦…');
  });
});
