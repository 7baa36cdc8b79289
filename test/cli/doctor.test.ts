import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { widthOf } from '../../src/cli/ui/width.js';
import { useServer } from './database-home.js';
import { runCli, temporaryDirectory } from './run-cli.js';

const RESULT = z.object({
  schemaVersion: z.literal(1),
  command: z.literal('doctor'),
  status: z.enum(['ok', 'warn', 'fail']),
  checks: z.array(
    z.object({ name: z.string(), status: z.string(), message: z.string(), remedy: z.string().optional() }),
  ),
  settings: z.array(z.object({ name: z.string(), value: z.string(), origin: z.string() })),
});

describe('doctor on the command line', () => {
  const server = useServer();

  test('shows every part with its mark, and ends with 0 when nothing is wrong', async () => {
    const run = await server.prepare();
    const { code, stdout, stderr } = await run(['doctor']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^[✔▲] (No problems found|1 warning)\n\n[✔▲] node +Node v\d+/);
    expect(stdout).toMatch(
      /\n✔ configuration +1 setting\n +database: postgresql:\/\/.* \(from DATABASE_URL\)\n/,
    );
    expect(stdout).toMatch(/\n✔ migrations +\d+ applied, none pending\n/);
    expect(stdout).toMatch(/\n✔ indexes +all \d+ unique indexes present and valid\n/);
  });

  test('writes a bundle that only its owner can read, also of a database that cannot be reached', async () => {
    const run = await server.prepare();
    const directory = await temporaryDirectory();
    const file = join(directory, 'bundle.json');
    const { code, stderr } = await run(['doctor', '--bundle', file]);
    expect(code).toBe(0);
    expect(stderr).toContain('look into it before you send it');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const text = await readFile(file, 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      kind: 'wa-reconcile-bundle',
      database: { backend: 'postgresql' },
    });
    for (const secret of [run.url, new URL(run.url).host, directory]) expect(text).not.toContain(secret);
    // It overwrites nothing unless told, and does not begin the work.
    const taken = await run(['doctor', '--bundle', file]);
    expect(taken).toMatchObject({ code: 2, stdout: '' });
    expect(taken.stderr).toContain('this file exists');
    expect(taken.stderr).toContain('--force');
    expect(await readFile(file, 'utf8')).toBe(text);
    const lost = await runCli(['doctor', '--bundle', file, '--force'], {
      env: { DATABASE_URL: 'postgresql://app:hunter22@127.0.0.1:1/crm' },
    });
    expect(lost.code).toBe(1);
    const unreached = await readFile(file, 'utf8');
    expect(JSON.parse(unreached)).toMatchObject({ database: { error: 'database_unreachable' } });
    expect(unreached).not.toMatch(/hunter22|127\.0\.0\.1|app/);
    expect(await run(['doctor', '--bundle', '-'])).toMatchObject({ code: 2, stdout: '' });
    expect(await readdir(directory)).toEqual(['bundle.json']);
  });

  test('ends with 1 and the command that mends it, when something is wrong', async () => {
    const run = await server.prepare('empty');
    const { code, stdout } = await run(['doctor']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\n✖ migrations +the database is empty/);
    expect(stdout).toContain('→ wa-reconcile db migrate\n');
    expect(stdout).toMatch(/\n✖ 1 failure(, \d warnings?)?\n$/);
    // --home wins over the DATABASE_URL of the environment, and the advice carries it.
    const elsewhere = await run(['doctor', '--home', '/somewhere else']);
    expect(elsewhere.code).toBe(1);
    expect(elsewhere.stdout).toMatch(/\n✖ database +no database: \/somewhere else\/database does not exist/);
    expect(elsewhere.stdout).toContain(`→ wa-reconcile replay LOG --register --home '/somewhere else'\n`);
  });

  test('speaks to programs: one object, one line or one row per check', async () => {
    const run = await server.prepare('empty');
    const { code, stdout } = await run(['doctor', '--json']);
    expect(code).toBe(1);
    const result = RESULT.parse(JSON.parse(stdout));
    expect(result.status).toBe('fail');
    expect(result.checks.find(({ name }) => name === 'migrations')).toMatchObject({
      status: 'fail',
      remedy: 'wa-reconcile db migrate',
    });
    const lines = (await run(['doctor', '--format', 'ndjson'])).stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { name: string }).name)).toEqual(
      result.checks.map(({ name }) => name),
    );
    expect((await run(['doctor', '--format', 'csv'])).stdout).toMatch(/^check,status,message,remedy\nnode,/);
    expect((await run(['doctor', '--format', 'markdown'])).stdout).toContain('\n- ✖ **migrations** ');
  });

  test('knows what only the environment can say, and that a connection is not described there', async () => {
    const env = { WA_RECONCILE_SECRET_KEY: 'hunter2', WA_RECONCILE_WABA_ID: '1' };
    const { stdout } = await runCli(['doctor', '--json'], { env });
    const { settings, checks } = RESULT.parse(JSON.parse(stdout));
    expect(settings).toContainEqual({ name: 'secret-key', value: '***', origin: 'WA_RECONCILE_SECRET_KEY' });
    expect(checks.find(({ name }) => name === 'configuration')?.message).toBe(
      'WA_RECONCILE_WABA_ID is not a setting and is ignored',
    );
  });

  test('tells where each setting comes from, without its secrets', async () => {
    const cwd = await temporaryDirectory();
    await writeFile(
      join(cwd, '.env'),
      'DATABASE_URL=postgresql://app:hunter2@127.0.0.1:1/crm\nWA_RECONCILE_HOMR=/data\n',
      { mode: 0o600 },
    );
    const env = { WA_RECONCILE_LOCK_WAIT: '5m' };
    const { code, stdout } = await runCli(['doctor', '--json'], { cwd, env });
    expect(code).toBe(1);
    expect(stdout).not.toContain('hunter2');
    const { settings, checks } = RESULT.parse(JSON.parse(stdout));
    expect(settings).toEqual([
      {
        name: 'database',
        value: 'postgresql://127.0.0.1:1/crm',
        origin: `DATABASE_URL in ${join(cwd, '.env')}`,
      },
      { name: 'lock-wait', value: '5m', origin: 'WA_RECONCILE_LOCK_WAIT' },
    ]);
    expect(checks.find(({ name }) => name === 'configuration')).toEqual({
      name: 'configuration',
      status: 'warn',
      message: `WA_RECONCILE_HOMR in ${join(cwd, '.env')} is not a setting and is ignored`,
      remedy: 'Did you mean WA_RECONCILE_HOME?',
    });
    expect(checks.find(({ name }) => name === 'database')?.status).toBe('fail');
    const shown = await runCli(['doctor'], { cwd, env });
    expect(shown.stdout).not.toContain('hunter2');
  });

  test('says what is wrong with the choice of a database, instead of stopping at it', async () => {
    const { code, stdout } = await runCli(['doctor', '--database-url-file', '/nonexistent/url', '--json']);
    expect(code).toBe(1);
    const { checks } = RESULT.parse(JSON.parse(stdout));
    expect(checks.find(({ name }) => name === 'configuration')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('/nonexistent/url cannot be read') as unknown,
    });
  });

  test('creates no embedded database, fits the terminal, and obeys nothing that a path says', async () => {
    const home = join(await temporaryDirectory(), 'no\u001b[2Jthing');
    const { code, stdout } = await runCli(['doctor', '--home', home], {
      terminals: ['stdout'],
      env: { NO_COLOR: '1' },
    });
    expect(code).toBe(1);
    expect(stdout).toContain('does not exist');
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n').filter((line) => !line.includes('/') && widthOf(line) > 100)).toEqual([]);
    expect(await readdir(dirname(home))).toEqual([]);
  });
});
