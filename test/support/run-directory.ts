import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from '../../src/store/locks/processes.js';
import keepFilesInMemory from './files-in-memory.js';

const PREFIX = 'wa-reconcile-test-';

/**
 * A temporary directory for everything that one run of the tests writes. Those of runs that were killed, and could not
 * remove their own, are removed on the way.
 */
export async function makeRunDirectory(): Promise<string> {
  await keepFilesInMemory();
  for (const name of await readdir(tmpdir())) {
    const pid = /^wa-reconcile-test-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || (await isProcessAlive(Number(pid)))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
  return mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
}
