import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { tarOf } from '../support/tar.js';
import { zipOf } from '../support/zip.js';
import { useMachines } from './installation.js';
import { DEMO_DAY, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

describe('the installed command reads', () => {
  const machines = useMachines('postgresql');

  test('one and the same log from a file, a pipe, gzip, an archive, a directory and a pattern', async () => {
    const log = await readFile(DEMO_DAY);
    const text = log.toString();
    const half = text.indexOf('\n', text.length / 2) + 1;
    const machine = await machines.install();
    await machine.write('plain/day.ndjson', log);
    await machine.write('packed/day.ndjson.gz', gzipSync(log));
    // Known by its first bytes, not by its name.
    await machine.write('misnamed/day.ndjson', gzipSync(log));
    const parts = [
      { name: './logs/a.ndjson', content: text.slice(0, half) },
      { name: './logs/b.ndjson.gz', content: gzipSync(text.slice(half)) },
    ];
    await machine.write('packed/day.tgz', gzipSync(tarOf(parts)));
    await machine.write('packed/day.zip', zipOf([{ name: 'day.tar', content: tarOf(parts) }]));
    await machine.write('split/a.ndjson', text.slice(0, half));
    await machine.write('split/deep/b.ndjson.gz', gzipSync(text.slice(half)));
    await machine.write('split/deep/notes.md', '# not a log');
    const calls = [
      { argv: ['plain/day.ndjson'] },
      { argv: ['-'], stdin: log },
      { argv: ['-'], stdin: gzipSync(log) },
      { argv: ['packed/day.ndjson.gz'] },
      { argv: ['packed/day.tgz'] },
      { argv: ['-'], stdin: gzipSync(tarOf(parts)) },
      { argv: ['packed/day.zip'] },
      { argv: ['misnamed/day.ndjson'] },
      { argv: ['split'] },
      { argv: ['split/*.ndjson', 'split/**/*.gz'] },
    ];
    const [first, ...others] = await Promise.all(
      calls.map(async ({ argv, ...surroundings }) => {
        const own = await machines.install();
        const { code, stdout } = await own.run(['replay', ...argv, '--register', '--json'], {
          cwd: machine.directory,
          ...surroundings,
        });
        const { entries, messages } = parseRun(stdout);
        return { code, entries, messages, picture: await own.picture() };
      }),
    );
    expect(first?.code).toBe(4);
    expect(first?.entries.stored).toBeGreaterThan(50);
    for (const other of others) expect(other).toEqual(first);
  });

  test('what it stored as pending, once the connection is added', async () => {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', liveLines(3));
    const before = await machine.run(['replay', log]);
    expect(before.code).toBe(4);
    expect(before.stdout).toContain('3 pending');
    expect(before.stdout).toContain('wa-reconcile connection add');
    const added = await machine.run([
      ...[
        'connection',
        'add',
        '--name',
        'loja',
        '--kind',
        'coexistence',
        '--phone-number-id',
        '800000000000001',
      ],
      ...['--phone', '+5511900000000'],
    ]);
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(added.stdout).toContain('wa-reconcile replay');
    const { code, stdout } = await machine.run(['replay', '--json']);
    expect(code).toBe(0);
    const { entries, messages } = parseRun(stdout);
    expect(entries).toMatchObject({ read: 3, duplicate: 3, processed: 3 });
    expect(messages.created).toBe(3);
    expect(parseRun((await machine.run(['replay', '--json'])).stdout).entries.read).toBe(0);
  });

  test('nothing from a terminal that nobody types on, and asks nothing without one', async () => {
    const machine = await machines.install();
    const asked = await machine.run(['connection', 'add']);
    expect(asked).toMatchObject({ code: 2, stdout: '' });
    expect(asked.stderr).toMatch(/^wa-reconcile: .*--name/);
    const typed = await machine.run(['connection', 'remove', 'loja'], { stdin: 'y\ny\n' });
    expect(typed.code).toBe(2);
  });
});

describe('the database of the installed command', () => {
  const machines = useMachines('postgresql');
  const status = z.looseObject({ upToDate: z.boolean(), pending: z.array(z.string()) });

  test('on PostgreSQL is migrated when told, and named with the remedy until then', async () => {
    const machine = await machines.install('empty');
    const early = await machine.run(['replay', DEMO_DAY, '--register']);
    expect(early).toMatchObject({ code: 2, stdout: '' });
    expect(early.stderr).toMatch(
      /^wa-reconcile: .+\n {2}wa-reconcile db migrate\n {4}brings it up to date\n$/,
    );
    const before = await machine.run(['db', 'status', '--json']);
    expect(before.code).toBe(4);
    expect(status.parse(JSON.parse(before.stdout))).toMatchObject({ upToDate: false });
    expect(await machine.run(['db', 'migrate'])).toMatchObject({ code: 0, stderr: '' });
    const after = await machine.run(['db', 'status', '--json']);
    expect(after.code).toBe(0);
    expect(status.parse(JSON.parse(after.stdout))).toMatchObject({ upToDate: true, pending: [] });
    expect((await machine.run(['replay', DEMO_DAY, '--register'])).code).toBe(4);
  });

  test('never shows its password, whatever goes wrong and however much is said about it', async () => {
    const machine = await machines.install();
    if (machine.config.kind !== 'postgresql') throw new Error('this needs a server');
    const secret = 'hunter2 p@ss/wörd';
    await machine.look(async ({ sql }) => {
      await sql.execute(`drop role if exists e2e_nobody`);
      await sql.execute(`create role e2e_nobody login password 'another one'`);
    });
    const wrong = new URL(machine.config.url);
    wrong.username = 'e2e_nobody';
    wrong.password = secret;
    const unreachable = new URL(wrong);
    unreachable.port = '1';
    const unknown = new URL(wrong);
    unknown.pathname = '/no_such_database';
    const malformed = `postgresql://u:${encodeURIComponent(secret)}@[::1/x`;
    const file = await machine.write('url', wrong.href);
    const commands = [
      ['replay', DEMO_DAY],
      ['db', 'status'],
      ['connection', 'list', '--json'],
      ['db', 'migrate', '--events'],
    ];
    for (const url of [wrong.href, unreachable.href, unknown.href, malformed]) {
      const ended = await Promise.all(
        commands.map((argv) => machine.run([...argv, '--debug', '-vv'], { env: { DATABASE_URL: url } })),
      );
      for (const { code, stdout, stderr } of ended) {
        expect(code === 1 || code === 2).toBe(true);
        expect(stdout).toBe('');
        for (const form of [secret, wrong.password, encodeURIComponent(secret), 'hunter2']) {
          expect(stderr).not.toContain(form);
        }
      }
    }
    const fromFile = await machine.run(['db', 'status', '--database-url-file', file, '--debug']);
    expect(fromFile.stderr).not.toContain('hunter2');
  });
});

describe('the embedded database of the installed command', () => {
  const machines = useMachines('pglite');

  test('makes itself on first use, where the settings say', async () => {
    const machine = await machines.install('empty');
    const home = join(machine.directory, 'home');
    const log = await machine.write('log.ndjson', liveLines(2));
    const { code, stdout, stderr } = await machine.run(['replay', log, '--register', '--home', home]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`database  ${home}`);
    const xdg = await machine.run(['db', 'status', '--json'], {
      env: { WA_RECONCILE_HOME: '', XDG_DATA_HOME: join(machine.directory, 'xdg') },
    });
    expect(xdg.stdout).toContain(join(machine.directory, 'xdg', 'wa-reconcile'));
  });
});
