import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../../src/model/errors.js';
import {
  describeSystemError,
  expandBraces,
  resolveInputs,
  type ResolvedInput,
} from '../../src/inputs/resolve-inputs.js';
import { temporaryDirectory } from './support.js';

async function directoryWith(...files: string[]): Promise<string> {
  const directory = await temporaryDirectory();
  for (const file of files) {
    await mkdir(path.dirname(path.join(directory, file)), { recursive: true });
    await writeFile(path.join(directory, file), '{}\n');
  }
  return directory;
}

function shown(inputs: ResolvedInput[]): string[] {
  return inputs.map((input) => (input.kind === 'file' ? input.path : '-'));
}

async function failure(paths: string[], cwd: string): Promise<ConfigError> {
  const error: unknown = await resolveInputs(paths, { cwd }).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${String(error)}`);
  expect(error.exitCode).toBe(2);
  expect(error.remedy).toBeTruthy();
  return error;
}

test('a file keeps the path that the user typed', async () => {
  const cwd = await directoryWith('logs/day.ndjson');
  const absolute = path.join(cwd, 'logs/day.ndjson');
  expect(await resolveInputs(['logs/day.ndjson'], { cwd })).toEqual([
    { kind: 'file', path: 'logs/day.ndjson', absolutePath: absolute, size: 3 },
  ]);
  expect(shown(await resolveInputs([absolute], { cwd }))).toEqual([absolute]);
});

test('a directory gives its logs, recursively and sorted, without hidden files and files that are no logs', async () => {
  const cwd = await directoryWith(
    'logs/b.ndjson',
    'logs/a/z.json.gz',
    'logs/a/y.log.1',
    'logs/webhooks',
    'logs/t.csv',
    'logs/u.txt',
    'logs/v.zst',
    'logs/.hidden.json',
    'logs/.git/config',
    'logs/photo.PNG',
    'logs/old.zip',
    'logs/b.ndjson~',
  );
  expect(shown(await resolveInputs(['logs'], { cwd }))).toEqual([
    'logs/a/y.log.1',
    'logs/a/z.json.gz',
    'logs/b.ndjson',
    'logs/t.csv',
    'logs/u.txt',
    'logs/v.zst',
    'logs/webhooks',
  ]);
  expect(shown(await resolveInputs(['.'], { cwd: path.join(cwd, 'logs/a') }))).toEqual([
    'y.log.1',
    'z.json.gz',
  ]);
  const passedOver: string[] = [];
  await resolveInputs(['logs'], { cwd, onPassedOver: (file) => passedOver.push(file) });
  expect(passedOver.sort()).toEqual([
    'logs/.hidden.json',
    'logs/b.ndjson~',
    'logs/old.zip',
    'logs/photo.PNG',
  ]);
});

test('of the SQL in a directory the dumps with rows are read, and no migration', async () => {
  const cwd = await directoryWith('logs/a.json');
  const write = (name: string, text: string | Buffer) => writeFile(path.join(cwd, 'logs', name), text);
  await write('backup.sql', '--\n-- PostgreSQL database dump\n--\n\nSET x = 1;\n');
  await write('hooks.SQL', "INSERT INTO `hooks` VALUES (1,'{}');\n");
  await write('server.sql', Buffer.from('\uFEFFINSERT [dbo].[hooks] ([id]) VALUES (1)\n', 'utf16le'));
  await write('migration.sql', 'CREATE TABLE hooks (id int);\n');
  const passedOver: string[] = [];
  const inputs = await resolveInputs(['logs'], { cwd, onPassedOver: (file) => passedOver.push(file) });
  expect(shown(inputs)).toEqual(['logs/a.json', 'logs/backup.sql', 'logs/hooks.SQL', 'logs/server.sql']);
  expect(passedOver).toEqual(['logs/migration.sql']);
});

test('a directory that links to one above it is walked once', async () => {
  const cwd = await directoryWith('logs/a.json');
  await symlink(path.join(cwd, 'logs'), path.join(cwd, 'logs/loop'));
  expect(shown(await resolveInputs(['logs'], { cwd }))).toEqual(['logs/a.json']);
});

test.each([
  ['*.json', ['a.json', 'b.json']],
  ['[!a].json', ['b.json']],
  ['[ab].json', ['a.json', 'b.json']],
  ['?.log', ['c.log']],
  ['**/*.json', ['a.json', 'b.json', 'sub/d.json', 'sub/deep/e.json']],
  ['sub/**', ['sub/d.json', 'sub/deep/e.json']],
  ['{a,c}.{json,log}', ['a.json', 'c.log']],
  ['./s*/d.json', ['sub/d.json']],
  ['s*', ['sub/d.json', 'sub/deep/e.json']],
  ['.*.json', ['.hidden.json']],
  ['day-[1-2](x)+.*', ['day-1(x)+.txt']],
])('the pattern %s names %j', async (pattern, expected) => {
  const cwd = await directoryWith(
    'a.json',
    'b.json',
    'c.log',
    'sub/d.json',
    'sub/deep/e.json',
    '.hidden.json',
    'day-1(x)+.txt',
  );
  expect(shown(await resolveInputs([pattern], { cwd }))).toEqual(expected);
  const absolute = await resolveInputs([`${cwd}/${pattern}`], { cwd: '/' });
  expect(shown(absolute)).toEqual(expected.map((file) => path.join(cwd, file)));
});

test('a file whose name holds pattern characters is meant literally', async () => {
  const cwd = await directoryWith('day[1].json', 'day1.json');
  expect(shown(await resolveInputs(['day[1].json'], { cwd }))).toEqual(['day[1].json']);
});

test('a file that is named twice is read once', async () => {
  const cwd = await directoryWith('a.json', 'b.json');
  expect(shown(await resolveInputs(['b.json', '*.json', './a.json'], { cwd }))).toEqual(['b.json', 'a.json']);
});

test('standard input is taken once', async () => {
  expect(await resolveInputs(['-'], { cwd: '/' })).toEqual([{ kind: 'stdin' }]);
  expect((await failure(['-', '-'], '/')).message).toMatch(/twice/);
});

test('a missing file is named, with the file that was probably meant', async () => {
  const cwd = await directoryWith('day.ndjson.gz');
  const error = await failure(['day.ndjson'], cwd);
  expect(error.message).toBe('There is no file or directory day.ndjson.');
  expect(error.remedy).toBe('Did you mean day.ndjson.gz?');
  expect((await failure(['day.ndjson.gz/x'], cwd)).message).toMatch(/no file or directory/);
});

test('a directory without logs, and a pattern without a match, say so', async () => {
  const cwd = await directoryWith('empty/photo.png');
  expect((await failure(['empty'], cwd)).message).toBe('The directory empty holds no logs.');
  expect((await failure(['*.log'], cwd)).message).toBe('No file matches the pattern *.log.');
});

test('a path that may not be read says whose permission is missing', () => {
  const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open' });
  const error = describeSystemError('a.json', denied);
  expect(error.message).toBe('No permission to read a.json.');
  expect(error.remedy).toContain('chmod');
});

test('a path that the file system refuses is a clear error', async () => {
  expect((await failure([`/${'x'.repeat(5000)}`], '/')).message).toContain('ENAMETOOLONG');
});

test('braces expand as in a shell', () => {
  expect(expandBraces('a{b,c{d,e}}f{g}')).toEqual(['abf{g}', 'acdf{g}', 'acef{g}']);
  expect(expandBraces('a{b')).toEqual(['a{b']);
});
