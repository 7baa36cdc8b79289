import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { onTestFinished, describe, expect, test } from 'vitest';
import { openRepairFiles } from '../../src/cli/repair-files.js';
import { runCli, type Seen } from './run-cli.js';

async function directoryWith(...names: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wa-repair-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const name of names) await writeFile(join(directory, name), 'mine');
  return directory;
}

/** Nothing listens at the URL: who tries to read it fails otherwise. */
function compare(cwd: string, ...args: readonly string[]): Promise<Seen> {
  const url = 'postgresql://nobody@127.0.0.1:1/crm';
  return runCli(['compare', 'evolution', '--crm-url', url, '--home', join(cwd, 'home'), ...args], { cwd });
}

describe('the files of a repair', () => {
  test.each([
    { there: ['lost.sql'], args: ['--repair', 'lost.sql'], free: '--repair lost-2.sql' },
    { there: ['lost.undo.sql'], args: ['--repair', 'lost.sql'], free: '--repair lost-2.sql' },
    { there: ['lost.ids'], args: ['--repair', 'lost.sql'], free: '--repair lost-2.sql' },
    { there: ['lost.SQL', 'lost-2.ids'], args: ['--repair', 'lost.SQL'], free: '--repair lost-3.SQL' },
    { there: ['lost.ndjson'], args: ['--repair', './lost.ndjson'], free: '--repair ./lost-2.ndjson' },
    { there: ['d.sql'], args: ['--prune-doubles', 'd.sql'], free: '--prune-duplicates d-2.sql' },
    { there: ['d.undo.sql'], args: ['--prune-doubles', 'd.sql'], free: '--prune-duplicates d-2.sql' },
  ])('$args: what is there is not overwritten, and a free name is said', async ({ there, args, free }) => {
    const directory = await directoryWith(...there);
    const { code, stdout, stderr } = await compare(directory, ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('is there already');
    expect(stderr).toContain(free);
    expect((await readdir(directory)).sort()).toEqual([...there].sort());
    for (const name of there) expect(await readFile(join(directory, name), 'utf8')).toBe('mine');
  });

  test('ids of another file are in nobody’s way', async () => {
    const directory = await directoryWith('d.ids', 'other.undo.sql');
    const { stderr } = await compare(directory, '--prune-doubles', 'd.sql');
    expect(stderr).not.toContain('already');
  });

  test.each([
    ['--repair', 'a.sql', '--prune-doubles', 'a.sql'],
    ['--repair', 'a.sql', '--prune-doubles', './a.undo.sql'],
    ['--repair', 'a.sql', '--items', 'a.ids'],
    ['--repair', 'a.ndjson', '--output', 'a.ndjson'],
  ])('%s %s %s %s: one file cannot be two', async (...args) => {
    const { code, stderr } = await compare(await directoryWith(), ...args);
    expect(code).toBe(2);
    expect(stderr).toContain('another flag names one of its files');
  });

  test('a file that came while the CRM was compared is not overwritten either', async () => {
    const directory = await directoryWith();
    const io = { cwd: directory, stdout: new PassThrough(), clock: () => 0 };
    const files = await openRepairFiles('lost.sql', 'evolution', { place: 'x', from: 'database' }, io);
    await writeFile(join(directory, 'lost.undo.sql'), 'mine');
    await expect(files.finish(true)).rejects.toMatchObject({
      code: 'repair_exists',
      remedy: 'Name another file: --repair lost-2.sql',
    });
    await files.discard();
    expect(await readdir(directory)).toEqual(['lost.undo.sql']);
    expect(await readFile(join(directory, 'lost.undo.sql'), 'utf8')).toBe('mine');
  });
});
