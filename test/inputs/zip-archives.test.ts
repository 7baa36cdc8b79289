import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { resolveInputs } from '../../src/inputs/resolve-inputs.js';
import { zipOf, type Member } from '../support/zip.js';
import { after, fileWith, firstProblem, read, temporaryDirectory } from './support.js';

const DAY = '{"a":1}\n{"a":2}\n';

test('the logs in an archive are read one after the other, each under its name', async () => {
  const file = await fileWith(
    zipOf([
      { name: 'logs/', content: '' },
      { name: 'logs/day.log', content: DAY },
      { name: 'logs/ação.ndjson', content: '{"b":"é"}', stored: true },
      { name: 'logs/more.json.gz', content: gzipSync('{"c":1}\n') },
      { name: 'logs/photo.png', content: 'x' },
      { name: '__MACOSX/logs/._day.log', content: 'x' },
      { name: '.hidden', content: 'x' },
    ]),
    'archive.zip',
  );
  const { items, problems } = await read(file);
  expect(problems).toEqual([]);
  expect(
    items.map((item) =>
      item.kind === 'entry' && item.entry.origin.kind === 'file'
        ? `${path.relative(path.dirname(file), item.entry.origin.path)}:${item.entry.origin.line} ${Buffer.from(item.entry.bytes).toString()}`
        : '',
    ),
  ).toEqual([
    'archive.zip/logs/ação.ndjson:1 {"b":"é"}',
    'archive.zip/logs/day.log:1 {"a":1}',
    'archive.zip/logs/day.log:2 {"a":2}',
    'archive.zip/logs/more.json.gz:1 {"c":1}',
  ]);
});

const TWICE = [
  { name: 'day.log', content: '{"a":1}\n' },
  { name: 'day.log#2', content: '{"b":1}\n' },
  { name: 'day.log', content: '{"c":1}\n{"c":2}\n' },
];

test('two files of one name, as a program leaves them that appends to an archive, are both read, each at its own place', async () => {
  const file = await fileWith(zipOf(TWICE), 'dup.zip');
  const { items, seen } = await read([file, file]);
  expect(seen.map(({ at, text }) => `${at} ${text}`)).toEqual([
    'day.log:1 {"a":1}',
    'day.log#2:1 {"c":1}',
    'day.log#2:2 {"c":2}',
    'day.log#2#2:1 {"b":1}',
  ]);
  for (const [index, item] of items.entries()) {
    expect((await read(file, { resume: after(item) })).seen).toEqual(seen.slice(index + 1));
  }
});

test('a name that leads out of the archive is only a name: its log is read, and a hidden file is hidden', async () => {
  const file = await fileWith(
    zipOf([
      { name: '../logs/day.ndjson', content: '{"a":1}\n' },
      { name: '../../.secret/old.log', content: '{"b":1}\n' },
      { name: '/var/log/day.log', content: '{"c":1}\n' },
      { name: '..\\logs\\day.log', content: '{"d":1}\n' },
    ]),
    'up.zip',
  );
  const passedOver: string[] = [];
  const inputs = await resolveInputs([file], { cwd: '/', onPassedOver: (name) => passedOver.push(name) });
  expect(passedOver).toEqual([`${file}/.secret/old.log`]);
  expect(inputs.map((input) => (input.kind === 'file' ? input.path : '-'))).toEqual([
    `${file}/logs/day.ndjson`,
    `${file}/..\\logs\\day.log`,
    `${file}/var/log/day.log`,
  ]);
  const { texts, problems } = await read(file);
  expect({ texts, problems }).toEqual({ texts: ['{"a":1}', '{"d":1}', '{"c":1}'], problems: [] });
});

test('progress counts the compressed bytes', async () => {
  const { source } = await read(
    await fileWith(zipOf([{ name: 'a.log', content: DAY.repeat(500) }]), 'a.zip'),
  );
  expect(source.totalBytes).toBe(deflateRawSync(DAY.repeat(500)).length);
  expect(source.bytesRead()).toBe(source.totalBytes);
});

