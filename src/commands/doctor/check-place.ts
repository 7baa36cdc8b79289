import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
import { bytes, listed, type DoctorCheck, type DoctorOptions } from './types.js';

/**
 * What can be said of an embedded database without opening it, where that is all there is to say: opening would create it,
 * or recreate a half-made one. Null for a database that can be opened. `looked`: the places where one could have been named.
 */
export async function checkDirectory(
  directory: string,
  looked: readonly string[],
): Promise<DoctorCheck | null> {
  const name = 'database' as const;
  const place = await lookAtPlace(directory);
  switch (place.state) {
    case 'database':
      return null;
    case 'unfinished':
      return {
        name,
        status: 'warn',
        message: `${directory} (embedded) ${absenceWords(place)}`,
        remedy: 'Nothing to do: the first command that imports data creates it.',
      };
    case 'absent':
    case 'empty':
      return {
        name,
        status: 'fail',
        message: [`no database: ${directory} ${absenceWords(place)}; looked in:`, ...looked].join('\n'),
        remedy: [
          'Set DATABASE_URL, or give --home or --database-url-file.',
          remedy('replay', ['LOG', '--register'], 'creates one there, and imports a log'),
        ],
      };
    case 'foreign':
      return {
        name,
        status: 'fail',
        message: `${directory} is not an embedded database: it ${absenceWords(place)}`,
        remedy: 'Give an empty or a new directory with --home.',
      };
  }
}

const MB = 1024 ** 2;
/** A log of a million messages becomes less than this. */
const ENOUGH_FREE = 1024 * MB;

/** The room that an embedded database has to grow; also where it is still to be created. */
export async function checkEmbeddedDisk(directory: string): Promise<DoctorCheck> {
  const free = await freeBytesOf(await nearestExisting(directory));
  const used = await sizeOf(directory);
  const message = `${bytes(free)} free${used === 0 ? '' : `; the database uses ${bytes(used)}`}`;
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
    message: `the database uses ${bytes(databaseBytes)}; the server’s free space cannot be seen from here`,
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

/** Which process has the embedded database open; checked before it is opened. */
export async function checkEmbeddedLock(
  directory: string,
  { host, pid }: DoctorOptions,
): Promise<{ check: DoctorCheck; isFree: boolean }> {
  const path = `${directory}.lock`;
  const lock = await readDirectoryLock(path, { command: 'doctor', host, pid });
  const name = 'lock' as const;
  switch (lock.state) {
    case 'free':
      return { check: { name, status: 'ok', message: 'free' }, isFree: true };
    case 'dead':
      return {
        check: {
          name,
          status: 'ok',
          message: `left behind by ${lock.command} (process ${lock.pid}), which has ended; the next command takes it over`,
        },
        isFree: true,
      };
    case 'alive':
      if (lock.command === 'doctor' && lock.pid === pid)
        return { check: { name, status: 'ok', message: 'free' }, isFree: true };
      return {
        check: {
          name,
          status: 'warn',
          message: `held by ${lock.command} (process ${lock.pid}, since ${lock.startedAt}), so the tables cannot be checked`,
          remedy: 'Run doctor again when it has ended; other commands wait for it with --lock-wait 5m.',
        },
        isFree: false,
      };
    case 'elsewhere':
      return {
        check: {
          name,
          status: 'warn',
          message: `held by ${lock.command} (process ${lock.pid} on ${lock.host}, since ${lock.startedAt}): another machine or container`,
          remedy: `If that process is no longer running, remove ${path} by hand.`,
        },
        isFree: false,
      };
    case 'unreadable':
      return {
        check: {
          name,
          status: 'fail',
          message: `the lock file cannot be read, so its owner is unknown`,
          remedy: `If no other wa-reconcile process uses it, remove ${path} by hand.`,
        },
        isFree: false,
      };
  }
}

/** Which runs hold the lock on a server. That one does is no fault; the doctor itself is not one of them. */
export async function checkServerLock(
  store: Store,
  { host, pid }: Pick<DoctorOptions, 'host' | 'pid'>,
): Promise<DoctorCheck> {
  const holders = (await readLockHolders(store.sql, store.backend)) ?? [];
  const others = holders.filter((holder) => holder !== `wa-reconcile doctor ${host}:${pid}`);
  if (others.length === 0) return { name: 'lock', status: 'ok', message: 'free' };
  const names = others.map((holder) => holder?.replace(/^wa-reconcile /, '') ?? 'an unknown program');
  return { name: 'lock', status: 'ok', message: `held by ${listed(names)}, running now` };
}
