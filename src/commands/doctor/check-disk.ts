import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { freeBytesOf, LEAST_FREE_BYTES } from '../../store/backends/embedded-place.js';
import { readServerFacts } from '../../store/server.js';
import type { Store } from '../../store/store.js';
import type { DoctorCheck } from './result.js';
import { bytes } from './words.js';

const MB = 1024 ** 2;
/** A log of a million messages becomes less than this. */
const ENOUGH_FREE = 1024 * MB;

/** The room that an embedded database has to grow; also where it is still to be created. */
export async function checkEmbeddedDisk(directory: string): Promise<DoctorCheck> {
  const free = await freeBytesOf(await nearestExisting(directory));
  const used = await sizeOf(directory);
  const message = `${bytes(free)} free${used === 0 ? '' : `; the database takes ${bytes(used)}`}`;
  if (free >= ENOUGH_FREE) return { name: 'disk', status: 'ok', message };
  return {
    name: 'disk',
    status: free < LEAST_FREE_BYTES ? 'fail' : 'warn',
    message,
    remedy: 'Free some space, or move the directory to a larger disk and name it with --home.',
  };
}

/** Only its own server knows how full a server's disk is. */
export async function checkServerDisk(store: Store): Promise<DoctorCheck> {
  const { databaseBytes } = await readServerFacts(store.sql);
  return {
    name: 'disk',
    status: 'ok',
    message: `the database takes ${bytes(databaseBytes)}; the server’s free space cannot be seen from here`,
  };
}

async function nearestExisting(path: string): Promise<string> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined || path === dirname(path) ? path : nearestExisting(dirname(path));
}

async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      // A file that goes while we look is none of the database's any more.
      .map(
        async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0,
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
