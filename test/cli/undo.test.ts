import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import {
  damagedConnection,
  dumpDatabase,
  insertConversation,
  insertLead,
  insertMessage,
  type Dump,
} from '../support/damage.js';
import { TEST_OPTIONS, useBackend, type TestBackend } from '../support/databases.js';
import { merge } from '../support/merging.js';
import { runCli, type Seen } from './run-cli.js';

interface Place {
  run: (...argv: string[]) => Promise<Seen>;
  look: <T>(work: (store: Store) => Promise<T>) => Promise<T>;
  runId: string;
  /** The flags that choose the database in commands that the tool advises. */
  flags: string;
  before: Dump;
}

const UNDONE = z.object({ runId: z.string() });

describe('undo on the command line', () => {
  const embedded = useBackend('pglite');
  const server = useBackend('postgresql');

  /** A database in which a run removed one message and changed another. */
  async function prepare(backend: TestBackend = server): Promise<Place> {
    const config = await backend.config();
    const flags = config.kind === 'pglite' ? ` --home ${dirname(config.directory)}` : '';
    const env: Record<string, string> = config.kind === 'postgresql' ? { DATABASE_URL: config.url } : {};
    const look = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
      const store = await openStore(config, TEST_OPTIONS);
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    };
    const made = await look(async (store) => {
      const connectionId = await damagedConnection(store);
      const thread = await insertConversation(store, connectionId, await insertLead(store));
      const ids = [await insertMessage(store, thread, 'A1', 0), await insertMessage(store, thread, 'A2', 1)];
      const before = await dumpDatabase(store);
      const runId = await merge(store, { messageIds: ids }, async (tx) => {
        await tx.execute(`delete from messages where body = 'A2'`);
        await tx.execute(`update messages set status = 'read'`);
      });
      return { runId, before };
    });
    const run: Place['run'] = (...argv) => runCli([...argv, ...flags.split(' ').slice(1)], { env });
    return { ...made, flags, look, run };
  }

  test('puts the rows back, says how many, and how to go back', async () => {
    const { run, look, runId, before, flags } = await prepare(embedded);
    const seen = await run('undo', runId.slice(0, 8));
    expect(seen).toMatchObject({ code: 0, stderr: '' });
    expect(seen.stdout).toContain(`✔ Restored 2 rows of dedupe ${runId}.`);
    expect(seen.stdout).toMatch(new RegExp(`wa-reconcile undo [0-9a-f-]{36}${flags}$`, 'm'));
    expect(await look(dumpDatabase)).toEqual(before);
  });

  test('completes to runs that can be undone, and to no others', async () => {
    const { run, runId } = await prepare();
    const names = async () => (await run('completion', 'names', 'undoable')).stdout.trim().split('\n');
    expect(await names()).toEqual([runId]);
    await run('undo', runId);
    const [undone, ...others] = await names();
    expect(others).toEqual([]);
    expect(undone).not.toBe(runId);
  });

  test('is rehearsed with --dry-run, and leads to the command that does it', async () => {
    const { run, look, runId } = await prepare();
    const between = await look((store) => dumpDatabase(store, []));
    const seen = await run('undo', runId, '-n');
    expect(seen).toMatchObject({ code: 0, stderr: '' });
    expect(seen.stdout).toContain(`Would restore 2 rows of dedupe ${runId}. Nothing was changed.`);
    expect(seen.stdout).toMatch(new RegExp(`wa-reconcile undo ${runId}$`, 'm'));
    expect(await look((store) => dumpDatabase(store, []))).toEqual(between);
  });

  test('lists the rows that were touched since, and fails; with --force leaves what was touched and says so', async () => {
    const { run, look, runId } = await prepare();
    await look((store) => store.sql.execute(`update messages set body = 'touched'`));
    const seen = await run('undo', runId);
    expect(seen).toMatchObject({ code: 1, stderr: '' });
    expect(seen.stdout).toContain(`✖ Nothing was changed: 1 row of dedupe ${runId} was changed since.`);
    expect(seen.stdout).toContain('another program or a replay');
    expect(seen.stdout).toContain(`undo ${runId} --force`);
    const forced = await run('undo', runId, '--force', '--json');
    expect(forced.code).toBe(4);
    expect(JSON.parse(forced.stdout)).toMatchObject({
      schemaVersion: 1,
      command: 'undo',
      status: 'partial',
      undone: { runId, command: 'dedupe' },
      tables: [{ table: 'messages', inserted: 1, updated: 1, deleted: 0 }],
      left: { found: 1, rows: [{ table: 'messages', how: 'changed', columns: ['body'], by: null }] },
    });
    expect(
      await look((store) => store.sql.query(`select body, status from messages order by timestamp`)),
    ).toEqual([
      { body: 'touched', status: 'delivered' },
      { body: 'A2', status: 'delivered' },
    ]);
  });

  test('refuses what it cannot undo, with what could be undone instead', async () => {
    const { run, runId } = await prepare();
    const unknown = await run('undo', 'ffff-0000');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('There is no run ffff-0000.');
    expect(unknown.stderr).toContain(runId);
    expect((await run('undo')).code).toBe(2);
    const { runId: undoId } = UNDONE.parse(JSON.parse((await run('undo', runId, '--json')).stdout));
    const twice = await run('undo', runId);
    expect(twice).toMatchObject({ code: 1, stdout: '' });
    expect(twice.stderr).toContain(`was already undone by undo ${undoId}`);
  });

  test('gives every format', async () => {
    const { run, runId } = await prepare();
    expect((await run('undo', runId, '-n', '--format', 'csv')).stdout).toBe(
      'table,inserted,updated,deleted\nmessages,1,1,0\n',
    );
    expect((await run('undo', runId, '-n', '--format', 'markdown')).stdout).toContain('| messages | 1 | 1 |');
    const { stdout } = await run('undo', '--help');
    expect(stdout).toContain('wa-reconcile undo');
    expect(stdout).toContain('Exit status:');
  });
});
