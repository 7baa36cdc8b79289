import { describe, expect, test } from 'vitest';
import type { Command } from 'commander';
import { buildProgram, isGroup } from '../../src/cli/program.js';
import { runCli, temporaryDirectory } from './run-cli.js';

function leaves(command: Command, path: string[] = []): { path: string[]; command: Command }[] {
  return command.commands.flatMap((sub) => {
    const here = [...path, sub.name()];
    return [...(isGroup(sub) ? [] : [{ path: here, command: sub }]), ...leaves(sub, here)];
  });
}

const COMMANDS = leaves(buildProgram()).map(({ path }) => [path.join(' '), path] as const);

describe('help', () => {
  test('wa-reconcile alone shows what to start with and all commands', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain('wa-reconcile replay LOG --register');
    // A group has one line, which names what it can do.
    for (const word of COMMANDS.flatMap(([name]) => name.split(' '))) expect(stdout).toContain(word);
    // One screen: a line for each group of commands, and little besides.
    const groups = new Set(COMMANDS.map(([name]) => name.split(' ')[0]));
    expect(stdout.split('\n').length).toBeLessThan(groups.size + 24);
  });

  test.each(COMMANDS)('%s --help has a summary, examples, options and exit codes', async (name, path) => {
    const { code, stdout, stderr } = await runCli([...path, '--help']);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(new RegExp(`^Usage: wa-reconcile ${name}`));
    expect(stdout).toMatch(/\nExamples:\n {2}# .+\n {2}.*wa-reconcile/);
    expect(stdout).toMatch(/\nGlobal options:\n/);
    expect(stdout).toMatch(/\nExit status:\n {2}0 /);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test.each(COMMANDS)(
    '%s --help has examples that can be copied, on a narrow terminal, too',
    async (_, path) => {
      for (const columns of [80, 44]) {
        const { stdout } = await runCli([...path, '--help'], {
          terminals: ['stdout'],
          env: { NO_COLOR: '1' },
          columns,
        });
        const [, after = ''] = stdout.split('\nExamples:\n');
        const lines = (after.split('\n\n')[0] ?? '').split('\n');
        for (const [at, line] of lines.entries()) {
          // A comment, a command, or the rest of one whose line says that it goes on.
          const isRest = lines[at - 1]?.endsWith(' \\') === true;
          expect(line).toMatch(isRest ? /^ {4}\S/ : /^ {2}(?:# )?\S/);
        }
      }
    },
  );

  test('has a flag under the heading of its own command', async () => {
    expect((await runCli(['media', 'fetch', '--help'])).stdout).toContain('Which files:');
    expect((await runCli(['connection', 'add', '--help'])).stdout).not.toContain('Which files:');
  });

  test('of a group without its command is an error, and lists the commands', async () => {
    const { code, stdout, stderr } = await runCli(['connection']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('list');
    expect(stderr).toContain(
      'wa-reconcile: A command is missing.\n  Give a subcommand: add, list, show, edit, remove, archive',
    );
  });

  test('is no help under --json, but one object', async () => {
    const { code, stdout, stderr } = await runCli(['--json', 'connection']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { message: 'A command is missing.' } });
  });

  test('is plain where it is piped, and colored on a terminal', async () => {
    expect((await runCli(['--help'])).stdout).not.toContain('\u001b');
    expect((await runCli(['--help'], { terminals: ['stdout'] })).stdout).toContain('\u001b[1m');
    expect(
      (await runCli(['--help'], { terminals: ['stdout'], env: { NO_COLOR: '1' } })).stdout,
    ).not.toContain('\u001b');
    expect((await runCli(['--help', '--no-color'], { terminals: ['stdout'] })).stdout).not.toContain(
      '\u001b',
    );
    expect((await runCli(['--help'], { terminals: ['stdout'], env: { TERM: 'dumb' } })).stdout).not.toContain(
      '\u001b',
    );
  });
});

describe('help as a command', () => {
  test.each([
    [['help', 'explain'], 'wa-reconcile explain'],
    [['help', 'connection', 'add'], 'wa-reconcile connection add'],
    [['connection', 'help', 'add'], 'wa-reconcile connection add'],
  ])('%s shows the help of that command', async (argv, name) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: ${name} `));
  });

  test.each([
    [['help', 'nosuch'], `Unknown command 'nosuch'.`],
    [['help', 'replai'], `Unknown command 'replai'.\n  Did you mean replay?`],
    [['connection', 'help', 'ad'], `Unknown command 'ad'.\n  Did you mean add?`],
    [['help', 'status'], `Unknown command 'status'.\n  Did you mean report, db status or link status?`],
  ])('%s is an error, not the help of everything', async (argv, words) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('Usage:');
  });
});

describe('the version', () => {
  test('is one line', async () => {
    for (const flag of ['--version', '-V']) {
      expect((await runCli([flag])).stdout).toMatch(/^wa-reconcile \d+\.\d+\.\d+\n$/);
    }
  });

  test('--json names everything that a report of a bug needs', async () => {
    const { code, stdout } = await runCli(['--version', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      schemaVersion: 1,
      name: 'wa-reconcile',
      version: expect.stringMatching(/^\d/) as unknown,
      node: process.versions.node,
      schema: expect.stringMatching(/^\d{14}_/) as unknown,
      backend: 'pglite',
    });
  });
});

describe('wrong usage ends with 2, one line and a way out', () => {
  test.each([
    ['a command that does not exist', ['replai'], /Unknown command 'replai'/, /Did you mean replay\?/],
    [
      'what is called otherwise here',
      ['status'],
      /Unknown command 'status'/,
      /report, db status or link status/,
    ],
    ['a list of something', ['list'], /Unknown command 'list'/, /connection list, runs list or alerts list/],
    ['a first step of other tools', ['init'], /Unknown command 'init'/, /replay LOG --register/],
    ['the version as a command', ['version'], /Unknown command 'version'/, /Did you mean --version\?/],
    ['a missing subject', ['explain'], /Missing required argument 'subject'/, /wa-reconcile explain --help/],
    ['an abbreviated command', ['conn', 'list'], /Unknown command 'conn'/, /./],
    ['an option that does not exist', ['replay', '--regster'], /Unknown option '--regster'/, /--register/],
    ['an option before the command', ['--regster', 'replay'], /Unknown option '--regster'/, /./],
    [
      'an option of the command above',
      ['compare', 'chat-export', 'a.txt', '--contact', '+5511912345678', '--repair', 'x.sql'],
      /Unknown option '--repair'/,
      /wa-reconcile compare chat-export --help/,
    ],
    ['an abbreviated option', ['replay', '--reg'], /Unknown option '--reg'/, /./],
    ['an option without its value', ['replay', '--since'], /argument missing/, /./],
    [
      'a word that is no choice',
      ['replay', '--tickets', 'some'],
      /^wa-reconcile: Unknown value 'some' for --tickets\.$/,
      /^ {2}It is one of: auto, none\.$/,
    ],
    ['too many arguments', ['connection', 'list', 'x'], /[Tt]oo many arguments/, /./],
    ['a missing argument', ['connection', 'show'], /[Mm]issing required argument/, /./],
    ['an unknown shell', ['completion', 'tcsh'], /Unknown value 'tcsh' for shell/, /bash/],
  ])('%s', async (_what, argv, message, remedy) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    const [first, second, ...rest] = stderr.split('\n');
    expect(first).toMatch(/^wa-reconcile: [A-Z]/);
    expect(first).toMatch(message);
    expect(second).toMatch(/^ {2}\S/);
    expect(second).toMatch(remedy);
    expect(rest).toEqual(['']);
  });

  test('under --json it is one JSON object on stderr, wherever --json stands', async () => {
    for (const argv of [
      ['--json', 'replay', '--regster'],
      ['replay', '--regster', '--format=json'],
      ['replay', '--format', 'json', '--regster'],
    ]) {
      const { code, stdout, stderr } = await runCli(argv);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(JSON.parse(stderr)).toEqual({
        error: {
          code: 'usage',
          message: `Unknown option '--regster'.`,
          remedy: 'Did you mean --register?',
          next: null,
        },
      });
    }
  });

  test('a wrong value in the environment is one too', async () => {
    const { code, stderr } = await runCli(['replay'], { env: { WA_RECONCILE_LOCK_WAIT: 'soon' } });
    expect(code).toBe(2);
    expect(stderr).toContain(`WA_RECONCILE_LOCK_WAIT: 'soon' is not a duration`);
  });

  test('a result that could not be written is found out before the work', async () => {
    const cwd = await temporaryDirectory();
    const { code, stderr } = await runCli(['connection', 'list', '-o', 'no/such/place.json'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('-o no/such/place.json');
    expect((await runCli(['connection', 'list', '-o', '.'], { cwd })).stderr).toContain(
      'this is a directory',
    );
  });

  test('a file that does not exist costs no new database', async () => {
    const cwd = await temporaryDirectory();
    const { code, stderr } = await runCli(['replay', 'nothing.ndjson', '--home', 'home'], { cwd });
    expect(code).toBe(2);
    expect(stderr).toContain('There is no file or directory nothing.ndjson.');
    expect((await runCli(['db', 'status', '--home', 'home'], { cwd })).stdout).toContain('does not exist');
  });

  test('- without anything piped in shows the help', async () => {
    const { code, stdout, stderr } = await runCli(['replay', '-'], { terminals: ['stdin'] });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: wa-reconcile replay');
    expect(stderr).toContain('nothing is piped into it');
  });

  test('flags that contradict each other say how to part them', async () => {
    const { code, stderr } = await runCli(['replay', 'log.ndjson', '--all']);
    expect(code).toBe(2);
    expect(stderr).toContain('--all: this selects stored entries');
    expect(stderr).toContain('Replay the files first');
  });
});

describe('nobody is asked', () => {
  const add = ['connection', 'add', '--name', 'main'];

  test.each([
    ['when stdin is a pipe', [], { terminals: ['stderr'] as const }, 'stdin is not a terminal'],
    ['when stderr is a file', [], { terminals: ['stdin'] as const }, 'stderr is not a terminal'],
    [
      'under --no-input',
      ['--no-input'],
      { terminals: ['stdin', 'stderr'] as const },
      '--no-input forbids questions',
    ],
    ['in CI', [], { terminals: ['stdin', 'stderr'] as const, env: { CI: 'true' } }, 'CI is set'],
  ])('%s, and the missing flag is named with all that was tried', async (_when, flags, surroundings, why) => {
    const { code, stdout, stderr } = await runCli([...add, ...flags], surroundings);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(
      `--kind is missing: it was not on the command line, and it was not asked for because ${why}`,
    );
  });

  test('a log that is piped in is never taken for an answer', async () => {
    const { code, stderr } = await runCli(['connection', 'add'], {
      stdin: 'main\n1\n',
      terminals: ['stderr'],
    });
    expect(code).toBe(2);
    expect(stderr).toContain('--name is missing');
  });
});

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish', 'powershell'])(
    '%s gets a script that knows every command',
    async (shell) => {
      const { code, stdout, stderr } = await runCli(['completion', shell]);
      expect(code).toBe(0);
      expect(stderr).toBe('');
      for (const word of ['connection', 'remove', 'migrate', 'register', 'dry-run', 'cloud_api']) {
        expect(stdout).toContain(word);
      }
    },
  );
});
