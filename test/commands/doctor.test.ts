import { spawn } from 'node:child_process';
import { chmod, mkdir, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkLocalClock, checkNode } from '../../src/commands/doctor/check-machine.js';
import { doctor } from '../../src/commands/doctor/doctor.js';
import type {
  DoctorOptions,
  DoctorCheck,
  DoctorCheckName,
  DoctorResult,
} from '../../src/commands/doctor/types.js';
import { ConfigError } from '../../src/model/errors.js';
import { acquireRunLock } from '../../src/store/locks/run-lock.js';
import { migrationStatus } from '../../src/store/migrations/migrate.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { insertRun } from '../../src/store/tables/sync-runs.js';
import { uuidv7 } from '../../src/store/uuid.js';
import { temporaryDirectory } from '../cli/run-cli.js';
import { describeOnBackends, TEST_OPTIONS, useBackend } from '../support/databases.js';

function examine(
  database: DoctorOptions['database'],
  options: Partial<DoctorOptions> = {},
): Promise<DoctorResult> {
  return doctor({
    nodeVersion: 'v24.1.0',
    host: hostname(),
    pid: process.pid,
    clock: Date.now,
    signal: new AbortController().signal,
    settings: [],
    unknownSettings: [],
    secretFiles: [],
    secretKey: null,
    database,
    looked: ['--home: here'],
    ...options,
  });
}

function lineOf(result: DoctorResult, name: DoctorCheckName): DoctorCheck | undefined {
  return result.checks.find((check) => check.name === name);
}

async function change(config: DatabaseConfig, work: (store: Store) => Promise<unknown>): Promise<void> {
  const store = await openStore(config, TEST_OPTIONS);
  await work(store).finally(() => store.close());
}

function directoryOf(config: DatabaseConfig): string {
  if (config.kind !== 'pglite') throw new Error('not embedded');
  return config.directory;
}

describeOnBackends('the doctor', (backend) => {
  test('finds nothing wrong with a database in order', async () => {
    const result = await examine(await backend.config());
    expect(result.checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(result).toMatchObject({ schemaVersion: 1, command: 'doctor', status: 'ok' });
    const names = result.checks.map(({ name }) => name);
    expect(names).toEqual(
      backend.name === 'postgresql'
        ? [
            'node',
            'configuration',
            'database',
            'server',
            'migrations',
            'rights',
            'indexes',
            'lock',
            'disk',
            'clock',
            'runs',
          ]
        : [
            'node',
            'configuration',
            'database',
            'server',
            'migrations',
            'indexes',
            'lock',
            'disk',
            'clock',
            'runs',
          ],
    );
    expect(lineOf(result, 'server')?.message).toMatch(/^PostgreSQL \d+/);
  });

  test('names unique indexes that are gone, and the commands that make them', async () => {
    const config = await backend.config();
    await change(config, (store) => store.sql.execute('drop index messages_connection_id_external_id_key'));
    const result = await examine(config);
    expect(result.status).toBe('fail');
    expect(lineOf(result, 'indexes')).toMatchObject({
      status: 'fail',
      message: '1 unique index missing or invalid: messages_connection_id_external_id_key',
      remedy: [{ command: 'verify' }, { command: 'verify', args: ['--enforce'] }],
    });
  });

  test('names migrations of a newer version, and changes nothing', async () => {
    const config = await backend.config();
    await change(config, (store) =>
      store.sql.execute(
        `insert into _prisma_migrations (id, checksum, migration_name, finished_at) values ('x', 'x', '99990101_future', now())`,
      ),
    );
    const result = await examine(config);
    expect(lineOf(result, 'migrations')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('newer than this version') as unknown,
      remedy: expect.stringContaining('Upgrade') as unknown,
    });
    expect(lineOf(result, 'indexes')).toBeUndefined();
  });

  test('names runs that did not end: killed ones, not those at work or made good', async () => {
    const config = await backend.config();
    const run = (command: string, pid: number, host = hostname()) => ({
      id: uuidv7(Date.now()),
      command,
      options: {},
      host,
      pid,
      startedAt: Date.UTC(2026, 0, 1),
      resumed: null,
    });
    await change(config, async (store) => {
      await insertRun(store.sql, run('replay', 2 ** 22 + 1));
      await insertRun(store.sql, run('dedupe', process.pid));
      await insertRun(store.sql, run('reconcile', 1, 'another-machine'));
    });
    const result = await examine(config);
    expect(lineOf(result, 'runs')).toMatchObject({
      status: 'warn',
      // Nobody holds the lock, so the one on another machine does not run either.
      message: `2 runs did not finish: reconcile of 2026-01-01 00:00 UTC (another-machine:1), replay of 2026-01-01 00:00 UTC (${hostname()}:${2 ** 22 + 1})`,
    });
    await change(config, (store) =>
      store.sql.execute(`update sync_runs set status = 'completed' where command <> 'dedupe'`),
    );
    expect(lineOf(await examine(config), 'runs')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('running now: ') as unknown,
    });
  });
});

