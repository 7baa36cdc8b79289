import { describe, expect, onTestFinished, test } from 'vitest';
import { acquireRunLock } from '../../src/store/locks/run-lock.js';
import { useEmbedded, useServer } from './database-home.js';
import { runCli } from './run-cli.js';

describe('the embedded database', () => {
  const embedded = useEmbedded();

  test('is not created by asking about it, and migrates itself on first use', async () => {
    const run = await embedded.prepare('missing');
    const before = await run(['db', 'status', '--json']);
    expect(before).toMatchObject({ code: 2, stderr: '' });
    expect(JSON.parse(before.stdout)).toMatchObject({
      backend: 'pglite',
      exists: false,
      upToDate: false,
      problem: {
        code: 'database_missing',
        message: expect.stringMatching(
          /Looked at:\n {2}--database-url-file: not given\n {2}DATABASE_URL: not set/,
        ) as unknown,
        next: { command: 'replay', args: ['LOG', '--register', '--home', expect.any(String) as unknown] },
      },
    });
    expect((await run(['connection', 'list'])).code).toBe(2);
    expect((await run(['db', 'migrate'])).code).toBe(0);
    expect((await run(['connection', 'list'])).code).toBe(0);
    const after = await run(['db', 'status']);
    expect(after.code).toBe(0);
    expect(after.stdout).toContain('up to date');
    expect(after.stdout).toContain('from --home');
  });
});

describe('a PostgreSQL database', () => {
  const server = useServer();

  test('is changed only by db migrate, and every other command says so', async () => {
    const run = await server.prepare('empty');
    const early = await run(['replay', '--json']);
    expect(early).toMatchObject({ code: 2, stdout: '' });
    expect(JSON.parse(early.stderr)).toMatchObject({
      error: { code: 'migrations_pending', remedy: 'wa-reconcile db migrate' },
    });
    const status = await run(['db', 'status']);
    expect(status.code).toBe(4);
    expect(status.stdout).toContain('wa-reconcile db migrate');
    expect((await run(['db', 'migrate', '--format', 'ndjson'])).code).toBe(0);
    const again = await run(['db', 'migrate']);
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toContain('Nothing to do');
    expect((await run(['db', 'status'])).code).toBe(0);
  });

  test('is shown without user and password, in every command and error', async () => {
    const run = await server.prepare();
    const password = decodeURIComponent(new URL(run.url).password);
    const seen = await Promise.all([
      run(['db', 'status']),
      run(['db', 'status', '--json', '-v', '-v', '--debug']),
      run(['replay'], { env: {} }),
    ]);
    expect(seen[0].stdout).toContain('from DATABASE_URL');
    if (password !== '') {
      for (const { stdout, stderr } of seen) expect(stdout + stderr).not.toContain(password);
    }
  });

  test('that another run holds for itself ends with 5 and names that run', async () => {
    const run = await server.prepare();
    const lock = await acquireRunLock(
      { kind: 'postgresql', url: run.url },
      { mode: 'exclusive', command: 'dedupe --apply', host: 'other-host', pid: 4242 },
    );
    onTestFinished(() => lock.release());
    const { code, stdout, stderr } = await run(['replay']);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain('dedupe --apply');
    expect((await run(['connection', 'list'])).code).toBe(0);
  });

  test('that cannot be reached ends with one line, the remedy, and no password', async () => {
    const run = await server.prepare();
    const url = new URL(run.url);
    url.port = '1';
    url.password = 'hunter2';
    const { code, stdout, stderr } = await runCli(['connection', 'list'], {
      env: { DATABASE_URL: url.href },
    });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^wa-reconcile: .+\n {2}.+\n$/);
    expect(stderr).not.toContain('hunter2');
  });
});
