import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { ConfigError } from '../../src/model/errors.js';
import { unzstdWithProgram } from '../../src/inputs/decompress.js';
import { after, fileWith, firstProblem, read, readText } from './support.js';

const LINES = Array.from({ length: 3000 }, (_, index) =>
  JSON.stringify({ index, noise: randomBytes(30).toString('hex') }),
);
const LOG = `${LINES.join('\n')}\n`;
const GZIP = zlib.gzipSync(LOG);

test('gzip is known by its content, whatever the name', async () => {
  expect((await read(await fileWith(GZIP, 'day.json'))).texts).toEqual(LINES);
});

test('gzip of many members, padding behind it, and gzip in gzip are read to the end', async () => {
  const members = Buffer.concat(LINES.slice(0, 500).map((line) => zlib.gzipSync(`${line}\n`)));
  expect((await readText(members)).texts).toEqual(LINES.slice(0, 500));
  expect((await readText(Buffer.concat([GZIP, Buffer.alloc(512)]))).texts).toEqual(LINES);
  expect((await readText(zlib.gzipSync(GZIP))).texts).toEqual(LINES);
});

test('progress counts the bytes on disk', async () => {
  const { source } = await readText(GZIP);
  expect(source.totalBytes).toBe(GZIP.length);
  expect(source.bytesRead()).toBe(GZIP.length);
});

test('gzip behind padding is read, wherever it is cut into chunks, and other bytes behind padding are a problem', async () => {
  const padding = Buffer.alloc(512);
  const members = ['{"a":1}\n', '{"b":1}\n', '{"c":1}\n'].map((line) => zlib.gzipSync(line));
  const [a, b, c] = members;
  const all = Buffer.concat([a ?? padding, padding, b ?? padding, c ?? padding, padding]);
  for (const chunkBytes of [1, a?.length ?? 0, (a?.length ?? 0) + 1, 64, 512, 65_536]) {
    const { texts, problems } = await readText(all, { chunkBytes });
    expect({ texts, problems }).toEqual({ texts: ['{"a":1}', '{"b":1}', '{"c":1}'], problems: [] });
  }
  const text = await readText(Buffer.concat([all, Buffer.from('{"d":1}\n')]));
  expect(text.texts).toEqual(['{"a":1}', '{"b":1}', '{"c":1}']);
  expect(firstProblem(text)).toMatch(/gzip data is damaged/);
});

test('a truncated gzip gives every whole line before the cut, then the line where it stopped', async () => {
  const cut = GZIP.subarray(0, GZIP.length >> 1);
  const whole = zlib.gunzipSync(cut, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString();
  const result = await readText(cut);
  expect(result.texts).toEqual(LINES.slice(0, whole.split('\n').length - 1));
  expect(result.texts.length).toBeGreaterThan(1000);
  expect(result.problems).toEqual([`truncated_input log:${result.texts.length + 1}`]);
  expect(firstProblem(result)).toMatch(/gzip data ends early.*kept.*replay it again/);
  expect(after(result.items.at(-1))).toEqual({ input: 1, offset: 0, line: 0, element: 0 });
});

test('a last line that is whole is kept when the gzip is cut behind it', async () => {
  const stored = zlib.gzipSync('{"a":1}\n{"b":2}', { level: 0 });
  const { texts, problems } = await readText(stored.subarray(0, stored.length - 8));
  expect(texts).toEqual(['{"a":1}', '{"b":2}']);
  expect(problems).toEqual(['truncated_input log:2']);
});

test.each([
  ['a wrong checksum', (gzip: Buffer) => gzip.fill(0xff, gzip.length - 8), /checksum does not match/],
  ['text written behind it', (gzip: Buffer) => Buffer.concat([gzip, Buffer.from('{"a":1}\n')]), /damaged/],
])('gzip with %s gives every line, then a problem', async (_, damage, message) => {
  // What is lost with the failing chunk is read again byte by byte, so the chunks are small here.
  const lines = LINES.slice(0, 600);
  const gzip = damage(zlib.gzipSync(`${lines.join('\n')}\n`));
  const result = await readText(gzip, { chunkBytes: 8192 });
  expect(gzip.length).toBeGreaterThan(2 * 8192);
  expect(result.texts).toEqual(lines);
  expect(result.problems).toEqual([`truncated_input log:${lines.length + 1}`]);
  expect(firstProblem(result)).toMatch(message);
});

test('a damaged file does not keep the next one from being read', async () => {
  const damaged = await fileWith(GZIP.subarray(0, 5000));
  const { texts, problems } = await read([damaged, await fileWith('{"next":1}\n', 'next')]);
  expect(problems).toHaveLength(1);
  expect(texts.at(-1)).toBe('{"next":1}');
});

test('a file that begins as gzip and goes on otherwise is a problem of its first line', async () => {
  expect((await readText(Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]))).problems).toEqual(['truncated_input log:1']);
});