describe('the doctor of a server', () => {
  const backend = useBackend('postgresql');

  test('sends to db migrate where there are no tables', async () => {
    const result = await examine(await backend.emptyConfig());
    expect(lineOf(result, 'migrations')).toEqual({
      name: 'migrations',
      status: 'fail',
      message: 'the database is empty: its tables have not been created yet',
      remedy: { command: 'db migrate', args: [], why: 'applies them' },
    });
    expect(lineOf(result, 'runs')).toBeUndefined();
  });

  test('knows tables of another program, and says nothing more of them', async () => {
    const config = await backend.emptyConfig();
    await change(config, (store) => store.sql.execute('create table messages (id int)'));
    const result = await examine(config);
    expect(lineOf(result, 'migrations')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('did not make: messages') as unknown,
    });
    expect(lineOf(result, 'database')?.status).toBe('ok');
    expect(lineOf(result, 'indexes')).toBeUndefined();
  });

  test('works where nothing answers, and never shows the password', async () => {
    const result = await examine({ kind: 'postgresql', url: 'postgresql://app:hunter2@127.0.0.1:1/crm' });
    expect(lineOf(result, 'database')).toMatchObject({
      status: 'fail',
      remedy: expect.any(String) as unknown,
    });
    expect(lineOf(result, 'node')?.status).toBe('ok');
    expect(lineOf(result, 'clock')?.status).toBe('ok');
    expect(JSON.stringify(result)).not.toContain('hunter2');
    const unreadable = await examine({ kind: 'postgresql', url: 'mysql://app:hunter2@db/crm' });
    expect(unreadable.status).toBe('fail');
    expect(JSON.stringify(unreadable)).not.toContain('hunter2');
  });

  test('names who holds the lock, which is no fault', async () => {
    const config = await backend.config();
    const lock = await acquireRunLock(config, { ...TEST_OPTIONS, command: 'reconcile', mode: 'exclusive' });
    const result = await examine(config).finally(() => lock.release());
    expect(lineOf(result, 'lock')).toMatchObject({
      status: 'ok',
      message: expect.stringMatching(/^held by reconcile .*, running now$/) as unknown,
    });
  });

  test('compares its clock with this machine’s', async () => {
    const config = await backend.config();
    const off = async (seconds: number) =>
      lineOf(await examine(config, { clock: () => Date.now() + seconds * 1000 }), 'clock');
    expect(await off(-60)).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/(59|60|61) s behind the database server$/) as unknown,
    });
    expect(await off(3600)).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('s ahead of the database server') as unknown,
    });
  });

  test('names tables that the role may not write', async () => {
    const config = await backend.config();
    if (config.kind !== 'postgresql') throw new Error('no server');
    const role = `reader_${uuidv7(Date.now()).replaceAll('-', '')}`;
    await change(config, async (store) => {
      await store.sql.execute(`create role ${role} login`);
      await store.sql.execute(`grant select, insert on all tables in schema public to ${role}`);
    });
    const url = new URL(config.url);
    url.username = role;
    const result = await examine({ kind: 'postgresql', url: url.toString() });
    await change(config, (store) => store.sql.execute(`drop owned by ${role}`));
    await change(config, (store) => store.sql.execute(`drop role ${role}`));
    expect(lineOf(result, 'rights')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('change_journal (update, delete)') as unknown,
    });
  });

  test('does not mind tables of other programs, and asks for no right to write the record of migrations', async () => {
    const config = await backend.config();
    if (config.kind !== 'postgresql') throw new Error('no server');
    const role = `writer_${uuidv7(Date.now()).replaceAll('-', '')}`;
    await change(config, async (store) => {
      await store.sql.execute(`create role ${role} login`);
      await store.sql.execute(
        `grant select, insert, update, delete on all tables in schema public to ${role}`,
      );
      await store.sql.execute(`revoke insert, update, delete on _prisma_migrations from ${role}`);
      await store.sql.execute('create table payroll (id int)');
    });
    const url = new URL(config.url);
    url.username = role;
    const result = await examine({ kind: 'postgresql', url: url.toString() });
    await change(config, (store) => store.sql.execute(`drop owned by ${role}`));
    await change(config, (store) => store.sql.execute(`drop role ${role}`));
    expect(lineOf(result, 'rights')).toMatchObject({ status: 'ok' });
  });

  test('says that a database cannot hold emoji', async () => {
    const config = await backend.emptyConfig();
    if (config.kind !== 'postgresql') throw new Error('no server');
    const name = `latin_${uuidv7(Date.now()).replaceAll('-', '')}`;
    await change(config, (store) =>
      store.sql.execute(
        `create database ${name} encoding 'LATIN1' locale_provider libc lc_collate 'C' lc_ctype 'C' template template0`,
      ),
    );
    const url = new URL(config.url);
    url.pathname = `/${name}`;
    const result = await examine({ kind: 'postgresql', url: url.toString() });
    await change(config, (store) => store.sql.execute(`drop database ${name} with (force)`));
    expect(lineOf(result, 'server')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('encoding LATIN1') as unknown,
    });
  });
});

