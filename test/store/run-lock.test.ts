import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { EXIT, LockedError } from '../../src/model/errors.js';
import { acquireRunLock, type RunLockOptions } from '../../src/store/locks/run-lock.js';
import type { DatabaseConfig } from '../../src/store/open-store.js';
import { useBackend } from '../support/databases.js';

function owner(mode: RunLockOptions['mode'], command: string): RunLockOptions {
  return { mode, command, host: 'host-a', pid: 4321 };
}

function urlOf(config: DatabaseConfig): string {
  if (config.kind !== 'postgresql') throw new Error('not a server');
  return config.url;
}

describe('the lock of a run on PostgreSQL', () => {
  const backend = useBackend('postgresql');

  test('lets several shared runs work at once, and keeps an exclusive one out', async () => {
    const config = await backend.emptyConfig();
    const one = await acquireRunLock(config, owner('shared', 'replay'));
    const other = await acquireRunLock(config, owner('shared', 'import'));
    const refused = acquireRunLock(config, owner('exclusive', 'dedupe --apply'));
    await expect(refused).rejects.toBeInstanceOf(LockedError);
    await expect(refused).rejects.toMatchObject({ exitCode: EXIT.locked });
    await expect(refused).rejects.toThrow(
      /in use by replay host-a:4321 \(server process \d+, from 127\.0\.0\.1, since .*Z\); import host-a:4321 .*needs exclusive access/,
    );
    await one.release();
    await other.release();
    await (await acquireRunLock(config, owner('exclusive', 'dedupe --apply'))).release();
  });

  test('keeps everyone out while an exclusive run holds it', async () => {
    const config = await backend.emptyConfig();
    const lock = await acquireRunLock(config, owner('exclusive', 'reconcile'));
    for (const mode of ['shared', 'exclusive'] as const) {
      await expect(acquireRunLock(config, owner(mode, 'replay'))).rejects.toThrow(/in use by reconcile/);
    }
    await lock.release();
    await lock.release();
  });

  test('is waited for, and the wait ends when the run is interrupted', async () => {
    const config = await backend.emptyConfig();
    const lock = await acquireRunLock(config, owner('exclusive', 'reconcile'));
    const patient = acquireRunLock(config, { ...owner('shared', 'replay'), waitMs: 10_000 });
    const interrupted = acquireRunLock(config, {
      ...owner('shared', 'replay'),
      waitMs: 60_000,
      signal: AbortSignal.timeout(100),
    });
    await expect(interrupted).rejects.toMatchObject({ exitCode: EXIT.interrupted });
    await lock.release();
    await (await patient).release();
  });

  test('is one per schema', async () => {
    const config = await backend.emptyConfig();
    const elsewhere: DatabaseConfig = { kind: 'postgresql', url: `${urlOf(config)}?schema=other` };
    const lock = await acquireRunLock(config, owner('exclusive', 'reconcile'));
    await (await acquireRunLock(elsewhere, owner('exclusive', 'reconcile'))).release();
    await lock.release();
  });

  test('says so when its connection is lost', async () => {
    const config = await backend.emptyConfig();
    const lock = await acquireRunLock(config, owner('exclusive', 'reconcile'));
    lock.assertHeld();
    await terminateOthers(urlOf(config));
    await expect.poll(() => lock.lost.aborted).toBe(true);
    expect(() => {
      lock.assertHeld();
    }).toThrow(/connection that held the lock/);
    await lock.release();
    await (await acquireRunLock(config, owner('exclusive', 'reconcile'))).release();
  });

  test('is not reported lost by being released', async () => {
    const lock = await acquireRunLock(await backend.emptyConfig(), owner('shared', 'replay'));
    await lock.release();
    await delay(50);
    expect(lock.lost.aborted).toBe(false);
  });

  test('says plainly when the server cannot be reached', async () => {
    const config: DatabaseConfig = { kind: 'postgresql', url: 'postgresql://a:secret@127.0.0.1:1/db' };
    await expect(acquireRunLock(config, owner('shared', 'replay'))).rejects.toMatchObject({
      code: 'database_unreachable',
    });
  });
});

test('the lock of a run on the embedded database is the one that opening it takes', async () => {
  const lock = await acquireRunLock(
    { kind: 'pglite', directory: '/nowhere' },
    owner('exclusive', 'reconcile'),
  );
  lock.assertHeld();
  await lock.release();
});

async function terminateOthers(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
}
