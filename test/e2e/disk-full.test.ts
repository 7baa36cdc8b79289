import { rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { startPostgres, type TestServer } from '../support/postgres-server.js';
import { replayFiles } from '../support/replaying.js';
import { normalizedDatabase } from '../support/normalized.js';
import { TEST_OPTIONS, useBackend } from '../support/databases.js';
import { differences } from './differences.js';
import { useMachines } from './installation.js';
import { largeChunk, lines, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

const LOG = liveLines(200) + lines([largeChunk(2_000)]) + liveLines(200, 'M');

describe('a disk that fills up under PostgreSQL', () => {
  let server: TestServer | undefined;
  beforeAll(async () => {
    // One of our own: the file that stands for the full disk lies in its directory.
    server = await startPostgres();
  });
  afterAll(() => server?.stop());
  const backend = useBackend('postgresql');
  const machines = useMachines(backend);

  test('is named; what was committed stays, and the same command goes on when there is space', async () => {
    const env = { DATABASE_URL: server?.url ?? '' };
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', LOG);
    expect((await machine.run(['db', 'migrate'], { env })).code).toBe(0);
    // Large raw bodies lie in a file of their own, still empty. Whoever writes to /dev/full has the kernel's own "no space
    // left on device", with no privilege that a mounted small disk would need.
    const file = await toastFileOfWebhookLog(env.DATABASE_URL);
    await rename(file, `${file}.aside`);
    await symlink('/dev/full', file);

    const command = ['replay', 'log.ndjson', '--register', '--batch-size', '50'];
    const full = await machine.run(command, { env });
    expect(full).toMatchObject({ code: 1, stdout: '' });
    expect(full.stderr).toContain('wa-reconcile: The disk of the database is full: postgresql://');
    expect(full.stderr).toContain(
      'Free some space and run the same command again; anything committed is kept.',
    );
    expect(full.stderr).not.toMatch(/\n {4}at /);
    const [stored] = await query(env.DATABASE_URL, 'select count(*)::int as n from messages');
    expect(stored).toEqual({ n: 200 });

    await rm(file);
    await rename(`${file}.aside`, file);
    const rest = await machine.run([...command, '--json'], { env });
    expect({ code: rest.code, stderr: rest.stderr }).toEqual({ code: 0, stderr: '' });
    const { resumedFrom, messages } = parseRun(rest.stdout);
    expect(resumedFrom?.entriesSkipped).toBe(200);
    expect(messages.created).toBe(2_200);

    const undisturbed = await backend.open();
    await replayFiles(undisturbed, [log]);
    const store = await openStore({ kind: 'postgresql', url: env.DATABASE_URL }, TEST_OPTIONS);
    const picture = await normalizedDatabase(store).finally(() => store.close());
    expect(differences(picture, await normalizedDatabase(undisturbed))).toEqual([]);
  });
});

async function toastFileOfWebhookLog(url: string): Promise<string> {
  const [row] = await query(
    url,
    `select current_setting('data_directory') as directory, pg_relation_filepath(reltoastrelid) as path
     from pg_class where oid = 'webhook_log'::regclass`,
  );
  return join(String(row?.['directory']), String(row?.['path']));
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
