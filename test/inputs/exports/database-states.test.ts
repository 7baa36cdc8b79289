import { copyFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { resolveInputs } from '../../../src/inputs/resolve-inputs.js';
import { zipOf } from '../../support/zip.js';
import { firstProblem, read, temporaryDirectory } from '../support.js';

/** Made by SQLite 3.40 itself; `-open` was copied while it was open, with one message in its write-ahead log only. */
const SAMPLES = fileURLToPath(new URL('../../samples/exports/', import.meta.url));

interface State {
  state: string;
  /** Files of the sample by the end of their names. */
  sample: string;
  ends: readonly string[];
  name: string;
  entries: number;
  empty?: string;
}

const STATES: readonly State[] = [
  { state: 'closed in WAL mode', sample: 'states/wacli.db', ends: [''], name: 'wacli.db', entries: 15 },
  {
    state: 'closed in WAL mode, with an empty -wal',
    sample: 'states/wacli.db',
    ends: [''],
    name: 'wacli.db',
    entries: 15,
    empty: '-wal',
  },
  { state: 'with a -wal', sample: 'wacli.db', ends: ['', '-wal'], name: 'wacli.db', entries: 15 },
  {
    state: 'of an iPhone, closed in WAL mode',
    sample: 'states/ChatStorage.sqlite',
    ends: [''],
    name: 'ChatStorage.sqlite',
    entries: 3,
  },
  {
    state: 'of an iPhone, with -wal',
    sample: 'states/ChatStorage-open.sqlite',
    ends: ['', '-wal'],
    name: 'ChatStorage.sqlite',
    entries: 3,
  },
  {
    state: 'of an iPhone, with -wal and -shm',
    sample: 'states/ChatStorage-open.sqlite',
    ends: ['', '-wal', '-shm'],
    name: 'ChatStorage.sqlite',
    entries: 3,
  },
  {
    state: 'of an iPhone, without a write-ahead log',
    sample: 'states/ChatStorage-delete.sqlite',
    ends: [''],
    name: 'ChatStorage.sqlite',
    entries: 3,
  },
];

async function contentsOf({ sample, ends, name, empty }: State): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const end of ends) files.set(`${name}${end}`, await readFile(`${SAMPLES}${sample}${end}`));
  if (empty !== undefined) files.set(`${name}${empty}`, Buffer.alloc(0));
  return files;
}

async function directoryWith(files: ReadonlyMap<string, Buffer>): Promise<string> {
  const directory = await temporaryDirectory();
  for (const [name, bytes] of files) await writeFile(path.join(directory, name), bytes);
  return directory;
}

async function snapshot(directory: string): Promise<unknown[]> {
  const names = (await readdir(directory)).sort();
  const { mtimeMs } = await stat(directory);
  const contents = await Promise.all(names.map((name) => readFile(path.join(directory, name))));
  return [mtimeMs, names, contents];
}

describe.each(STATES)('a database $state', (state) => {
  test('is read as a file, and by a link, without a change to it or its directory', async () => {
    const directory = await directoryWith(await contentsOf(state));
    const before = await snapshot(directory);
    const result = await read(path.join(directory, state.name));
    expect(result.problems).toEqual([]);
    expect(result.texts).toHaveLength(state.entries);
    expect(await snapshot(directory)).toEqual(before);
    const link = path.join(await temporaryDirectory(), state.name);
    await symlink(path.join(directory, state.name), link);
    expect((await read(link)).texts).toEqual(result.texts);
  });

  test('is the same in a directory, packed, and in an archive; what lies beside it is no input', async () => {
    const files = await contentsOf(state);
    const plain = await directoryWith(files);
    const { texts } = await read(path.join(plain, state.name));
    const gzipped = await directoryWith(
      new Map([...files].map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)])),
    );
    const archive = path.join(await temporaryDirectory(), 'phone.zip');
    await writeFile(
      archive,
      zipOf([...files].map(([name, content]) => ({ name: `backup/${name}`, content }))),
    );
    const copies = await temporaryDirectory();
    vi.stubEnv('TMPDIR', copies);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    for (const given of [plain, `${plain}/*`, path.join(gzipped, `${state.name}.gz`), gzipped, archive]) {
      const result = await read(given);
      expect(result.problems).toEqual([]);
      expect(result.texts).toEqual(texts);
      expect(result.source.skippedLines()).toBe(0);
    }
    expect(await readdir(copies)).toEqual([]);
  });
});

