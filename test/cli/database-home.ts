import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { DatabaseConfig } from '../../src/store/open-store.js';
import { useBackend } from '../support/databases.js';
import { runCli, type Seen, type Surroundings } from './run-cli.js';

/** Runs the command line on a database of the test's own. */
export type Run = (argv: readonly string[], surroundings?: Surroundings) => Promise<Seen>;

/** Runs the command line on a database that a test has opened. */
export function runOn(config: DatabaseConfig): Run {
  if (config.kind === 'pglite') {
    const home = dirname(config.directory);
    return (argv, surroundings) => runCli([...argv, '--home', home], surroundings);
  }
  return (argv, surroundings = {}) =>
    runCli(argv, { ...surroundings, env: { ...surroundings.env, DATABASE_URL: config.url } });
}

/** A command line on an embedded database of the test's own: migrated and empty, or not there at all. */
export function useEmbedded(): { prepare: (state?: 'migrated' | 'missing') => Promise<Run> } {
  const backend = useBackend('pglite');
  return {
    prepare: async (state = 'migrated') => {
      const config = await (state === 'migrated' ? backend.config() : backend.emptyConfig());
      if (config.kind !== 'pglite') throw new Error('the embedded database lies in a directory');
      return runOn(config);
    },
  };
}

/** A command line on a PostgreSQL database of the test's own. */
export function useServer(): {
  prepare: (state?: 'migrated' | 'empty') => Promise<Run & { url: string }>;
  /** What somebody does to the database with SQL of their own. */
  change: (run: { url: string }, sql: string) => Promise<number>;
  /** A role with no rights at all, which goes with the test, and the command line as that role. */
  addRole: (run: { url: string }) => Promise<{ role: string; as: Run }>;
} {
  const backend = useBackend('postgresql');
  return {
    prepare: async (state = 'migrated') => {
      const config = await (state === 'migrated' ? backend.config() : backend.emptyConfig());
      if (config.kind !== 'postgresql') throw new Error('the server has a URL');
      return Object.assign(runOn(config), { url: config.url });
    },
    change,
    addRole: async (run) => {
      const role = `wa_role_${randomBytes(4).toString('hex')}`;
      await change(run, `create role ${role} login password '${role}'`);
      // After the database, which goes with the test, nothing depends on the role.
      onTestFinished(async () => {
        const maintenance = new URL(run.url);
        maintenance.pathname = '/postgres';
        await change({ url: maintenance.toString() }, `drop role ${role}`);
      });
      const url = new URL(run.url);
      [url.username, url.password] = [role, role];
      return { role, as: runOn({ kind: 'postgresql', url: url.toString() }) };
    },
  };
}

/** Connects for each statement: the database goes before the test is over. */
async function change({ url }: { url: string }, sql: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query(sql).finally(() => client.end());
  return rowCount ?? 0;
}
