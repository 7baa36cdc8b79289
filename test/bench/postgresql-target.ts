import { createReadStream } from 'node:fs';
import { hostname } from 'node:os';
import { pipeline } from 'node:stream/promises';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { migrate } from '../../src/store/migrations/migrate.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { startPostgres } from '../support/postgres-server.js';
import { withDatabase } from '../support/server-url.js';
import { PrismaClient } from './generated/client.js';
import { stopwatch } from './measured.js';
import { CREATE_STAGED, upsertStaged, type Target } from './target.js';

const SETTINGS = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size'];

/** A PostgreSQL of our own on a free port of this machine, with a migrated database in it. */
export async function startPostgresqlTarget(): Promise<Target> {
  const server = await startPostgres([]);
  const database = withDatabase(server.url, 'bench');
  let copies = 0;

  async function copyDatabase(emptied: readonly string[]): Promise<string> {
    const name = `bench_copy_${(copies += 1)}`;
    await withClient(server.url, (client) => client.query(`create database ${name} template bench`));
    const url = withDatabase(server.url, name);
    await withClient(url, async (client) => {
      await client.query(`truncate ${emptied.join(', ')} cascade`);
      await client.query('vacuum analyze');
    });
    return url;
  }

  try {
    await withClient(server.url, (client) => client.query('create database bench'));
    const store = await open(database);
    await migrate(store).finally(() => store.close());
    return {
      title: 'PostgreSQL',
      conditions: await withClient(server.url, describeServer),
      env: { DATABASE_URL: database },
      open: () => open(database),
      openCopy: async (emptied) => open(await copyDatabase(emptied)),
      prisma: {
        open: () => connectPrisma(database),
        openCopy: async (emptied) => connectPrisma(await copyDatabase(emptied)),
      },
      async measureFloor(copyFile, columns) {
        return withClient(await copyDatabase(['messages']), (client) =>
          stopwatch(async () => {
            await client.query('begin');
            await client.query(CREATE_STAGED);
            await pipeline(createReadStream(copyFile), client.query(copyFrom('copy staged from stdin')));
            await client.query(upsertStaged(columns));
            await client.query('commit');
          }),
        );
      },
      async openCrm() {
        await withClient(server.url, (client) => client.query('create database crm'));
        return withDatabase(server.url, 'crm');
      },
      directoryBytes: () => Promise.resolve(null),
      close: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function connectPrisma(connectionString: string): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString }), log: [] });
}

function open(url: string): Promise<Store> {
  return openStore({ kind: 'postgresql', url }, { command: 'bench', host: hostname(), pid: process.pid });
}

async function describeServer(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ text: string }>(
    `select string_agg(name || ' ' || current_setting(name), ', ' order by name) as text
     from unnest($1::text[]) as name`,
    [SETTINGS],
  );
  const version = await client.query<{ server_version: string }>('show server_version');
  return `PostgreSQL ${version.rows[0]?.server_version ?? ''}: ${rows[0]?.text ?? ''}`;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}