describe('the doctor of an embedded database', () => {
  const backend = useBackend('pglite');

  test('creates nothing where there is none', async () => {
    const directory = directoryOf(await backend.emptyConfig());
    const result = await examine({ kind: 'pglite', directory });
    expect(result.status).toBe('fail');
    expect(lineOf(result, 'database')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining(`${directory} does not exist; looked in:\n--home: here`) as unknown,
    });
    expect(lineOf(result, 'disk')?.message).toMatch(/^\S+ [KMGT]?B free$/);
    expect(await readdir(dirname(directory))).toEqual([]);
  });

  test('leaves alone a directory of other files, and one that was half made', async () => {
    const directory = directoryOf(await backend.emptyConfig());
    await mkdir(directory);
    await writeFile(join(directory, 'thesis.txt'), 'mine');
    expect(lineOf(await examine({ kind: 'pglite', directory }), 'database')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('thesis.txt') as unknown,
    });
    await writeFile(`${directory}.new`, '');
    expect(lineOf(await examine({ kind: 'pglite', directory }), 'database')?.status).toBe('warn');
    expect(await readdir(directory)).toEqual(['thesis.txt']);
  });

  test('says that its files are damaged', async () => {
    const directory = directoryOf(await backend.config());
    await truncate(join(directory, 'global', 'pg_control'), 100);
    const result = await examine({ kind: 'pglite', directory });
    expect(lineOf(result, 'database')).toMatchObject({
      status: 'fail',
      message: expect.stringContaining('damaged') as unknown,
      remedy: expect.stringContaining('backup') as unknown,
    });
    expect(lineOf(result, 'disk')?.status).toBe('ok');
  });

  test('does not migrate what it looks at', async () => {
    const config = await backend.emptyConfig();
    const pending = async (): Promise<number> => {
      const store = await openStore(config, { ...TEST_OPTIONS, asItIs: true });
      return (await migrationStatus(store).finally(() => store.close())).pending.length;
    };
    expect(await pending()).toBeGreaterThan(0);
    const result = await examine(config);
    expect(lineOf(result, 'migrations')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('the next command applies them') as unknown,
    });
    expect(lineOf(result, 'runs')).toBeUndefined();
    expect(await pending()).toBeGreaterThan(0);
  });

  test('keeps out of a database that another process has open, and names it', async () => {
    const config = await backend.config();
    const directory = directoryOf(config);
    const store = await openStore(config, { ...TEST_OPTIONS, command: 'replay' });
    const result = await examine(config).finally(() => store.close());
    expect(lineOf(result, 'lock')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining(`held by replay (process ${process.pid}, since `) as unknown,
    });
    expect(lineOf(result, 'migrations')).toBeUndefined();

    const lock = (parts: object): Promise<void> =>
      writeFile(
        `${directory}.lock`,
        JSON.stringify({
          pid: 1,
          host: hostname(),
          command: 'replay',
          startedAt: 'then',
          token: 't',
          ...parts,
        }),
      );
    await lock({ host: 'another-machine' });
    expect(lineOf(await examine(config), 'lock')).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('on another-machine') as unknown,
      remedy: expect.stringContaining(`remove ${directory}.lock by hand`) as unknown,
    });
    await writeFile(`${directory}.lock`, 'not json');
    expect(lineOf(await examine(config), 'lock')?.status).toBe('fail');
    await lock({ pid: await endedProcess() });
    const after = await examine(config);
    expect(lineOf(after, 'lock')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('left behind by replay') as unknown,
    });
    expect(lineOf(after, 'migrations')?.status).toBe('ok');
    await rm(`${directory}.lock`, { force: true });
  });
});

