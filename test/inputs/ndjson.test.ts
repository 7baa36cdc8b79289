import { expect, test } from 'vitest';
import { after, read, readText } from './support.js';

const ONE = '{"object":"one"}';
const TWO = '{"object":"two","text":"a } ] \\" , b"}';

test('each line is an entry with its exact bytes and its line number', async () => {
  const { seen } = await readText(`${ONE}\n ${TWO} \n${ONE}\n`);
  expect(seen).toEqual([
    { at: 'log:1', text: ONE },
    { at: 'log:2', text: ` ${TWO} ` },
    { at: 'log:3', text: ONE },
  ]);
});

test('byte order marks, CRLF, blank lines and a missing line end leave the entries untouched', async () => {
  const { seen, problems } = await readText(`\uFEFF${ONE}\r\n\r\n   \n\uFEFF${TWO}\r\n\n${ONE}`);
  expect(seen.map(({ at }) => at)).toEqual(['log:1', 'log:4', 'log:6']);
  expect(seen.map(({ text }) => text)).toEqual([ONE, TWO, ONE]);
  expect(problems).toEqual([]);
});

test('a line that is no JSON is an entry too, so that nothing is dropped', async () => {
  const { seen } = await readText(`${ONE}\nsegmentation fault\n${TWO}\n`);
  expect(seen[1]).toEqual({ at: 'log:2', text: 'segmentation fault' });
  expect(seen).toHaveLength(3);
});

test('a damaged first line does not hide that the rest is NDJSON', async () => {
  const { texts, source } = await readText(`"x":{"a":1}}\n${ONE}\n${TWO}\n`);
  expect(texts).toEqual(['"x":{"a":1}}', ONE, TWO]);
  expect(source.skippedLines()).toBe(0);
});

test('brackets alone in the first line take no entry along, unless they open a list', async () => {
  const { texts, problems } = await readText(`[[[\n${ONE}\n${TWO}\n`);
  expect(texts).toEqual(['[[[', ONE, TWO]);
  expect(problems).toEqual([]);
  expect((await readText(`[[\n${ONE}\n],[${TWO}]]\n`)).texts).toEqual([`[\n${ONE}\n]`, `[${TWO}]`]);
  expect((await readText(`[[\n${ONE},\n${TWO}\n]]\n`)).texts).toEqual([`[\n${ONE},\n${TWO}\n]`]);
});

test('a cut last line is given as it is, and read again once the file has grown', async () => {
  const { seen, items } = await readText(`${ONE}\n{"object":"tw`);
  expect(seen[1]).toEqual({ at: 'log:2', text: '{"object":"tw' });
  expect(after(items[1])).toEqual({ input: 0, offset: ONE.length + 1, line: 1, element: 0 });
});

test('a cut line in the middle costs only itself', async () => {
  const { texts } = await readText(`${ONE}\n{"object":"tw\n${TWO}\n{\n${ONE}\n`);
  expect(texts).toEqual([ONE, '{"object":"tw', TWO, '{', ONE]);
});

test('a body that was pretty-printed between compact lines is one entry', async () => {
  const pretty = JSON.stringify({ object: 'whatsapp', entry: [{ id: '1' }] }, null, 2);
  const { seen } = await readText(`${ONE}\n${pretty}\n${TWO}\n`);
  expect(seen).toEqual([
    { at: 'log:1', text: ONE },
    { at: 'log:2', text: pretty },
    { at: 'log:10', text: TWO },
  ]);
});

test('a pretty-printed body that was cut does not swallow the lines after it', async () => {
  const { texts } = await readText(`${ONE}\n{\n  "object": "x",\n${TWO}\n${ONE}\n`);
  expect(texts).toEqual([ONE, '{\n  "object": "x",', TWO, ONE]);
});

test('lines that each hold an array are entries by the line', async () => {
  const { texts } = await readText(`[{"body":1}]\n[{"body":2}]\n`);
  expect(texts).toEqual(['[{"body":1}]', '[{"body":2}]']);
});

test('invalid UTF-8, NUL bytes, deep nesting and __proto__ pass untouched', async () => {
  const lines = [
    Buffer.from([...Buffer.from('{"a":"'), 0xff, 0xc3, 0x00, ...Buffer.from('"}')]),
    Buffer.from(`{"deep":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
    Buffer.from('{"__proto__":{"x":1},"constructor":null}'),
    Buffer.from([0, 0, 0]),
  ];
  const { texts } = await readText(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])));
  expect(texts).toEqual(lines.map((line) => line.toString('latin1')));
});

test('the same path twice is read once, and several files keep their own line numbers', async () => {
  const first = await readText(`${ONE}\n${TWO}\n`);
  const path = first.items.flatMap((item) =>
    item.kind === 'entry' && item.entry.origin.kind === 'file' ? item.entry.origin.path : [],
  )[0];
  expect(path).toBeDefined();
  const { seen, source } = await read([path ?? '', path ?? '']);
  expect(seen.map(({ at }) => at)).toEqual(['log:1', 'log:2']);
  expect(source.bytesRead()).toBe(source.totalBytes);
});

test('objects one after the other in a line are an entry each, wherever in the file the line is', async () => {
  const { seen } = await readText('{"a":1}\n{"b":"}{"}{"c":2}{"d":"}{"}\n{"e":"}{"}\n');
  expect(seen).toEqual([
    { at: 'log:1', text: '{"a":1}' },
    { at: 'log:2', text: '{"b":"}{"}' },
    { at: 'log:2', text: '{"c":2}' },
    { at: 'log:2', text: '{"d":"}{"}' },
    { at: 'log:3', text: '{"e":"}{"}' },
  ]);
});

test('a text of JSON in a line is an entry with its quotes, as jq prints one', async () => {
  const text = (id: number): string => JSON.stringify(JSON.stringify({ object: 'x', id, text: 'a,"b"\n;' }));
  const lines = [text(1), text(2), text(3)];
  const { seen, items } = await readText(`${lines.join('\n')}\n`);
  expect(seen).toEqual(lines.map((line, i) => ({ at: `log:${i + 1}`, text: line })));
  const again = await readText(`${lines.join('\n')}\n`, { resume: after(items[0]), chunkBytes: 7 });
  expect(again.seen).toEqual(seen.slice(1));
  const cut = await readText(`${text(1)}\n${text(2).slice(0, 30)}`);
  expect(cut.seen.map((each) => each.text)).toEqual([text(1), text(2).slice(0, 30)]);
  expect(after(cut.items[1])).toEqual(after(cut.items[0]));
  const long = JSON.stringify(JSON.stringify({ object: 'x'.repeat(100_000) }));
  expect((await readText(`${long}\n${long}\n`)).texts).toEqual([long, long]);
});

test('a table whose first cell is quoted JSON stays a table', async () => {
  const cell = '"{\\"a\\":1}"';
  const { texts } = await readText(`${cell},2\n${cell},3\n`);
  expect(texts.join()).not.toContain(',2');
});
