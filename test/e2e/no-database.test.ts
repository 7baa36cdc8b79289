import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { buildProgram, isGroup } from '../../src/cli/program.js';
import { runCli } from '../cli/run-cli.js';
import { builtBinary } from '../support/built-binary.js';
import { live } from '../support/webhooks.js';
import { useMachines, type Installation } from './installation.js';

/** Commands that bring data in, and the few that need no database. */
const NOT_READING = new Set(['connection add', 'db migrate', 'restore', 'completion', 'inspect', 'help']);

/** What a command needs to get as far as the database; for any other, a word for each argument is enough. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  replay: [],
  'connection edit': ['main', '--name', 'other'],
  'connection token': ['main', '--remove'],
  import: ['+5511912345678'],
  link: ['--connection', 'main'],
  unlink: ['--connection', 'main', '--yes'],
  messages: ['+5511912345678'],
  erase: ['+5511912345678'],
  export: ['+5511912345678', '-o', 'chat.html'],
  prune: ['--older-than', '180d'],
};

const FAILURE = z.object({
  error: z.looseObject({
    code: z.string(),
    message: z.string(),
    remedy: z.string(),
    next: z.object({ command: z.string() }),
  }),
});

function leaves(command: Command, path: readonly string[] = []): { name: string; command: Command }[] {
  const own = path.length === 0 || isGroup(command) ? [] : [{ name: path.join(' '), command }];
  return [...own, ...command.commands.flatMap((sub) => leaves(sub, [...path, sub.name()]))];
}

const READING = leaves(buildProgram())
  .filter(({ name }) => !NOT_READING.has(name))
  .map(({ name, command }) => ({
    name,
    argv: [
      ...name.split(' '),
      ...(WORDS[name] ??
        command.registeredArguments
          .filter(({ required }) => required)
          .map(({ argChoices }) => argChoices?.[0] ?? 'X1')),
    ],
  }));

describe('without a database', () => {
  // Built outside the first test, whose time it is not.
  beforeAll(() => builtBinary(), 180_000);
  const machines = useMachines('pglite');
  const KEY = { WA_RECONCILE_SECRET_KEY: Buffer.alloc(32, 7).toString('base64'), WA_RECONCILE_HOME: '' };

  async function tree(machine: Installation): Promise<string[]> {
    return (await readdir(machine.directory, { recursive: true })).sort();
  }

  test.each([
    { title: 'a dry run', argv: ['replay', '-', '--dry-run', '--register'], code: 0 },
    { title: 'a connection that nobody knows', argv: ['replay', '-', '--connection', 'nobody'], code: 2 },
    { title: 'an id that is none', argv: ['connection', 'add', '--name', 'shop', '--waba-id', 'x'], code: 2 },
  ])('leaves nothing behind that the next command would find in order: $title', async ({ argv, code }) => {
    const machine = await machines.install('empty');
    const before = await tree(machine);
    const ended = await machine.run(argv, { env: KEY, stdin: JSON.stringify(live('A1', 0)) });
    expect({ code: ended.code, left: await tree(machine) }, ended.stderr).toEqual({ code, left: before });
  });

  test.each(READING)(
    '$name ends with 2, creates nothing and says where it looked',
    async ({ name, argv }) => {
      const machine = await machines.install('empty');
      const before = await tree(machine);
      const flags = [...argv, '--json', '--no-input'];
      // One by the built command, which finds its home by itself; the others differ by nothing that is the process's.
      const { code, stdout, stderr } = await (name === 'verify'
        ? machine.run(flags, { env: KEY })
        : runCli(flags, { env: KEY, cwd: machine.directory, home: machine.directory }));
      expect(await tree(machine)).toEqual(before);
      if (name === 'doctor') {
        expect(code).toBe(1);
        expect(stdout).toContain('.local/share/wa-reconcile/database does not exist');
        return;
      }
      expect(code).toBe(2);
      const said =
        name === 'db status'
          ? z.object({ problem: FAILURE.shape.error }).parse(JSON.parse(stdout)).problem
          : FAILURE.parse(JSON.parse(stderr)).error;
      expect(said.code).toBe('database_missing');
      for (const place of [
        '--database-url-file: not given',
        `DATABASE_URL: not set (no .env in ${machine.directory})`,
        '--home: not given',
        'WA_RECONCILE_HOME: not set',
        'XDG_DATA_HOME: not set',
        `default: ${machine.directory}/.local/share/wa-reconcile`,
      ]) {
        expect(said.message).toContain(place);
      }
      expect(said.remedy).toContain('wa-reconcile replay LOG --register');
    },
  );

  test('a misspelled --home, an empty directory and one of something else are the same', async () => {
    const machine = await machines.install('empty');
    await mkdir(join(machine.directory, 'empty', 'database'), { recursive: true });
    await mkdir(join(machine.directory, 'other', 'database'), { recursive: true });
    await writeFile(join(machine.directory, 'other', 'database', 'thesis.txt'), 'mine');
    await writeFile(join(machine.directory, '.env'), 'WA_RECONCILE_DAYS=3\n');
    const before = await tree(machine);
    for (const [home, why] of [
      ['nowhere', 'does not exist'],
      ['empty', 'is empty'],
      ['other', 'contains other files, such as thesis.txt'],
    ] as const) {
      const { code, stdout, stderr } = await machine.run(['report', '--home', home]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`${join(machine.directory, home, 'database')} ${why}`);
      expect(stderr).toContain(`  --home: ${join(machine.directory, home)}\n`);
      expect(stderr).toContain(`nor in ${join(machine.directory, '.env')}`);
      expect(stderr).toContain(`  wa-reconcile replay LOG --register --home ${home}\n`);
    }
    expect(await tree(machine)).toEqual(before);
  });

  test('what brings data in creates it', async () => {
    const machine = await machines.install('empty');
    const added = await machine.run([
      'connection',
      'add',
      '--name',
      'main',
      '--kind',
      'cloud_api',
      '--phone',
      '+5511912345678',
      '--home',
      'a',
    ]);
    expect(added.code).toBe(0);
    expect((await machine.run(['report', '--home', 'a'])).code).toBe(0);
    expect((await machine.run(['db', 'migrate', '--home', 'b'])).code).toBe(0);
    // A database without a connection is no night to be green about.
    const night = await machine.run(['reconcile', '--home', 'b']);
    expect(night.code).toBe(2);
    expect(night.stderr).toContain('There is no connection in');
    expect(night.stderr).toContain('wa-reconcile connection add --home b');
    expect((await machine.run(['reconcile', '--dry-run', '--register', '--home', 'b'])).code).toBe(2);
  }, 180_000);
});