/** zstd of `{"zstd":1}\n{"zstd":2}\n`. */
const ZSTD = Buffer.from('KLUv/QRYsQAAeyJ6c3RkIjoxfQp7InpzdGQiOjJ9Co6OANc=', 'base64');
const HAS_BUILT_IN = 'createZstdDecompress' in zlib;
const HAS_PROGRAM = spawnSync('zstd', ['--version']).error === undefined;

test('zstd is read by Node or by the program, and without both the remedy says what to install', async () => {
  const path = await fileWith(ZSTD, 'day.log');
  if (HAS_BUILT_IN || HAS_PROGRAM) {
    expect((await read(path)).texts).toEqual(['{"zstd":1}', '{"zstd":2}']);
  } else {
    await expect(read(path)).rejects.toThrow(/zstd was not found/);
  }
});

test('every frame of a zstd file is read, and a cut one is a problem', async () => {
  const path = await fileWith(Buffer.concat([ZSTD, ZSTD, ZSTD.subarray(0, ZSTD.length - 2)]));
  if (HAS_BUILT_IN || HAS_PROGRAM) {
    const { texts, problems } = await read(path, { chunkBytes: 7 });
    expect(texts.slice(0, 4)).toEqual(['{"zstd":1}', '{"zstd":2}', '{"zstd":1}', '{"zstd":2}']);
    expect(problems).toHaveLength(1);
  } else {
    await expect(read(path)).rejects.toThrow(ConfigError);
  }
});

async function* one(chunk: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield await Promise.resolve(chunk);
}

/** Programs that stand in for zstd, so that the tests need not have it. */
async function unzstdWith(program: string, input = ZSTD): Promise<string> {
  let output = '';
  for await (const chunk of unzstdWithProgram(one(input), program)) output += chunk.toString();
  return output;
}

test('the zstd program is fed by a pipe, and its complaint becomes the problem', async () => {
  const { chmod } = await import('node:fs/promises');
  const copies = await fileWith('#!/bin/sh\ncat\n', 'zstd');
  const complains = await fileWith(
    '#!/bin/sh\necho good\necho "zstd: /*stdin*\\: Read error (39) : premature end" >&2\nexit 1\n',
  );
  await Promise.all([chmod(copies, 0o755), chmod(complains, 0o755)]);
  const large = Buffer.alloc(3_000_000, 'x');
  expect(await unzstdWith(copies, large)).toBe(large.toString());
  await expect(unzstdWith(complains)).rejects.toThrow('the zstd data ends early');
});

test('a machine without the zstd program is told what to install', async () => {
  const error: unknown = await unzstdWith('/nowhere/zstd').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  expect(error instanceof ConfigError && error.remedy).toMatch(/Install zstd.*Node 22\.15/);
});

test.each(['utf16le', 'utf16be'] as const)(
  '%s with its mark, as PowerShell writes it, is read',
  async (encoding) => {
    const text = '\uFEFF{"name":"Zoë 😀"}\r\n{"b":2}\r\n';
    const bytes = Buffer.from(text, 'utf16le');
    const { texts } = await readText(encoding === 'utf16le' ? bytes : bytes.swap16());
    expect(texts.map((line) => Buffer.from(line, 'latin1').toString())).toEqual([
      '{"name":"Zoë 😀"}',
      '{"b":2}',
    ]);
  },
);

test('UTF-16 without its mark is read too', async () => {
  expect((await readText(Buffer.from('{"a":1}\n', 'utf16le'))).texts).toEqual(['{"a":1}']);
});

test.each([
  ['bzip2', Buffer.from('BZh91AY'), /bzip2 -dc/],
  ['a PNG image', Buffer.from('\x89PNG\r\n', 'latin1'), /PNG image/],
])('%s is unreadable, and the remedy says how to go on', async (_, bytes, remedy) => {
  const result = await readText(bytes);
  expect(result.problems).toEqual(['unreadable_input log:1']);
  expect(result.items).toHaveLength(1);
  expect(firstProblem(result)).toMatch(remedy);
});