test('in a directory or an archive, the databases of other programs are passed over with what lies beside them', async () => {
  const wacli = await readFile(`${SAMPLES}states/wacli.db`);
  // Another schema: the name of the table in it is another word.
  const other = Buffer.from(wacli.toString('latin1').replaceAll('messages', 'massages'), 'latin1');
  const files = new Map([
    ['wacli.db', wacli],
    ['session.db', other],
    ['session.db-wal', Buffer.alloc(0)],
    ['session.db-shm', Buffer.alloc(32768)],
    ['events.ndjson', Buffer.from('{"a":1}\n')],
    ['Thumbs.db', Buffer.from('no SQLite')],
  ]);
  const directory = await directoryWith(files);
  const passedOver: string[] = [];
  const inputs = await resolveInputs(['.'], {
    cwd: directory,
    onPassedOver: (file) => passedOver.push(file),
  });
  expect(inputs.map((input) => input.kind === 'file' && input.path)).toEqual(['events.ndjson', 'wacli.db']);
  expect(passedOver.sort()).toEqual(['Thumbs.db', 'session.db']);
  const archive = path.join(await temporaryDirectory(), 'all.zip');
  await writeFile(archive, zipOf([...files].map(([name, content]) => ({ name, content }))));
  const packed = await resolveInputs([archive], { cwd: directory });
  expect(packed.map((input) => input.kind === 'file' && path.basename(input.path))).toEqual([
    'events.ndjson',
    'wacli.db',
  ]);
});

test('a file beside no database is a log like any other', async () => {
  const directory = await directoryWith(
    new Map([
      ['hooks', Buffer.from('{"a":1}\n')],
      ['hooks-journal', Buffer.from('{"a":2}\n')],
    ]),
  );
  expect((await read(directory)).texts).toEqual(['{"a":1}', '{"a":2}']);
});

test('a change that was not finished is named, and how to finish it', async () => {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'ChatStorage.sqlite');
  await copyFile(`${SAMPLES}states/unfinished.sqlite`, file);
  await copyFile(`${SAMPLES}states/unfinished.sqlite-journal`, `${file}-journal`);
  const before = await snapshot(directory);
  const result = await read(file);
  expect(result.problems).toEqual(['unreadable_input ChatStorage.sqlite:1']);
  expect(firstProblem(result)).toMatch(/stopped while it wrote.*-journal/s);
  expect(await snapshot(directory)).toEqual(before);
});

test('what the operating system refuses is said in its words, and is no file cut off', async () => {
  const directory = await directoryWith(new Map());
  await copyFile(`${SAMPLES}states/wacli.db`, path.join(directory, 'wacli.db'));
  // A directory in its place can be opened, and not read: so is a disk with an error.
  await mkdir(path.join(directory, 'wacli.db-wal'));
  const result = await read(path.join(directory, 'wacli.db'));
  expect(result.problems).toEqual(['unreadable_input wacli.db:1']);
  expect(firstProblem(result)).toMatch(/cannot be read \(E\w+/);
});

test('a packed database that is cut off says so; a write-ahead log alone names the database', async () => {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'wacli.db.gz');
  await writeFile(file, gzipSync(await readFile(`${SAMPLES}states/wacli.db`)).subarray(0, 1500));
  const cut = await read(file);
  expect(cut.problems).toEqual(['truncated_input wacli.db.gz:1']);
  expect(firstProblem(cut)).toMatch(/gzip data ends early/);
  await copyFile(`${SAMPLES}wacli.db-wal`, path.join(directory, 'wacli.db-wal'));
  const log = await read(path.join(directory, 'wacli.db-wal'));
  expect(log.problems).toEqual(['unreadable_input wacli.db-wal:1']);
  expect(firstProblem(log)).toMatch(/Give the database itself/);
});
