import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { EXIT, LockedError } from '../../src/model/errors.js';
import { acquireDirectoryLock } from '../../src/store/locks/directory-lock.js';
import { pidNamespace, processStartTime } from '../../src/store/locks/processes.js';
import { openStore } from '../../src/store/open-store.js';
import { runChild, startChild } from '../support/child-process.js';
import { TEST_OPTIONS, useBackend } from '../support/databases.js';
import { value } from '../support/shown.js';

const ME = { command: 'replay', host: hostname(), pid: process.pid };

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(inject('databases').directory, 'lock-'));
  path = join(directory, 'database.lock');
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function refusal(work: Promise<unknown>): Promise<LockedError> {
  const error: unknown = await work.then(
    () => new Error('it worked'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof LockedError)) throw error;
  return error;
}

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--eval', '0']);
  await once(child, 'exit');
  if (child.pid === undefined) throw new Error('no process');
  return child.pid;
}

async function leave(content: object): Promise<void> {
  const base = {
    ...ME,
    startedAt: '2026-03-01T10:00:00.000Z',
    pidNamespace: await pidNamespace(),
    token: 'left',
  };
  await writeFile(path, JSON.stringify({ ...base, ...content }));
}

describe('the lock of a directory', () => {
  test('names its holder to whoever comes second, and lets the next in when released', async () => {
    const lock = await acquireDirectoryLock(path, ME);
    const error = await refusal(acquireDirectoryLock(path, { ...ME, command: 'verify' }));
    expect(error.exitCode).toBe(EXIT.locked);
    expect(error.message).toMatch(
      new RegExp(`in use by replay \\(process ${process.pid} on ${hostname()}, since \\d{4}-.*Z\\)\\.$`),
    );
    await lock.release();
    await lock.release();
    await (await acquireDirectoryLock(path, ME)).release();
    expect(await readdir(directory)).toEqual([]);
  });

  test('says in its file who holds it since when', async () => {
    const lock = await acquireDirectoryLock(path, ME);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      pid: process.pid,
      host: hostname(),
      command: 'replay',
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as unknown,
      processStartTime: await processStartTime(process.pid),
    });
    await lock.release();
  });

  test('is taken from a process that has ended', async () => {
    await leave({ pid: await deadPid() });
    await (await acquireDirectoryLock(path, ME)).release();
    expect(await readdir(directory)).toEqual([]);
  });

  test('is taken from a process whose id another process has been given', async () => {
    await leave({ processStartTime: 'earlier boot/1' });
    await (await acquireDirectoryLock(path, ME)).release();
  });

  test('is not taken from a living process, however old the lock is', async () => {
    await leave({
      startedAt: '2001-01-01T00:00:00.000Z',
      processStartTime: await processStartTime(process.pid),
    });
    expect((await refusal(acquireDirectoryLock(path, ME))).message).toContain('since 2001-01-01');
  });

  test.each([
    ['another host', { host: 'elsewhere' }],
    ['another container', { pidNamespace: 'pid:[1]' }],
  ])('is never taken from %s, and the message says what to do by hand', async (_, content) => {
    await leave({ ...content, pid: await deadPid() });
    const error = await refusal(acquireDirectoryLock(path, ME));
    expect(error.message).toContain('another machine or container');
    expect(error.remedy).toContain(`remove ${path} by hand`);
  });

  test.each(['', '{', '[]', '"x"', '{"pid":"1"}'])(
    'is never taken when its file says %j',
    async (content) => {
      await writeFile(path, content);
      const error = await refusal(acquireDirectoryLock(path, ME));
      expect(error.remedy).toContain(`remove ${path} by hand`);
      expect(await readFile(path, 'utf8')).toBe(content);
    },
  );

  test('is waited for', async () => {
    const lock = await acquireDirectoryLock(path, ME);
    const next = acquireDirectoryLock(path, ME, { waitMs: 10_000 });
    await delay(300);
    await lock.release();
    await (await next).release();
  });

  test('is waited for no longer than asked', async () => {
    const lock = await acquireDirectoryLock(path, ME);
    await refusal(acquireDirectoryLock(path, ME, { waitMs: 300 }));
    await lock.release();
  });

  test('is waited for until the run is interrupted', async () => {
    const lock = await acquireDirectoryLock(path, ME);
    const abort = new AbortController();
    const waiting = acquireDirectoryLock(path, ME, { waitMs: 60_000, signal: abort.signal });
    setTimeout(() => {
      abort.abort();
    }, 100);
    await expect(waiting).rejects.toMatchObject({ exitCode: EXIT.interrupted });
    await lock.release();
  });

  test('that somebody removed by hand is not taken from the next holder by releasing it', async () => {
    const first = await acquireDirectoryLock(path, ME);
    await rm(path);
    const second = await acquireDirectoryLock(path, ME);
    await first.release();
    await refusal(acquireDirectoryLock(path, ME));
    await second.release();
  });
});

