import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytes } from '../../model/amount.js';
import { remedy } from '../../model/remedy.js';
import {
  absenceWords,
  lookAtPlace,
  freeBytesOf,
  LEAST_FREE_BYTES,
} from '../../store/backends/embedded-place.js';
import { readDirectoryLock } from '../../store/locks/directory-lock.js';
import { readLockHolders } from '../../store/locks/holders.js';
import { readServerFacts } from '../../store/server.js';
import type { Store } from '../../store/store.js';
import { fail, listed, ok, warn, type DoctorOptions, type Found } from './types.js';

/**
 * What can be said of an embedded database without opening it, if that is all: opening would create it, or recreate a
 * half-made one. Null for a database that can be opened. `looked`: the places that could have named one.
 */
export async function checkDirectory(directory: string, looked: readonly string[]): Promise<Found | null> {
  const place = await lookAtPlace(directory);
  switch (place.state) {
    case 'database':
      return null;
    case 'unfinished':
      return warn(
        `${directory} (embedded) ${absenceWords(place)}`,
        'Nothing to do: the first command that imports data creates it.',
      );
    case 'absent':
    case 'empty':
      return fail([`no database: ${directory} ${absenceWords(place)}; looked in:`, ...looked].join('\n'), [
        'Set DATABASE_URL, or give --home or --database-url-file.',
        remedy('replay', ['LOG', '--register'], 'creates one there, and imports a log'),
      ]);
    case 'foreign':
      return fail(
        `${directory} is not an embedded database: it ${absenceWords(place)}`,
        'Give an empty or a new directory with --home.',
      );
  }
}

const MB = 1024 ** 2;
/** A log of a million messages takes less than this. */
const ENOUGH_FREE = 1024 * MB;

/** Free space for an embedded database to grow, including one still to be created. */
export async function checkEmbeddedDisk(directory: string): Promise<Found> {
  const free = await freeBytesOf(await nearestExisting(directory));
  const used = await sizeOf(directory);
  const message = `${bytes(free)} free${used === 0 ? '' : `; the database uses ${bytes(used)}`}`;
  if (free >= ENOUGH_FREE) return ok(message);
  return (free < LEAST_FREE_BYTES ? fail : warn)(
    message,
    'Free some space, or move the directory to a larger disk and name it with --home.',
  );
}

/** Only a server itself knows how full its disk is. */
export async function checkServerDisk(store: Store): Promise<Found> {
  const { databaseBytes } = await readServerFacts(store.sql);
  return ok(`the database uses ${bytes(databaseBytes)}; the server’s free space cannot be seen from here`);
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
      // A file that vanishes during the check no longer belongs to the database.
      .map(
        async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0,
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Which process has the embedded database open; checked before it is opened. */
export async function checkEmbeddedLock(
  directory: string,
  { host, pid }: DoctorOptions,
): Promise<{ check: Found; isFree: boolean }> {
  const path = `${directory}.lock`;
  const lock = await readDirectoryLock(path, { command: 'doctor', host, pid });
  switch (lock.state) {
    case 'free':
      return { check: ok('free'), isFree: true };
    case 'dead':
      return {
        check: ok(
          `left behind by ${lock.command} (process ${lock.pid}), which has ended; the next command takes it over`,
        ),
        isFree: true,
      };
    case 'alive':
      if (lock.command === 'doctor' && lock.pid === pid) return { check: ok('free'), isFree: true };
      return {
        check: warn(
          `held by ${lock.command} (process ${lock.pid}, since ${lock.startedAt}), so the tables cannot be checked`,
          'Run doctor again when it has ended; other commands wait for it with --lock-wait 5m.',
        ),
        isFree: false,
      };
    case 'elsewhere':
      return {
        check: warn(
          `held by ${lock.command} (process ${lock.pid} on ${lock.host}, since ${lock.startedAt}): another machine or container`,
          `If that process is no longer running, remove ${path} by hand.`,
        ),
        isFree: false,
      };
    case 'unreadable':
      return {
        check: fail(
          `the lock file cannot be read, so its owner is unknown`,
          `If no other wa-reconcile process uses it, remove ${path} by hand.`,
        ),
        isFree: false,
      };
  }
}

/** Which runs hold the lock on a server. A held lock is not a fault; the doctor itself does not count. */
export async function checkServerLock(
  store: Store,
  { host, pid }: Pick<DoctorOptions, 'host' | 'pid'>,
): Promise<Found> {
  const holders = (await readLockHolders(store.sql, store.backend)) ?? [];
  const others = holders.filter((holder) => holder !== `wa-reconcile doctor ${host}:${pid}`);
  if (others.length === 0) return ok('free');
  const names = others.map((holder) => holder?.replace(/^wa-reconcile /, '') ?? 'an unknown program');
  return ok(`held by ${listed(names)}, running now`);
}
