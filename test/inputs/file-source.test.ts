import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { openFileSource } from '../../src/inputs/file-source.js';
import { resolveInputs } from '../../src/inputs/resolve-inputs.js';
import {
  after,
  describe,
  fileWith,
  NO_STDIN,
  openPaths,
  read,
  readText,
  temporaryDirectory,
} from './support.js';

const SAMPLES = path.resolve(import.meta.dirname, '../samples');
const LOGS = path.join(SAMPLES, 'logs');

test.each(['full-day.ndjson', 'rows.ndjson', 'pg-copy.csv'])('%s holds thirteen webhooks', async (name) => {
  const { items, problems, texts } = await read(path.join(LOGS, name));
  expect(problems).toEqual([]);
  expect(items).toHaveLength(13);
  for (const text of texts) expect(() => JSON.parse(text) as unknown).not.toThrow();
});

test('the day in its other shapes holds the same thirteen webhooks', async () => {
  const day = (await read(path.join(LOGS, 'full-day.ndjson'))).texts;
  expect((await read(path.join(LOGS, 'pg-copy.csv'))).texts).toEqual(day);
  const lines = day.map((text) => Buffer.from(text, 'latin1').toString());
  const shapes = {
    crlf: `\uFEFF${lines.join('\r\n')}`,
    array: `[${lines.join(',\n')}]`,
    concatenated: lines.join(''),
    console: lines.map((line) => `2025-09-16T05:00:00Z INFO webhook: ${line}\n`).join(''),
    pm2: `[pm2] up\n${lines.map((line) => `[pm2] ${line}\n`).join('')}`,
    gzip: gzipSync(lines.join('\n')),
    utf16: Buffer.from(`\uFEFF${lines.join('\r\n')}`, 'utf16le'),
  };
  for (const shape of Object.values(shapes)) expect((await readText(shape)).texts).toEqual(day);
  const pretty = lines.map((line) => JSON.stringify(JSON.parse(line), null, 2));
  const { texts } = await readText(pretty.join('\n'));
  expect(texts.map((text) => Buffer.from(text, 'latin1').toString())).toEqual(pretty);
});

test('a cut last line is given with its number', async () => {
  const { seen } = await read(path.join(LOGS, 'truncated-last-line.ndjson'));
  expect(seen.map(({ at }) => at)).toEqual(['truncated-last-line.ndjson:1', 'truncated-last-line.ndjson:2']);
});

test('every single sample body is one entry, except that n8n arrays give one per element', async () => {
  const { items, problems } = await read(`${SAMPLES}/*-*.json`);
  expect(problems).toEqual([]);
  const inputs = await resolveInputs([`${SAMPLES}/*-*.json`], { cwd: '/' });
  expect(items).toHaveLength(inputs.length);
});

test('standard input is read as it comes, before it ends', async () => {
  const stdin = new PassThrough();
  const items = openFileSource([{ kind: 'stdin' }], { stdin, maxEntryBytes: 1000 }).items();
  const iterator = items[Symbol.asyncIterator]();
  stdin.write('{"a":1}\n{"b"');
  const first = await iterator.next();
  if (first.done === true) throw new Error('ended');
  expect(describe(first.value)).toEqual({ at: 'stdin:1', text: '{"a":1}' });
  expect(first.value.after).toBeUndefined();
  stdin.end(':2}');
  const second = await iterator.next();
  expect(second.done === true ? undefined : describe(second.value)).toEqual({
    at: 'stdin:2',
    text: '{"b":2}',
  });
  expect((await iterator.next()).done).toBe(true);
});

test('a named pipe, as a shell makes one of <(…), is read once and cannot be resumed', async () => {
  const fifo = path.join(await temporaryDirectory(), 'pipe');
  execFileSync('mkfifo', [fifo]);
  const written = once(spawn('sh', ['-c', 'echo \'{"a":1}\' > "$0"', fifo]), 'exit');
  const { items, seen } = await read(fifo);
  await written;
  expect(seen).toEqual([{ at: 'pipe:1', text: '{"a":1}' }]);
  expect(items[0]?.after).toBeUndefined();
});

test('compressed standard input, and text that somebody decoded, are read', async () => {
  const { texts } = await read('-', { stdin: Readable.from([gzipSync('{"a":1}\n')]) });
  expect(texts).toEqual(['{"a":1}']);
  const decoded = Readable.from([Buffer.from('{"a":"é"}\n')]).setEncoding('utf8');
  expect((await read('-', { stdin: decoded })).seen[0]?.at).toBe('stdin:1');
});

test('the size of all inputs is unknown as soon as one of them is standard input', async () => {
  const file = await fileWith('{}\n');
  expect((await openPaths([file])).totalBytes).toBe(3);
  expect((await openPaths([file, '-'])).totalBytes).toBeUndefined();
});

test('an abort ends the reading without an error and without an unfinished entry', async () => {
  const stdin = new PassThrough();
  const abort = new AbortController();
  const items = openFileSource([{ kind: 'stdin' }], {
    stdin,
    maxEntryBytes: 1000,
    signal: abort.signal,
  }).items();
  const iterator = items[Symbol.asyncIterator]();
  stdin.write('{"a":1}\n{"b"');
  expect((await iterator.next()).done).toBe(false);
  const waiting = iterator.next();
  abort.abort();
  expect((await waiting).done).toBe(true);
});

test('a reader that stops early leaves no file open', async () => {
  const file = await fileWith(gzipSync('{"a":1}\n'.repeat(200_000)));
  for (let round = 0; round < 3; round++) {
    for await (const item of (await openPaths([file])).items()) {
      expect(item.kind).toBe('entry');
      break;
    }
  }
  await vi.waitFor(() => {
    expect(process.getActiveResourcesInfo()).not.toContain('FSReqCallback');
  });
});

test('a file that vanishes before it is read is a problem, and the next one is read', async () => {
  const [first, second] = [await fileWith('{"a":1}\n'), await fileWith('{"b":2}\n')];
  const source = await openPaths([first, second]);
  await rm(first);
  const seen = [];
  for await (const item of source.items()) seen.push(describe(item));
  expect(seen).toEqual([
    { at: 'log:1', problem: 'unreadable_input' },
    { at: 'log:1', text: '{"b":2}' },
  ]);
});

test('resuming goes on in the file where it stopped, and skips those before it', async () => {
  const files = [
    await fileWith('{"a":1}\n'),
    await fileWith('{"b":1}\n{"b":2}\n'),
    await fileWith('{"c":1}\n'),
  ];
  const { items } = await read(files);
  const rest = await read(files, { resume: after(items[1]) });
  expect(rest.texts).toEqual(['{"b":2}', '{"c":1}']);
  expect(rest.source.bytesRead()).toBe(rest.source.totalBytes);
  expect((await read(files, { resume: after(items[3]) })).items).toEqual([]);
});

test('inputs that are all empty say so once; an empty one among others is no problem', async () => {
  const empty = await fileWith('');
  expect((await read([empty, await fileWith(' \n\n')])).problems).toEqual(['no_log_entries log:1']);
  expect((await read([empty, await fileWith('{}\n')])).problems).toEqual([]);
  expect((await read('-', { stdin: NO_STDIN })).problems).toEqual(['no_log_entries stdin:1']);
});
