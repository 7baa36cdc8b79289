import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { identifyInput, sameInput } from '../../src/inputs/input-identity.js';
import { resolveInputs } from '../../src/inputs/resolve-inputs.js';
import { tarOf, type TarFile } from '../support/tar.js';
import { zipOf } from '../support/zip.js';
import { after, fileWith, firstProblem, read, temporaryDirectory, type ReadResult } from './support.js';

const DAY = '{"a":1}\n{"a":2}\n';
const LONG = `logs/${'x'.repeat(120)}/day.log`;

/** `archive!file:line text`, without the directory of the archive. */
function places({ items }: ReadResult, file: string): string[] {
  return items.map((item) => {
    const { origin } = item.kind === 'entry' ? item.entry : item.problem;
    const at =
      origin.kind === 'file' ? `${path.relative(path.dirname(file), origin.path)}:${origin.line}` : '';
    return `${at} ${item.kind === 'entry' ? Buffer.from(item.entry.bytes).toString() : item.problem.reason}`;
  });
}

const FILES: TarFile[] = [
  { name: './logs/', type: '5' },
  { name: './logs/day.log', content: DAY },
  { name: '../../ação.ndjson', content: '{"b":"é"}', format: 'gnu' },
  { name: 'old.log', content: '{"old":1}\n', format: 'v7' },
  { name: LONG, content: '{"long":1}\n', format: 'gnu' },
  { name: 'short', content: '{"pax":1}\n', pax: { path: 'p/é\n.log', mtime: '1.5' } },
  { name: 'more.json.gz', content: gzipSync('{"c":1}\n') },
  { name: 'empty.log' },
  { name: 'hard', type: '1', link: 'logs/day.log', bytes: 0 },
  { name: 'current.log', type: '2', link: 'logs/day.log' },
  { name: 'dev/null', type: '3' },
  { name: '._day.log', content: 'x' },
  { name: 'photo.png', content: 'x' },
];

const READ = [
  'logs/day.log:1 {"a":1}',
  'logs/day.log:2 {"a":2}',
  'ação.ndjson:1 {"b":"é"}',
  'old.log:1 {"old":1}',
  `${LONG}:1 {"long":1}`,
  'p/é\n.log:1 {"pax":1}',
  'more.json.gz:1 {"c":1}',
];

test.each([
  ['day.tar', (tar: Buffer) => tar],
  ['day.tgz', (tar: Buffer) => gzipSync(tar)],
  ['backup', (tar: Buffer) => gzipSync(tar)],
])(
  'the logs in %s are read one after the other, each under its name, and the rest is said',
  async (name, pack) => {
    const file = await fileWith(pack(tarOf(FILES)), name);
    const passedOver: string[] = [];
    const result = await read(file, {
      onPassedOver: (all) => passedOver.push(...all.map((each) => path.basename(each))),
    });
    expect(result.problems).toEqual([]);
    expect(places(result, file)).toEqual(READ.map((place) => `${name}/${place}`));
    expect(passedOver).toEqual(['hard', 'current.log', 'null', '._day.log', 'photo.png']);
    expect(result.source.bytesRead()).toBe(result.source.totalBytes);
  },
);

test('an archive on standard input is read too', async () => {
  const { texts, problems } = await read('-', { stdin: Readable.from([gzipSync(tarOf(FILES))]) });
  expect({ texts: texts.length, problems }).toEqual({ texts: READ.length, problems: [] });
});

test('what the programs of this machine write is read', async () => {
  const directory = await temporaryDirectory();
  await writeFile(path.join(directory, 'day.log'), DAY);
  for (const format of ['gnu', 'pax', 'ustar', 'v7']) {
    const tar = path.join(directory, `${format}.tar.gz`);
    const { status } = spawnSync('tar', ['-czf', tar, `--format=${format}`, './day.log'], { cwd: directory });
    // Not every system's tar knows all formats.
    if (status !== 0) continue;
    expect((await read(tar)).seen.map(({ at }) => at)).toEqual(['day.log:1', 'day.log:2']);
  }
});

test('two files of one name, as tar -r leaves them, are both read, each at its own place', async () => {
  const twice = [
    { name: 'day.log', content: '{"a":1}\n' },
    { name: './day.log', content: '{"b":1}\n' },
  ];
  for (const [name, content] of [
    ['a.tar', tarOf(twice)],
    ['a.tgz', gzipSync(tarOf(twice))],
    ['o.zip', zipOf([{ name: 'i.zip', content: zipOf(twice) }])],
  ] as const) {
    const { items, seen } = await read(await fileWith(content, name));
    expect(seen).toEqual([
      expect.objectContaining({ at: 'day.log:1', text: '{"a":1}' }),
      expect.objectContaining({ at: 'day.log#2:1', text: '{"b":1}' }),
    ]);
    expect((await read(await fileWith(content, name), { resume: after(items[0]) })).seen).toEqual(
      seen.slice(1),
    );
  }
});