describe('of many who find the lock of a dead process', () => {
  test('one gets it', async () => {
    const pid = await deadPid();
    for (let round = 0; round < 30; round += 1) {
      await leave({ pid, token: `left ${round}` });
      const attempts = await Promise.allSettled(
        Array.from({ length: 8 }, () => acquireDirectoryLock(path, ME)),
      );
      const locks = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
      expect(locks).toHaveLength(1);
      await locks[0]?.release();
      expect(await readdir(directory)).toEqual([]);
    }
  });

  test('one gets it although another died while taking it', async () => {
    await leave({ pid: await deadPid() });
    await writeFile(`${path}.steal`, await readFile(path));
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => acquireDirectoryLock(path, ME)),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await readdir(directory)).toEqual(['database.lock']);
  });

  test('processes never hold it together', async () => {
    await leave({ pid: await deadPid() });
    const program = `
      const { acquireDirectoryLock } = await load('src/store/locks/directory-lock');
      const { open, rm } = await import('node:fs/promises');
      for (let round = 0; round < 20; round += 1) {
        const lock = await acquireDirectoryLock(input.path, { command: 'x', host: input.host, pid: process.pid }, { waitMs: 50_000 });
        // Fails if another holds the lock as well.
        const alone = await open(input.path + '.alone', 'wx');
        await alone.close();
        await rm(input.path + '.alone');
        await lock.release();
      }`;
    const input = { path, host: hostname() };
    const runs = await Promise.all(Array.from({ length: 4 }, () => runChild(program, { input })));
    for (const run of runs) expect(run).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('an embedded database that is open', () => {
  const backend = useBackend('pglite');
  const HOLD = `
    const { openStore } = await load('src/store/open-store');
    const store = await openStore(input.config, { command: 'replay', host: input.host, pid: process.pid });
    await store.sql.execute("insert into organizations (id, slug, name) values (gen_random_uuid(), 'kept', 'kept')");
    console.log('holding');
    setInterval(() => undefined, 1000);`;

  test('cannot be opened by a second process, and the message names the first', async () => {
    const config = await backend.config();
    const child = await startChild(HOLD, { input: { config, host: hostname() } });
    await child.says('holding');
    const error = await refusal(openStore(config, TEST_OPTIONS));
    expect(error.message).toContain(`replay (process ${child.process.pid ?? 0} on ${hostname()}`);
    child.process.kill('SIGKILL');
    await child.ended;
  });

  test('cannot be opened twice in one process, by whatever name', async () => {
    const config = await backend.config();
    const store = await openStore(config, TEST_OPTIONS);
    if (config.kind !== 'pglite') throw new Error('not a directory');
    const other = { kind: 'pglite', directory: join(config.directory, '..', 'database', '.') } as const;
    await refusal(openStore(other, TEST_OPTIONS));
    await store.close();
    await (await openStore(other, TEST_OPTIONS)).close();
  });

  test('opens again after a kill, with everything that was committed', async () => {
    const config = await backend.config();
    const child = await startChild(HOLD, { input: { config, host: hostname() } });
    await child.says('holding');
    child.process.kill('SIGKILL');
    await child.ended;
    const store = await openStore(config, TEST_OPTIONS);
    expect(await value(store, "select count(*)::int from organizations where slug = 'kept'")).toBe(1);
    await store.close();
  });

  test('keeps the rows of every process when many want it at once', async () => {
    const config = await backend.config();
    const program = `
      const { openStore } = await load('src/store/open-store');
      const store = await openStore(input.config, { command: 'x', host: input.host, pid: process.pid, waitMs: 50_000 });
      for (let row = 0; row < 20; row += 1) {
        await store.sql.execute("insert into organizations (id, slug, name) values (gen_random_uuid(), $1, 'x')", [input.name + row]);
      }
      await store.close();`;
    const runs = await Promise.all(
      ['a', 'b', 'c'].map((name) => runChild(program, { input: { config, host: hostname(), name } })),
    );
    for (const run of runs) expect(run).toMatchObject({ code: 0, stderr: '' });
    const store = await openStore(config, TEST_OPTIONS);
    expect(await value(store, "select count(*)::int from organizations where name = 'x'")).toBe(60);
    await store.close();
  });
});
