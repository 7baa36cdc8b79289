import { describe, expect, test } from 'vitest';
import { sharedPrefix, withoutPrefix, wordsBeforeIndent } from '../../src/decode/envelopes/line-prefix.js';
import { joinFrames } from '../../src/decode/envelopes/line-frames.js';

function prefixOf(first: string, second: string): string | undefined {
  return sharedPrefix(Buffer.from(first), Buffer.from(second))?.toString();
}

describe('the words before two lines of one value', () => {
  test.each([
    ['a time', '2026-09-21T11:13:19.999Z {', '2026-09-21T11:13:20.1Z   "a": 1', '2026-09-21T11:13:19.999Z '],
    ['a pod', '[pod/web-1/web] {', '[pod/web-1/web]   "a": 1', '[pod/web-1/web] '],
    ['a level, two blanks', 'INFO  {', 'INFO    "a": 1', 'INFO  '],
    ['grep, the first line found', 'web.log:9:{', 'web.log-10-  "a": 1', 'web.log:9:'],
    ['a label behind them', 'web received: {', 'web   "a": 1', 'web '],
    ['tabs', 'job\tstep\t{', 'job\tstep\t\t"a": 1', 'job\tstep\t'],
    ['a part of a value', 'web             {', 'web               "a": 1', 'web     '],
    ['a member of a value', 'web     text: {', 'web       "a": 1', 'web  '],
  ])('%s', (_, first, second, prefix) => {
    expect(prefixOf(first, second)).toBe(prefix);
  });

  test.each([
    ['none', '{', '  "a": 1'],
    ['only white space', '    {', '      "a": 1'],
    ['a label', 'received: {', '  "a": 1'],
    ['half a word', 'message: {', 'messageId: 1'],
    ['members', '"metadata": {', '"messages": 1'],
    ['a second line that is not indented', 'web options: {', 'web GET /'],
    ['a body of its own', 'web [', 'web {"a": 1}'],
  ])('none: %s', (_, first, second) => {
    expect(prefixOf(first, second)).toBeUndefined();
  });

  test('an empty line may lack the last white space; any number may differ', () => {
    const prefix = Buffer.from('12:05:09 web ');
    expect(withoutPrefix(Buffer.from('12:05:09 web'), prefix)?.toString()).toBe('');
    expect(withoutPrefix(Buffer.from('3:59:1 web   }'), prefix)?.toString()).toBe('  }');
    expect(withoutPrefix(Buffer.from('12:05:09 api }'), prefix)).toBeUndefined();
    expect(withoutPrefix(Buffer.from('12:05'), prefix)).toBeUndefined();
  });
});

test('one line, alone, is of a value if it is indented behind words', () => {
  expect(wordsBeforeIndent('web            "text": "x"')).toBe(3);
  expect(wordsBeforeIndent('web    "text": "x"')).toBe(3);
  expect(wordsBeforeIndent('web    payload: "x"')).toBe(0);
  expect(wordsBeforeIndent('        "text": "x"')).toBe(0);
  expect(wordsBeforeIndent('{"a":          "x"}')).toBe(0);
});

test('the lines of a value are joined without the words, with the time of the first', () => {
  const lines = ['2026-09-21T11:13:19Z {', '2026-09-21T11:13:20Z   "a": 1', '2026-09-21T11:13:20Z }'];
  expect(joinFrames(Buffer.from(lines.join('\n')))).toMatchObject({
    form: 'prefixed',
    text: '{\n  "a": 1\n}',
    time: Date.UTC(2026, 8, 21, 11, 13, 19),
  });
  expect(joinFrames(Buffer.from([...lines, 'web }'].join('\n')))).toBeUndefined();
});
