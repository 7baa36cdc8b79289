import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, describe, expect, inject, it } from 'vitest';
import { createPgliteStore, startPglite } from '../../src/store/backends/pglite.js';
import { openStore, type DatabaseConfig, type OpenStoreOptions } from '../../src/store/open-store.js';
import type { Backend, Store } from '../../src/store/store.js';
import { createEmptier, shapeOf } from './empty-database.js';
import { pgliteTemplate } from './pglite-template.js';
import { withDatabase } from './server-url.js';

/** One of the two backends, as a test sees it. */
export interface TestBackend {
  name: Backend;
  /**
   * A migrated, empty store. It goes back for reuse, also by the next file of the process, when the test closes it, or after
   * the test; so it is quick enough for hundreds in a property test. A test that changes tables or settings takes `config()`
   * and opens its own, or says with `shape` what every test that names it finds changed: it runs at each opening, on a
   * database that no other test gets.
   */
  open(shape?: Shape): Promise<Store>;
  /**
   * Declares a case on the server alone, which takes a third of the time; see `describeOnServer`. TEST_BACKENDS=both runs it on
   * both.
   */
  once(title: string, test: () => Promise<void>, timeout?: number): void;
  /** The rows of a table of such cases: none on the embedded database. */
  onServer<T>(rows: readonly T[]): readonly T[];
  /** The rows of a table of such cases: all of them on the server, the first of each kind on the embedded database. */
  some<T>(rows: readonly T[], kindOf: (row: T) => unknown): T[];
  /** A migrated, empty database of the test's own, to be opened by child processes or by `openStore`; removed after the test. */
  config(): Promise<DatabaseConfig>;
  /** The same, but with nothing in it: not even migrated. */
  emptyConfig(): Promise<DatabaseConfig>;
}

/** Changes the tables of an empty, migrated database, also of one that it has changed before. */
export type Shape = (store: Store) => Promise<void>;

/** Who opens the stores of the tests. */
export const TEST_OPTIONS: OpenStoreOptions = {
  command: 'test',
  host: hostname(),
  pid: process.pid,
  creates: true,
  keepsBlank: true,
};

/** Declares the same tests twice: on PostgreSQL and on the embedded database. */
export function describeOnBackends(title: string, declare: (backend: TestBackend) => void): void {
  for (const name of ['postgresql', 'pglite'] as const) {
    describe(`${title} (${name})`, () => {
      declare(useBackend(name));
    });
  }
}

/**
 * Declares tests on the server alone: of what the rules decide and both backends only store. Both speak one dialect, so a case
 * can end differently only by how a backend takes a statement, its parameters or its rows. So every statement of the product
 * runs on both in some case, with each kind of parameters that it gets; so does all that is about the backends themselves
 * (`store`), about order, times, bytes, cursors, locks and copies. The built command is tested on both where it dies, is
 * interrupted, works through a day or a night. TEST_BACKENDS=both runs all on both.
 */
export function describeOnServer(title: string, declare: (backend: TestBackend) => void): void {
  if (process.env.TEST_BACKENDS === 'both') {
    describeOnBackends(title, declare);
    return;
  }
  describe(`${title} (postgresql)`, () => {
    declare(useBackend('postgresql'));
  });
}

/**
 * Stores as the migrations left them, for whichever test of this process asks next: starting one costs more than most tests.
 * They end with the process; the databases of those on the server are dropped at the end of the run.
 */
const UNSHAPED: Readonly<Record<Backend, PooledStore[]>> = { postgresql: [], pglite: [] };

/** So many wait for the next test: an embedded one takes 200 MB, and only tests that compare databases need several at once. */
const MOST_IDLE = 2;

