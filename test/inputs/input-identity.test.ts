import { appendFile, truncate, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { identifyInput, sameInput } from '../../src/inputs/input-identity.js';
import type { ResolvedInput } from '../../src/inputs/resolve-inputs.js';
import { fileWith } from './support.js';

function input(absolutePath: string): ResolvedInput {
  return { kind: 'file', path: 'log', absolutePath, size: 0 };
}

const LINE = '{"object":"whatsapp_business_account"}\n';

test.each([10, 5000])('a log of %i lines that has only grown is the same input', async (lines) => {
  const file = await fileWith(LINE.repeat(lines));
  const stored = await identifyInput(input(file), LINE.length * (lines - 3));
  await appendFile(file, LINE);
  expect(sameInput(stored, await identifyInput(input(file), stored?.offset))).toBe(true);
});

test('a log that was replaced, cut short or changed before the checkpoint is another input', async () => {
  const content = LINE.repeat(5000);
  const file = await fileWith(content);
  const offset = LINE.length * 4000;
  const stored = await identifyInput(input(file), offset);
  const changed = Buffer.from(content);
  changed.write('X', offset - 10);
  await writeFile(file, changed);
  expect(sameInput(stored, await identifyInput(input(file), offset))).toBe(false);
  await writeFile(file, `X${content.slice(1)}`);
  expect(sameInput(stored, await identifyInput(input(file), offset))).toBe(false);
  await writeFile(file, content);
  expect(sameInput(stored, await identifyInput(input(file), offset))).toBe(true);
  await truncate(file, offset - 1);
  expect(sameInput(stored, await identifyInput(input(file), offset))).toBe(false);
});

test('the same content under another path is another input', async () => {
  const [first, second] = [await fileWith(LINE), await fileWith(LINE)];
  expect(sameInput(await identifyInput(input(first)), await identifyInput(input(second)))).toBe(false);
});

test('a compressed file is the same input only while it does not change', async () => {
  const compressed = gzipSync(LINE.repeat(100));
  const file = await fileWith(compressed);
  const stored = await identifyInput(input(file), LINE.length * 50);
  expect(stored?.offset).toBe(compressed.length);
  expect(sameInput(stored, await identifyInput(input(file), stored?.offset))).toBe(true);
  await appendFile(file, gzipSync(LINE));
  expect(sameInput(stored, await identifyInput(input(file), stored?.offset))).toBe(false);
});

test('standard input has no identity, and is never the same', async () => {
  expect(await identifyInput({ kind: 'stdin' })).toBeUndefined();
  expect(sameInput(undefined, undefined)).toBe(false);
});