test('archives in an archive are read, and those in them are named', async () => {
  const zip = zipOf([{ name: 'z.log', content: '{"z":1}\n' }]);
  const tar = tarOf([
    { name: 't.log', content: '{"t":1}\n' },
    { name: 'deep.zip', content: zip },
  ]);
  const inner = [
    { name: 'a.zip', content: zip },
    { name: 'b.tar', content: tar },
    { name: 'c.tgz', content: gzipSync(tar) },
    { name: 'd.log', content: '{"d":1}\n' },
  ];
  const wanted = [
    'a.zip/z.log:1 {"z":1}',
    'b.tar/t.log:1 {"t":1}',
    'b.tar/deep.zip:1 unreadable_input',
    'c.tgz/t.log:1 {"t":1}',
    'c.tgz/deep.zip:1 unreadable_input',
    'd.log:1 {"d":1}',
  ];
  for (const [name, content] of [
    ['o.tar', tarOf(inner)],
    ['o.tar.gz', gzipSync(tarOf(inner))],
    ['o.zip', zipOf(inner)],
  ] as const) {
    const file = await fileWith(content, name);
    const result = await read(file);
    expect(places(result, file)).toEqual(wanted.map((place) => `${name}/${place}`));
    expect(firstProblem(result)).toMatch(/archive in an archive in an archive/);
    const points = result.items.flatMap((item, i) =>
      item.after === undefined ? [] : [{ i, at: item.after }],
    );
    for (const { i, at } of points)
      expect((await read(file, { resume: at })).seen).toEqual(result.seen.slice(i + 1));
  }
});

const TWO = tarOf([
  { name: 'one.log', content: DAY },
  { name: 'two.log', content: '{"b":1}\n'.repeat(200) },
]);

test.each([
  ['in a file', TWO.subarray(0, 512 * 3 + 1000), 'truncated_input two.log:126', 127],
  ['in the header of a file', TWO.subarray(0, 512 * 2 + 100), 'truncated_input cut.tar:1', 2],
  ['between two files', TWO.subarray(0, 512 * 2), 'truncated_input cut.tar:1', 2],
  ['behind the last file', TWO.subarray(0, TWO.length - 1024), 'truncated_input cut.tar:1', 202],
])(
  'of an archive that is cut off %s, all before the cut is read, and the place is said once',
  async (_, tar, problem, entries) => {
    const result = await read(await fileWith(tar, 'cut.tar'));
    expect(result.texts).toHaveLength(entries);
    expect(result.problems).toEqual([problem]);
    expect(firstProblem(result)).toMatch(/tar archive ends early.*kept/);
  },
);

test('gzip that is cut or damaged in an archive is said at its place', async () => {
  const noise = Array.from({ length: 4000 }, (_, i) => `{"n":${(i * 7919) % 100_003}}\n`).join('');
  const tar = gzipSync(tarOf([{ name: 'n.log', content: noise }]));
  const cut = await read(await fileWith(tar.subarray(0, tar.length >> 1), 'cut.tgz'));
  expect(cut.texts.length).toBeGreaterThan(100);
  expect(cut.problems).toEqual([`truncated_input n.log:${cut.texts.length + 1}`]);
  expect(firstProblem(cut)).toMatch(/gzip data ends early/);
  const inside = gzipSync(noise);
  const files = [
    { name: 'n.log.gz', content: inside.subarray(0, inside.length >> 1) },
    { name: 'next.log', content: '{"next":1}\n' },
  ];
  const whole = await read(await fileWith(tarOf(files), 'whole.tar'));
  expect(whole.problems).toHaveLength(1);
  expect(whole.texts.at(-1)).toBe('{"next":1}');
});

test('files whose bytes are not their content are said, and the next one is read', async () => {
  // The list of a sparse file's parts goes on in a block of its own.
  const sparse = tarOf([{ name: 's.log', type: 'S', format: 'gnu', content: '{"s":1}\n' }]).subarray(0, 1024);
  sparse[482] = 1;
  sparse.write('        ', 148);
  sparse.write(
    `${sparse
      .subarray(0, 512)
      .reduce((all, byte) => all + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  const file = await fileWith(
    Buffer.concat([
      sparse.subarray(0, 512),
      Buffer.alloc(512),
      sparse.subarray(512),
      tarOf([
        { name: 'p.log', content: 'x', pax: { 'GNU.sparse.major': '1', 'GNU.sparse.name': 'q.log' } },
        { name: 'wacli.db', content: Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(500)]) },
        { name: 'wacli.db-wal', content: 'x' },
        { name: 'next.log', content: '{"next":1}\n' },
      ]),
    ]),
    'a.tar',
  );
  const result = await read(file);
  expect(result.problems).toEqual([
    'unreadable_input s.log:1',
    'unreadable_input q.log:1',
    'unreadable_input wacli.db:1',
  ]);
  expect(result.texts).toEqual(['{"next":1}']);
});

test('an archive without logs, and one that is damaged, say so', async () => {
  const none = await read(await fileWith(tarOf([{ name: 'photo.png', content: 'x' }]), 'none.tar'));
  expect(none.problems).toEqual(['no_log_entries none.tar:1']);
  const damaged = Buffer.from(TWO);
  damaged[1024] = 0x41;
  const result = await read(await fileWith(damaged, 'damaged.tar'));
  expect(result.texts).toEqual(['{"a":1}', '{"a":2}']);
  expect(result.problems).toEqual(['unreadable_input damaged.tar:1']);
  expect(firstProblem(result)).toMatch(/behind one\.log: the tar archive is damaged/);
});

test('an archive that has changed anywhere is another one: its positions are no bytes on disk', async () => {
  const file = await fileWith(TWO, 'a.tar');
  const [input] = await resolveInputs([file], { cwd: '/' });
  if (input === undefined) throw new Error('not found');
  const before = await identifyInput(input, 8);
  await writeFile(file, Buffer.concat([TWO.subarray(0, TWO.length - 1), Buffer.from('x')]));
  expect(sameInput(before, await identifyInput(input, 8))).toBe(false);
});
