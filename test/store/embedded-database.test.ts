import { chmod, chown, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT, UserError } from '../../src/model/errors.js';
import { EMBEDDED_MAJOR } from '../../src/store/backends/pglite-directory.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import { compileSources, runChild, startChild } from '../support/child-process.js';
import { TEST_OPTIONS, useBackend } from '../support/databases.js';
import { value } from '../support/shown.js';

describe('an embedded database that cannot be used says why', () => {
  const backend = useBackend('pglite');

  async function directoryOf(config: Promise<DatabaseConfig>): Promise<string> {
    const given = await config;
    if (given.kind !== 'pglite') throw new Error('not a directory');
    return given.directory;
  }

  async function refusal(directory: string): Promise<UserError> {
    const error: unknown = await openStore({ kind: 'pglite', directory }, TEST_OPTIONS).then(
      () => new Error('it worked'),
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) throw error;
    expect(error.remedy).not.toBe(undefined);
    // Whatever went wrong, the next attempt must not find the lock of this one.
    expect(await readdir(join(directory, '..'))).not.toContain('database.lock');
    return error;
  }

  test('the directory holds other files, which stay untouched', async () => {
    const directory = await directoryOf(backend.emptyConfig());
    await mkdir(directory);
    await writeFile(join(directory, 'thesis.txt'), 'mine');
    expect(await refusal(directory)).toMatchObject({ code: 'database_foreign', exitCode: EXIT.usage });
    expect(await readdir(directory)).toEqual(['thesis.txt']);
  });

  test('there is none, and whoever only reads leaves none behind', async () => {
    const directory = await directoryOf(backend.emptyConfig());
    const reading = openStore({ kind: 'pglite', directory }, { ...TEST_OPTIONS, creates: false });
    await expect(reading).rejects.toMatchObject({ code: 'database_missing', exitCode: EXIT.usage });
    expect(await readdir(join(directory, '..'))).toEqual([]);
    await writeFile(`${directory}.new`, '');
    await mkdir(directory);
    const halfMade = openStore({ kind: 'pglite', directory }, { ...TEST_OPTIONS, creates: false });
    await expect(halfMade).rejects.toMatchObject({ code: 'database_missing' });
    expect((await readdir(join(directory, '..'))).sort()).toEqual(['database', 'database.new']);
  });

  test('the path is a file', async () => {
    const directory = await directoryOf(backend.emptyConfig());
    await writeFile(directory, 'mine');
    expect(await refusal(directory)).toMatchObject({
      code: 'database_not_a_directory',
      exitCode: EXIT.usage,
    });
    expect(await refusal(join(directory, 'below')).catch((error: unknown) => error)).toBeDefined();
  });

  test('it was made by another PostgreSQL', async () => {
    const directory = await directoryOf(backend.config());
    await writeFile(join(directory, 'PG_VERSION'), '17\n');
    const error = await refusal(directory);
    expect(error).toMatchObject({ code: 'database_version', exitCode: EXIT.usage });
    expect(error.message).toContain('created by PostgreSQL 17');
  });

  test('its files are damaged', async () => {
    const directory = await directoryOf(backend.config());
    await truncate(join(directory, 'global', 'pg_control'), 100);
    expect(await refusal(directory)).toMatchObject({ code: 'database_damaged', exitCode: EXIT.failure });
  });

  test('a file of it is missing', async () => {
    const directory = await directoryOf(backend.config());
    await rm(join(directory, 'base'), { recursive: true });
    expect(await refusal(directory)).toMatchObject({ code: 'database_damaged' });
  });
});

describe('an embedded database whose making was interrupted', () => {
  const backend = useBackend('pglite');

  test('is made again by the next run', async () => {
    const config = await backend.emptyConfig();
    if (config.kind !== 'pglite') throw new Error('not a directory');
    const child = await startChild(
      `const { openStore } = await load('src/store/open-store');
       console.log('opening');
       await openStore(input.config, { command: 'replay', host: input.host, pid: process.pid, creates: true });
       console.log('opened');
       setInterval(() => undefined, 1000);`,
      { input: { config, host: TEST_OPTIONS.host } },
    );
    await expect
      .poll(() => readdir(config.directory).catch(() => []), { timeout: 30_000, interval: 5 })
      .toContain('base');
    child.process.kill('SIGKILL');
    expect((await child.ended).stdout).not.toContain('opened');

    const store = await openStore(config, TEST_OPTIONS);
    expect(await value(store, 'select count(*)::int from organizations')).toBe(1);
    // The version that the message about another one names.
    const [row] = await store.sql.query(`select current_setting('server_version') as version`);
    expect(String(row?.version).split('.')[0]).toBe(EMBEDDED_MAJOR);
    await store.close();
    expect(await readdir(join(config.directory, '..'))).toEqual(['database']);
  });
});

describe('a user who may not write', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'wa-reconcile-home-'));
    await chmod(home, 0o755);
  });
  afterEach(async () => {
    await chmod(home, 0o755);
    await rm(home, { recursive: true, force: true });
  });

  /** Root may write everywhere, so the child is somebody else when the tests run as root. */
  async function openAsOther(directory: string): Promise<string> {
    const somebody = userInfo().uid === 0 ? { uid: 65_534, gid: 65_534 } : {};
    await chmod(join(await compileSources(), '..'), 0o755);
    const { stdout, stderr } = await runChild(
      `const { openStore } = await load('src/store/open-store');
       const options = { command: 'x', host: 'test', pid: process.pid, creates: true };
       const error = await openStore({ kind: 'pglite', directory: input.directory }, options).then(() => ({}), (thrown) => thrown);
       console.log([error.name, error.code, error.message].join('|'));`,
      { input: { directory }, ...somebody },
    );
    expect(stderr).toBe('');
    return stdout.trim();
  }

  test('the directory above is told so', async () => {
    await chmod(home, 0o555);
    const directory = join(home, 'database');
    expect(await openAsOther(directory)).toBe(
      `ConfigError|database_permission_denied|No permission to write the embedded database: ${directory}.`,
    );
  });

  test('the directory itself is told so', async () => {
    const directory = join(home, 'database');
    await mkdir(directory);
    await chmod(directory, 0o555);
    if (userInfo().uid === 0) await chown(home, 65_534, 65_534);
    expect(await openAsOther(directory)).toContain('ConfigError|database_permission_denied|');
    await chmod(directory, 0o755);
  });
});
