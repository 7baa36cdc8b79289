import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { LEAST_FREE_BYTES } from '../../src/store/backends/embedded-place.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { compileSources } from '../support/child-process.js';
import { TEST_OPTIONS, useBackend } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';
import { value } from '../support/shown.js';
import { live } from '../support/webhooks.js';

describe('a disk that fills up under the embedded database', () => {
  const backend = useBackend('pglite');
  const BODIES = Array.from({ length: 40 }, (_, n) => live(`M${n}`, n));

  /** Opens the database on a disk of which every look finds less. */
  async function onDiskOf(batches: number, work: (store: Store) => Promise<void>): Promise<void> {
    let looks = 0;
    const store = await openStore(await config, {
      ...TEST_OPTIONS,
      creates: true,
      freeBytes: () => Promise.resolve((looks += 1) > batches ? LEAST_FREE_BYTES - 1 : LEAST_FREE_BYTES),
    });
    await work(store).finally(() => store.close());
  }
  const config = backend.config();

  test('ends the replay before the batch that may not fit; the same command goes on when there is space', async () => {
    await onDiskOf(4, async (store) => {
      await expect(replayBodies(store, BODIES, { batchSize: 10 })).rejects.toMatchObject({
        code: 'database_disk_full',
        exitCode: 1,
        remedy: 'Free some space and run the same command again; anything committed is kept.',
      });
      const kept = Number(await value(store, 'select count(*)::int from messages'));
      expect(kept).toBeGreaterThan(0);
      expect(kept).toBeLessThan(40);
      expect(await value(store, `select status from sync_runs`)).toBe('failed');
    });
    await onDiskOf(1_000, async (store) => {
      expect((await replayBodies(store, BODIES, { batchSize: 10 })).status).toBe('completed');
      expect(await value(store, 'select count(*)::int from messages')).toBe(40);
    });
  });

  test('refuses a dry run as well: it writes as much until it is rolled back', async () => {
    await onDiskOf(3, async (store) => {
      await expect(
        replayBodies(store, BODIES.toReversed(), { batchSize: 5, dryRun: true }),
      ).rejects.toMatchObject({
        code: 'database_disk_full',
      });
    });
  });
});

describe('a process that is deaf because the embedded database spins', () => {
  /** Runs the watchdog in a process of its own that does nothing else than `then`. */
  async function watched(then: string, fullBytes: number): Promise<{ signal: unknown; stderr: string }> {
    const module = join(await compileSources(), 'src', 'cli', 'stuck-watchdog.js');
    const script = `import { watchForFullDisk } from ${JSON.stringify(pathToFileURL(module).href)};
      const watchdog = watchForFullDisk({
        directory: ${JSON.stringify(tmpdir())}, pid: process.pid, deafMs: ${DEAF_MS}, fullBytes: ${fullBytes},
      });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      ${then}
      watchdog.close();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const [, signal] = (await once(child, 'close')) as [unknown, unknown];
    return { signal, stderr };
  }
  const DEAF_MS = 200;
  const spinFor = (ms: number): string => `const end = Date.now() + ${ms}; while (Date.now() < end);`;

  test('is ended when the disk is full, and says so', async () => {
    const { signal, stderr } = await watched(spinFor(30 * DEAF_MS), Number.MAX_SAFE_INTEGER);
    expect(signal).toBe('SIGKILL');
    expect(stderr).toContain('wa-reconcile: The disk of the database is full: ');
  });

  test('is left alone when there is space, however long it works', async () => {
    expect(await watched(spinFor(10 * DEAF_MS), 0)).toEqual({ signal: null, stderr: '' });
  });

  test('is left alone on a full disk while it still listens', async () => {
    const listening = 'await new Promise((resolve) => setTimeout(resolve, 1_500));';
    expect(await watched(listening, Number.MAX_SAFE_INTEGER)).toEqual({ signal: null, stderr: '' });
  });
});
