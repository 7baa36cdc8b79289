import { access, constants, rm, statfs, writeFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';

/** Where Linux keeps files in memory. */
const MEMORY = '/dev/shm';

/** Several times what a run of all tests has there at one time. */
const ROOM_BYTES = 4 * 1024 ** 3;

/**
 * Where nobody chose another place, the run and all its processes keep their temporary files in memory. An embedded database and
 * a database of the server are a thousand small files each, the tests of inputs write thousands of logs, and a disk takes ten
 * times as long to make them. Runs before the tests of every project; a project with databases asks for it itself.
 */
export default async function keepFilesInMemory(): Promise<void> {
  if (process.env.TMPDIR === undefined && (await canHoldRun(MEMORY))) process.env.TMPDIR = MEMORY;
}

/** Whether there is room, in the machine's memory, too, and programs can be run from there, which containers may forbid. */
async function canHoldRun(place: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(place);
    if (bavail * bsize < ROOM_BYTES || freemem() < ROOM_BYTES) return false;
    const probe = join(place, `wa-reconcile-probe-${process.pid}`);
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
