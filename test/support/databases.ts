import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, describe, inject } from 'vitest';
import { createPgliteStore, startPglite } from '../../src/store/backends/pglite.js';
import { openStore, type DatabaseConfig, type OpenStoreOptions } from '../../src/store/open-store.js';
import type { Backend, Store } from '../../src/store/store.js';
import { createEmptier } from './empty-database.js';
import { pgliteTemplate } from './pglite-template.js';
import { withDatabase } from './server-url.js';

/** One of the two backends, as a test sees it. */
export interface TestBackend {
  name: Backend;
  /**
   * A migrated, empty store. It goes back for reuse when the test closes it, or after the test; so it is quick enough for
   * hundreds in a property test. A test that changes tables or settings takes `config()` and opens its own, or says with
   * `shape` what every test that names it finds changed: it runs at each opening, on a database that no other test gets.
   */
  open(shape?: Shape): Promise<Store>;
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

/** One backend for the tests of the enclosing `describe`; cleans up after each of them. */
export function useBackend(name: Backend): TestBackend {
  const idle = new Map<Shape | undefined, PooledStore[]>();
  const busy = new Set<Store>();
  const cleanups: (() => Promise<void>)[] = [];

  async function open(shape?: Shape): Promise<Store> {
    const pool = idle.get(shape) ?? [];
    idle.set(shape, pool);
    const pooled = pool.pop() ?? (await openPooled(name));
    await shape?.(pooled.store);
    let closing: Promise<void> | undefined;
    async function giveBack(): Promise<void> {
      await pooled.empty();
      busy.delete(lent);
      pool.push(pooled);
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
    await Promise.all([...idle.values()].flatMap((pool) => pool.splice(0)).map((pooled) => pooled.discard()));
  });

  return { name, open, config: () => config(true), emptyConfig: () => config(false) };
}

/** A store that one test after the other gets. */
interface PooledStore {
  store: Store;
  empty: () => Promise<void>;
  discard: () => Promise<void>;
}

async function openPooled(name: Backend): Promise<PooledStore> {
  if (name === 'pglite') {
    const template = await pgliteTemplate(inject('databases').directory);
    const archive = await readFile(template.archive);
    const pglite = await startPglite({ loadDataDir: new Blob([archive]) });
    const store = createPgliteStore(pglite, 'memory', () => Promise.resolve());
    return { store, empty: await createEmptier(store), discard: () => store.close() };
  }
  const { config, remove } = await createDatabase(true);
  const store = await openStore(config, TEST_OPTIONS);
  return { store, empty: await createEmptier(store), discard: () => store.close().then(remove) };
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
