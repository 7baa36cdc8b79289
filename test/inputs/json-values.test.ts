import { expect, test } from 'vitest';
import { after, readText } from './support.js';

const BODY = { object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field: 'messages' }] }] };
const PRETTY = JSON.stringify(BODY, null, 2);
const COMPACT = JSON.stringify(BODY);

test('a pretty-printed body is one entry, its bytes as in the file', async () => {
  const { seen } = await readText(`\n\n${PRETTY}\n\n`);
  expect(seen).toEqual([{ at: 'log:3', text: PRETTY }]);
});

test('a body on one line without a line end is one entry', async () => {
  const { seen } = await readText(COMPACT);
  expect(seen).toEqual([{ at: 'log:1', text: COMPACT }]);
});

test('pretty-printed bodies one after another are an entry each', async () => {
  const { seen } = await readText(`${PRETTY}\n${PRETTY}\n${COMPACT}\n${PRETTY}`);
  expect(seen.map(({ at }) => at)).toEqual(['log:1', 'log:14', 'log:27', 'log:28']);
  expect(seen.map(({ text }) => text)).toEqual([PRETTY, PRETTY, COMPACT, PRETTY]);
});

test('bodies on one line without anything between them, or with commas, are an entry each', async () => {
  expect((await readText(`${COMPACT}${COMPACT} ${COMPACT}`)).texts).toEqual([COMPACT, COMPACT, COMPACT]);
  expect((await readText(`${COMPACT},\n${COMPACT},\n`)).texts).toEqual([COMPACT, COMPACT]);
});

test('each element of an array is an entry with its line and its index', async () => {
  const { seen, problems } = await readText(
    `[\n  ${COMPACT},\n\n  ${PRETTY}, 17,\n  "text", null , [1,{"a":2}]\n]\n`,
  );
  expect(seen).toEqual([
    { at: 'log:2[0]', text: COMPACT },
    { at: 'log:4[1]', text: PRETTY },
    { at: 'log:16[2]', text: '17' },
    { at: 'log:17[3]', text: '"text"' },
    { at: 'log:17[4]', text: 'null' },
    { at: 'log:17[5]', text: '[1,{"a":2}]' },
  ]);
  expect(problems).toEqual([]);
});

test('an empty array gives no entry and no complaint but that there is nothing', async () => {
  expect((await readText('[]')).problems).toEqual(['no_log_entries log:1']);
});

test('an array that is cut between elements says so, and goes on there once the file has grown', async () => {
  const { seen, items } = await readText(`[${COMPACT},\n${COMPACT},\n`);
  expect(seen.map(({ at, problem }) => problem ?? at)).toEqual(['log:1[0]', 'log:2[1]', 'truncated_input']);
  expect(after(items[2]).element).toBe(2);
});

test('an array that is cut inside an element gives the cut element', async () => {
  const { seen, items } = await readText(`[${COMPACT},{"object":"wh`);
  expect(seen[1]).toEqual({ at: 'log:1[1]', text: '{"object":"wh' });
  expect(after(items[1])).toEqual(expect.objectContaining({ element: 1, offset: COMPACT.length + 2 }));
});

test('a cut body among pretty-printed ones does not swallow those after it', async () => {
  const cut = PRETTY.slice(0, 60);
  expect((await readText(`${PRETTY}\n${cut}\n${PRETTY}\n`)).texts).toEqual([PRETTY, cut.trimEnd(), PRETTY]);
});

test('text between bodies is an entry too, so that nothing is dropped', async () => {
  const { texts } = await readText(`${PRETTY}\n-- 2 --\n  more\n${PRETTY}`);
  expect(texts).toEqual([PRETTY, '-- 2 --\n  more', PRETTY]);
});

test('an array of the library flatted is one entry: its elements refer to each other', async () => {
  const text = '[{"startData":"1","resultData":"2"},{},{"runData":"3"},{"Webhook":"4"},["5"],"x"]';
  expect((await readText(text)).texts).toEqual([text]);
  expect((await readText(`${text}\n`)).texts).toEqual([text]);
  expect((await readText('[{"id":"7","n":"2"},{"id":"8","n":"2"}]')).texts).toHaveLength(2);
});
