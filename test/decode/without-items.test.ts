import { describe, expect, it } from 'vitest';
import { withoutItems } from '../../src/decode/without-items.js';
import type { JsonValue } from '../../src/model/json.js';

function without(body: JsonValue | string, gone: string[], kept: string[] = []): unknown {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const edited = withoutItems(Buffer.from(text), gone, kept);
  return edited === null ? null : (JSON.parse(Buffer.from(edited).toString('utf8')) as unknown);
}

describe('a body without some of its items', () => {
  it('loses elements and members, and keeps everything else', () => {
    expect(without({ a: [1, 2, 3], b: { c: 4, d: 'e' } }, ['$.a[0]', '$.a[2]', '$.b.c'])).toEqual({
      a: [2],
      b: { d: 'e' },
    });
    expect(without({ 'a.b': [1, 2], c: null }, ['$["a.b"][1]'])).toEqual({ 'a.b': [1], c: null });
    expect(without({ a: 1 }, [])).toEqual({ a: 1 });
  });

  it('is edited inside a text of JSON, however deep', () => {
    const inner = JSON.stringify({ list: ['x', 'y'], n: 1 });
    const outer = { raw: JSON.stringify({ body: inner }), id: 7 };
    const edited = without(outer, ['$.raw.body.list[0]']) as { raw: string; id: number };
    expect(edited.id).toBe(7);
    const { body } = JSON.parse(edited.raw) as { body: string };
    expect(JSON.parse(body)).toEqual({ list: ['y'], n: 1 });
  });

  it('loses what held nothing else: a thread, a change', () => {
    const threads = {
      history: [
        {
          threads: [
            { id: 'A', messages: [1] },
            { id: 'B', messages: [2] },
          ],
        },
      ],
    };
    expect(without(threads, ['$.history[0].threads[0].messages[0]'])).toEqual({
      history: [{ threads: [{ id: 'B', messages: [2] }] }],
    });
    // Not if something that stays is in it.
    expect(without(threads, ['$.history[0].threads[0].messages[0]'], ['$.history[0].threads[0].id'])).toEqual(
      {
        history: [
          {
            threads: [
              { id: 'A', messages: [] },
              { id: 'B', messages: [2] },
            ],
          },
        ],
      },
    );
  });

  it.each<[string, JsonValue, string[], string[]]>([
    ['text around it', 'INFO {"a":[1]}', ['$.a[0]'], []],
    ['a path that leads nowhere', { a: [1] }, ['$.b'], []],
    ['an index that is not there', { a: [1] }, ['$.a[1]'], []],
    ['a step into a number', { a: 1 }, ['$.a.b'], []],
    ['a text that is no JSON', { a: 'text' }, ['$.a.b'], []],
    ['what stays inside what goes', { a: { b: [1] } }, ['$.a'], ['$.a.b[0]']],
    ['no path', { a: 1 }, ['$ a'], []],
    ['all of it', { a: 1 }, ['$'], []],
  ])('is none: %s', (_why, body, gone, kept) => {
    expect(without(body, gone, kept)).toBeNull();
  });
});
