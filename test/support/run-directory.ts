import { access, constants, mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isProcessAlive } from '../../src/store/locks/processes.js';

const PREFIX = 'wa-reconcile-test-';

/** Where Linux keeps files in memory. */
const MEMORY = '/dev/shm';

/** Several times what a run of all tests has there at one time. */
const ROOM_BYTES = 4 * 1024 ** 3;

/**
 * A temporary directory for everything that one run of the tests writes. Those of runs that were killed, and could not
 * remove their own, are removed on the way.
 *
 * Where nobody chose another place, the run and all its processes keep their temporary files in memory. An embedded database
 * and a database of the server are a thousand small files each, and a disk takes ten times as long to make them.
 */
export async function makeRunDirectory(): Promise<string> {
  if (process.env.TMPDIR === undefined && (await canHoldRun(MEMORY))) process.env.TMPDIR = MEMORY;
  for (const name of await readdir(tmpdir())) {
    const pid = /^wa-reconcile-test-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || (await isProcessAlive(Number(pid)))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
  return mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
}

/** Whether there is room, in the machine's memory, too, and programs can be run from there, which containers may forbid. */
async function canHoldRun(place: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(place);
    if (bavail * bsize < ROOM_BYTES || freemem() < ROOM_BYTES) return false;
    const probe = join(place, `${PREFIX}${process.pid}-probe`);
    try {
      await writeFile(probe, '', { mode: 0o700 });
      await access(probe, constants.X_OK);
    } finally {
      await rm(probe, { force: true });
    }
    return true;
  } catch {
    return false;
  }
}