test('an archive in a directory is read, a file that is only called so is not', async () => {
  const directory = await temporaryDirectory();
  await mkdir(path.join(directory, 'logs'));
  await writeFile(path.join(directory, 'logs/a.zip'), zipOf([{ name: 'day.log', content: DAY }]));
  await writeFile(path.join(directory, 'logs/b.zip'), 'no archive');
  await writeFile(
    path.join(directory, 'logs/c.zip'),
    zipOf([{ name: 'day.log', content: DAY }]).subarray(0, 60),
  );
  const inputs = await resolveInputs(['logs'], { cwd: directory });
  expect(inputs.map((input) => (input.kind === 'file' ? input.path : '-'))).toEqual([
    'logs/a.zip/day.log',
    'logs/c.zip',
  ]);
});

test('an archive without logs says so', async () => {
  const file = await fileWith(zipOf([{ name: 'photo.png', content: 'x' }]), 'a.zip');
  await expect(resolveInputs([file], { cwd: '/' })).rejects.toThrow(/holds no logs/);
});

test.each<[string, Member, RegExp, number]>([
  ['is encrypted', { name: 'a.log', content: DAY, flags: 1 }, /encrypted/, 0],
  ['is compressed in an unknown way', { name: 'a.log', content: DAY, method: 14 }, /method 14/, 0],
  ['has a wrong checksum', { name: 'a.log', content: DAY, crc32: 1 }, /checksum does not match/, 2],
  [
    'is longer than the archive says',
    { name: 'a.log', content: DAY.repeat(90_000), bytes: 20 },
    /longer than/,
    0,
  ],
  ['is shorter than the archive says', { name: 'a.log', content: DAY, bytes: 2000 }, /ends early/, 2],
  [
    'is no deflated data',
    { name: 'a.log', content: Buffer.alloc(40, 0xff), stored: true, method: 8 },
    /damaged/,
    0,
  ],
])('a file that %s is a problem, and the next one is read', async (_, member, message, entries) => {
  const file = await fileWith(zipOf([member, { name: 'b.log', content: '{"b":1}\n' }]), 'a.zip');
  const result = await read(file);
  expect(result.problems).toHaveLength(1);
  expect(firstProblem(result)).toMatch(message);
  expect(result.texts).toHaveLength(entries + 1);
  expect(result.texts.at(-1)).toBe('{"b":1}');
});

test('files that share their data, as those of a bomb do, are not read', async () => {
  const file = await fileWith(
    zipOf([
      { name: 'a.log', content: DAY },
      { name: 'b.log', content: DAY, offset: 0 },
    ]),
    'a.zip',
  );
  const result = await read(file);
  expect(result.texts).toEqual([]);
  expect(firstProblem(result)).toMatch(/zip archive/);
});

test('a zip of a chat that WhatsApp exported says that it holds no ids, with the chat as the place', async () => {
  const chat =
    '\u200e[21/09/2026, 08:14:02] Lia Campos: \u200e<anexado: 00000003-PHOTO-2026-09-21-08-14-02.jpg>\n';
  const file = await fileWith(
    zipOf([
      { name: '00000003-PHOTO-2026-09-21-08-14-02.jpg', content: 'x' },
      { name: '_chat.txt', content: chat },
    ]),
    'WhatsApp Chat - Lia.zip',
  );
  const { items, problems } = await read(file);
  expect(problems).toEqual([expect.stringMatching(/^unreadable_input .*_chat\.txt:1$/)]);
  expect(items[0]?.kind === 'problem' && items[0].problem.message).toMatch(
    /a chat export has no message ids/i,
  );
});

test('what an archive holds beside logs is said: a database, a hidden file; one inside it is read', async () => {
  const inner = zipOf([{ name: 'b.ndjson', content: '{"b":1}\n' }]);
  const file = await fileWith(
    zipOf([
      { name: 'a.ndjson', content: DAY },
      { name: 'inner.zip', content: inner },
      { name: 'wacli.db', content: 'x' },
      { name: '.env', content: 'x' },
      { name: '__MACOSX/._a.ndjson', content: 'x' },
      { name: '.DS_Store', content: 'x' },
    ]),
    'outer.zip',
  );
  const result = await read(file);
  expect(result.texts).toEqual(['{"a":1}', '{"a":2}', '{"b":1}']);
  expect(result.problems).toEqual([]);
  const passedOver: string[] = [];
  await resolveInputs([file], { cwd: '/', onPassedOver: (name) => passedOver.push(path.basename(name)) });
  expect(passedOver).toEqual(['.env', 'wacli.db']);
});