/** One backend for the tests of the enclosing `describe`; cleans up after each of them. */
export function useBackend(name: Backend): TestBackend {
  const shaped = new Map<Shape, PooledStore[]>();
  const busy = new Set<Store>();
  const cleanups: (() => Promise<void>)[] = [];

  async function open(shape?: Shape): Promise<Store> {
    const pool = shape === undefined ? UNSHAPED[name] : (shaped.get(shape) ?? []);
    if (shape !== undefined) shaped.set(shape, pool);
    const pooled = pool.pop() ?? (await openPooled(name));
    await shape?.(pooled.store);
    let closing: Promise<void> | undefined;
    async function giveBack(): Promise<void> {
      await pooled.empty();
      busy.delete(lent);
      if (pool.length < MOST_IDLE) pool.push(pooled);
      else await pooled.discard();
    }
    const lent: Store = { ...pooled.store, close: () => (closing ??= giveBack()) };
    busy.add(lent);
    return lent;
  }

  async function config(migrated: boolean): Promise<DatabaseConfig> {
    const made = name === 'postgresql' ? await createDatabase(migrated) : await createDirectory(migrated);
    cleanups.push(made.remove);
    return made.config;
  }

  afterEach(async () => {
    await Promise.all([...busy].map((store) => store.close()));
    await Promise.all(cleanups.splice(0).map((remove) => remove()));
  });
  afterAll(async () => {
    await expectUnchanged(UNSHAPED[name]);
    await Promise.all(
      [...shaped.values()].flatMap((pool) => pool.splice(0)).map((pooled) => pooled.discard()),
    );
  });

  const takesAll = name === 'postgresql' || process.env.TEST_BACKENDS === 'both';
  return {
    name,
    open,
    once: (title, test, timeout) => {
      if (takesAll) it(title, test, timeout);
    },
    onServer: (rows) => (takesAll ? rows : []),
    some: (rows, kindOf) => {
      const kinds = rows.map((row) => kindOf(row));
      return rows.filter((_, index) => takesAll || kinds.indexOf(kinds[index]) === index);
    },
    config: () => config(true),
    emptyConfig: () => config(false),
  };
}

/** A store that one test after the other gets. */
interface PooledStore {
  store: Store;
  /** What its tables and settings were at first. */
  shape: string;
  empty: () => Promise<void>;
  discard: () => Promise<void>;
}

async function openPooled(name: Backend): Promise<PooledStore> {
  if (name === 'pglite') {
    const template = await pgliteTemplate(inject('databases').directory);
    const archive = await readFile(template.archive);
    const pglite = await startPglite({ loadDataDir: new Blob([archive]) });
    const store = createPgliteStore(pglite, 'memory', () => Promise.resolve());
    return pooledStore(store, () => store.close());
  }
  const { config, remove } = await createDatabase(true);
  const store = await openStore(config, TEST_OPTIONS);
  return pooledStore(store, () => store.close().then(remove));
}

async function pooledStore(store: Store, discard: () => Promise<void>): Promise<PooledStore> {
  return { store, shape: await shapeOf(store), empty: await createEmptier(store), discard };
}

/** Fails in the file that left a store to others with tables or settings that are not those of the migrations. */
async function expectUnchanged(pool: PooledStore[]): Promise<void> {
  for (const pooled of [...pool]) {
    const shape = await shapeOf(pooled.store);
    if (shape === pooled.shape) continue;
    pool.splice(pool.indexOf(pooled), 1);
    await pooled.discard();
    expect(shape, 'tables and settings, after the tests that share this database').toBe(pooled.shape);
  }
}

interface MadeDatabase {
  config: DatabaseConfig;
  remove: () => Promise<void>;
}

async function createDatabase(migrated: boolean): Promise<MadeDatabase> {
  const { serverUrl, prefix, template } = inject('databases');
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  await runOnServer(serverUrl, `create database ${name} template ${migrated ? template : 'template0'}`);
  return {
    config: { kind: 'postgresql', url: withDatabase(serverUrl, name) },
    remove: () => runOnServer(serverUrl, `drop database if exists ${name} with (force)`),
  };
}

async function createDirectory(migrated: boolean): Promise<MadeDatabase> {
  const parent = await mkdtemp(join(inject('databases').directory, 'pglite-'));
  const directory = join(parent, 'database');
  if (migrated) {
    const template = await pgliteTemplate(inject('databases').directory);
    // A thousand small files: copying them one promise at a time takes several times as long.
    cpSync(template.directory, directory, { recursive: true });
  }
  return {
    config: { kind: 'pglite', directory },
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}

async function runOnServer(serverUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}