/** The id of a process that has just ended. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await new Promise((fulfil) => child.once('exit', fulfil));
  return child.pid ?? 0;
}

describe('the doctor, of what is around the database', () => {
  const nowhere: DatabaseConfig = { kind: 'pglite', directory: '/nonexistent/wa-reconcile/database' };

  test.each([
    ['v24.1.0', '2026-06-01', 'ok'],
    ['v25.0.0', '2026-06-01', 'ok'],
    ['v22.12.0', '2026-06-01', 'ok'],
    ['v22.11.0', '2026-06-01', 'fail'],
    ['v20.19.0', '2026-01-01', 'ok'],
    ['v20.19.0', '2026-06-01', 'warn'],
    ['v18.20.0', '2026-06-01', 'fail'],
    ['v21.7.0', '2026-06-01', 'fail'],
  ])('knows of Node %s on %s: %s', (version, day, status) => {
    expect(checkNode(version, Date.parse(day)).status).toBe(status);
  });

  test('does not believe a clock of another century', () => {
    expect(checkLocalClock(0)).toMatchObject({
      status: 'fail',
      message: 'this machine says 1970-01-01 00:00 UTC',
    });
    expect(checkLocalClock(Date.UTC(2026, 0, 1)).status).toBe('ok');
    expect(checkLocalClock(Date.UTC(2107, 0, 1)).status).toBe('fail');
  });

  test('hands on what is wrong with the configuration, and goes on', async () => {
    const wrong = await examine(
      new ConfigError('--database-url-file: /x cannot be read (ENOENT).', { remedy: 'Name a file.' }),
    );
    expect(lineOf(wrong, 'configuration')).toEqual({
      name: 'configuration',
      status: 'fail',
      message: '--database-url-file: /x cannot be read (ENOENT).',
      remedy: 'Name a file.',
    });
    expect(wrong.checks.map(({ name }) => name)).toEqual(['node', 'configuration', 'clock']);
    const mistyped = await examine(nowhere, {
      unknownSettings: [{ place: 'WA_RECONCILE_HOMR', similar: 'WA_RECONCILE_HOME' }],
    });
    expect(lineOf(mistyped, 'configuration')).toMatchObject({
      status: 'warn',
      remedy: 'Did you mean WA_RECONCILE_HOME?',
    });
  });

  test('warns of a password that every user can read', async () => {
    const file = join(await temporaryDirectory(), '.env');
    await writeFile(file, 'DATABASE_URL=postgresql://app:hunter2@db/crm', { mode: 0o600 });
    expect(lineOf(await examine(nowhere, { secretFiles: [file] }), 'configuration')?.status).toBe('ok');
    await chmod(file, 0o644);
    expect(lineOf(await examine(nowhere, { secretFiles: [file] }), 'configuration')).toMatchObject({
      status: 'warn',
      remedy: `chmod 600 '${file}'`,
    });
  });
});
