import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useMachines } from './installation.js';
import { DEMO_DAY, HOSTILE_NAME, lines, liveLines, TERMINAL_CONTROLS } from './logs.js';
import { countersOf, parseRun } from './run-json.js';
import { liveFrom } from '../support/webhooks.js';

const event = z.looseObject({ event: z.string(), ts: z.iso.datetime() });

describe.each(['postgresql', 'pglite'] as const)('the installed command on %s', (backend) => {
  const machines = useMachines(backend);

  test('counts the same in a dry run, which writes nothing, and in the run itself; then all is known', async () => {
    const machine = await machines.install();
    const empty = await machine.picture();
    const dry = await machine.run(['replay', DEMO_DAY, '--register', '--dry-run', '--json']);
    expect(await machine.picture()).toEqual(empty);
    const real = await machine.run(['replay', DEMO_DAY, '--register', '--json']);
    expect([dry.code, dry.stderr, real.code, real.stderr]).toEqual([4, '', 4, '']);
    const [would, did] = [parseRun(dry.stdout), parseRun(real.stdout)];
    expect([would.dryRun, did.dryRun]).toEqual([true, false]);
    expect(countersOf(would)).toEqual(countersOf(did));
    expect(did.messages.created).toBeGreaterThan(50);

    const before = await machine.picture();
    const again = await machine.run(['replay', DEMO_DAY, '--register']);
    const { read } = did.entries;
    expect(again.stdout).toContain(`${read} entries read: ${read} already imported`);
    expect(again.stdout).toContain('no lead, conversation or ticket changed');
    expect(await machine.picture()).toEqual(before);
  }, 120_000);
});

describe('what the installed command prints', () => {
  const machines = useMachines('postgresql');

  test('is a summary on stdout and nothing on stderr, with the next command to type', async () => {
    const machine = await machines.install();
    const { code, stdout, stderr } = await machine.run(['replay', DEMO_DAY, '--register']);
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toMatch(/^▲ Replay finished with problems {2}/);
    expect(stdout).toMatch(/\nNext\n {2}wa-reconcile connection show \+5511900000000\b/);
    expect(stdout).toContain('demo-day.ndjson:');
    expect(stdout).not.toMatch(TERMINAL_CONTROLS);
  });

  test('may be cut off by a reader that has seen enough, without a complaint', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', liveLines(300));
    const cases = [
      `wa-reconcile replay ${log} --register | head -1`,
      `wa-reconcile replay ${log} --json | head -c 1`,
      'wa-reconcile --help | head -1',
      'wa-reconcile connection list | true',
    ];
    for (const line of cases) {
      const { code, stderr } = await machine.shell(line);
      expect({ line, code, stderr }).toEqual({ line, code: 0, stderr: '' });
    }
    // Not even when it is stderr that nobody reads any more.
    const deaf = await machine.shell(
      `{ wa-reconcile replay ${log} --events; echo $? >&3; } 2>&1 >/dev/null 3>code | true; cat code`,
    );
    expect(deaf).toMatchObject({ stdout: '0\n', stderr: '' });
  });

  test('holds no color in a pipe, nor under NO_COLOR, nor what a sender smuggled in', async () => {
    const machine = await machines.install();
    const evil = await machine.write(
      'evil \u001b[31m.ndjson',
      lines([
        liveFrom(HOSTILE_NAME, 'A', 1),
        liveFrom(HOSTILE_NAME, 'B', 2, { id: undefined, text: { body: HOSTILE_NAME } }),
        { [HOSTILE_NAME]: HOSTILE_NAME },
      ]) + '{"broken": "\u001b]0;owned\u0007\n',
    );
    const noisy = ['--debug', '-vv'];
    const calls: [argv: string[], env: Record<string, string>][] = [
      [[], {}],
      [['--format', 'markdown'], {}],
      [noisy, {}],
      [noisy, { NO_COLOR: '1' }],
      [noisy, { FORCE_COLOR: '1', NO_COLOR: '1' }],
      [noisy, { TERM: 'dumb' }],
    ];
    for (const [argv, env] of calls) {
      const { code, stdout, stderr } = await machine.run(['replay', evil, '--register', ...argv], { env });
      expect(code).toBe(4);
      expect(stdout).not.toMatch(TERMINAL_CONTROLS);
      expect(stderr).not.toMatch(TERMINAL_CONTROLS);
    }
    const missing = await machine.run(['replay', '\u001b]0;owned\u0007.ndjson']);
    expect(missing.code).toBe(2);
    expect(missing.stderr).not.toMatch(TERMINAL_CONTROLS);
  });

  test('goes to a file with -o, whole or not at all, and leaves stdout empty', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', liveLines(5));
    const { code, stdout, stderr } = await machine.run([
      'replay',
      log,
      '--register',
      '--json',
      '-o',
      'r.json',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toMatch(/^Result written to .*r\.json\n$/);
    expect(parseRun(await readFile(join(machine.directory, 'r.json'), 'utf8')).messages.created).toBe(5);
    const nowhere = await machine.run(['replay', log, '--json', '-o', 'no/such/place.json']);
    expect(nowhere).toMatchObject({ code: 2, stdout: '' });
    expect(nowhere.stderr).toContain('no/such/place.json');
  });

  test('is progress on stderr only when asked, one JSON object per line, and --quiet is silent', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', liveLines(300));
    const argv = ['replay', log, '--register', '--batch-size', '50', '--json'];
    const { code, stdout, stderr } = await machine.run([...argv, '--events']);
    expect(code).toBe(0);
    parseRun(stdout);
    const events = stderr
      .trimEnd()
      .split('\n')
      .map((line) => event.parse(JSON.parse(line)));
    expect(events.map(({ event: name }) => name)).toEqual([
      'run_started',
      ...Array.from({ length: 6 }, () => 'progress'),
      'run_finished',
    ]);
    expect(events.at(-2)).toMatchObject({ entries: 300, messages: 300, origin: `${log}:300` });
    expect(await machine.run([...argv, '-q'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('is an error of one line and its remedy: 1, 2 and 5 have none on stdout and no stack', async () => {
    const machine = await machines.install();
    const cases = [
      { argv: ['replay', 'missing.ndjson'], code: 2 },
      { argv: ['replay', '--nonsense'], code: 2 },
      { argv: ['replay', '--all', '--failed'], code: 2 },
      { argv: ['rpelay'], code: 2 },
      { argv: ['replay', DEMO_DAY], code: 1, env: { DATABASE_URL: 'postgresql://u:s3cret@127.0.0.1:1/x' } },
    ];
    for (const { argv, code, env = {} } of cases) {
      const plain = await machine.run(argv, { env });
      expect(plain).toMatchObject({ code, stdout: '' });
      expect(plain.stderr).toMatch(/^wa-reconcile: .+\n {2}.+\n$/);
      const json = await machine.run([...argv, '--json'], { env });
      expect(json).toMatchObject({ code, stdout: '' });
      const { error } = z
        .object({ error: z.object({ code: z.string(), message: z.string(), remedy: z.string() }) })
        .parse(JSON.parse(json.stderr));
      expect(error.message).not.toContain('\n');
      expect(plain.stderr + json.stderr).not.toContain('s3cret');
    }
  });

  test('is help without a word, and the version in one line', async () => {
    const machine = await machines.install('empty');
    const help = await machine.run([]);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('wa-reconcile replay');
    const version = await machine.run(['--version']);
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^wa-reconcile \d+\.\d+\.\d+\S*\n$/);
  });
});
