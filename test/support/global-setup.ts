import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { redactUrl } from '../../src/store/database-url.js';
import { migrate } from '../../src/store/migrations/migrate.js';
import { openStore } from '../../src/store/open-store.js';
import { createPgliteTemplate } from './pglite-template.js';
import { startPostgres, type TestServer } from './postgres-server.js';
import { makeRunDirectory } from './run-directory.js';
import { withDatabase } from './server-url.js';

/** Where the tests find the databases of this run. */
export interface TestDatabases {
  /** A role that may create databases, on the server of this run. */
  serverUrl: string;
  /** Every database of this run begins with it. */
  prefix: string;
  /** A migrated, empty database; `create database … template …` copies it. */
  template: string;
  /** Everything that this run writes; also where the embedded database is made (see pglite-template.ts). */
  directory: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    databases: TestDatabases;
  }
}

/** The databases of this run, and how many of its projects still need them. */
interface SharedDatabases {
  databases: Promise<{ found: TestDatabases; remove: () => Promise<void> }>;
  users: number;
}

declare global {
  var sharedTestDatabases: SharedDatabases | undefined;
}

/**
 * Runs before the tests of each project that needs databases. The first one makes them, the last one removes them; they are
 * global, because each project loads this module anew.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = (globalThis.sharedTestDatabases ??= { databases: makeDatabases(), users: 0 });
  shared.users += 1;
  const { found, remove } = await shared.databases;
  project.provide('databases', found);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    globalThis.sharedTestDatabases = undefined;
    await remove();
  };
}

/**
 * One real PostgreSQL (or the server that TEST_DATABASE_URL names) and one embedded database, both migrated, as templates;
 * making a fresh database from one costs well under a second. The embedded one takes seconds to make, and is made while tests
 * that do not need it run already. A server that cannot be had is a failure of the whole run.
 */
async function makeDatabases(): Promise<{ found: TestDatabases; remove: () => Promise<void> }> {
  const directory = await makeRunDirectory();
  const given = process.env.TEST_DATABASE_URL;
  const server: TestServer =
    given === undefined || given === ''
      ? await startPostgres()
      : { url: given, stop: () => Promise.resolve() };
  const prefix = `wa_reconcile_test_${randomBytes(4).toString('hex')}`;

  const pglite = createPgliteTemplate(directory);

  async function remove(): Promise<void> {
    await dropDatabases(server.url, prefix).finally(() => server.stop());
    await pglite;
    await rm(directory, { recursive: true, force: true });
  }

  try {
    const template = await createPostgresqlTemplate(server.url, prefix);
    return { found: { serverUrl: server.url, prefix, template, directory }, remove };
  } catch (error) {
    await remove().catch(() => undefined);
    throw new Error(`the PostgreSQL for the tests cannot be used: ${redactUrl(server.url)}`, {
      cause: error,
    });
  }
}

async function createPostgresqlTemplate(serverUrl: string, prefix: string): Promise<string> {
  const name = `${prefix}_template`;
  await runOnServer(serverUrl, `create database ${name}`);
  const store = await openStore(
    { kind: 'postgresql', url: withDatabase(serverUrl, name) },
    { command: 'test', host: 'test', pid: process.pid },
  );
  await migrate(store);
  await store.close();
  return name;
}

async function dropDatabases(serverUrl: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  try {
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      'select datname as name from pg_database where starts_with(datname, $1)',
      [prefix],
    );
    for (const { name } of rows) {
      await client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
    }
  } finally {
    await client.end();
  }
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
