import { access, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Why a place holds no embedded database. `unfinished`: a process is creating it, or was killed doing so; it is still
 * empty. `foreign`: a directory of something else.
 */
export type Absence = { state: 'unfinished' | 'absent' | 'empty' } | { state: 'foreign'; holds: string };

/** What is found where an embedded database is expected. */
type EmbeddedPlace = { state: 'database' } | Absence;

/** The marker beside a directory while the database in it is being created. */
export function creationMark(directory: string): string {
  return `${directory}.new`;
}

/** Inspects the place without touching it. File system errors other than "nothing there" are rethrown. */
export async function lookAtPlace(directory: string): Promise<EmbeddedPlace> {
  if (await exists(creationMark(directory))) return { state: 'unfinished' };
  const content = await readdir(directory).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (content === undefined) return { state: 'absent' };
  const [first] = content;
  if (first === undefined) return { state: 'empty' };
  // PGlite creates a database in any directory without one, whatever else is in it.
  return content.includes('PG_VERSION') ? { state: 'database' } : { state: 'foreign', holds: first };
}

/** Why no database can be read there: completes a sentence about the path. */
export function absenceWords(place: Absence): string {
  switch (place.state) {
    case 'absent':
      return 'does not exist';
    case 'empty':
      return 'is empty';
    case 'foreign':
      return `contains other files, such as ${place.holds}, but no database`;
    case 'unfinished':
      return 'was being created when the process was killed, and is empty';
  }
}

/** Whether a path exists. */
async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** The file that marks PostgreSQL's own directory; it names the version. */
export function versionFile(directory: string): string {
  return join(directory, 'PG_VERSION');
}

/**
 * Free space an embedded database needs before it starts a batch. A batch holds at most 16 MB of raw bodies; with its
 * rows, indexes and write-ahead log it takes less than this. On a full disk PGlite spins forever inside one call: no
 * error, no signal and no timer gets through, so the disk must never become full under it.
 */
export const LEAST_FREE_BYTES = 100 * 1024 ** 2;

/** How many bytes the user's process may still write to the disk that holds `path`. */
export type FreeBytes = (path: string) => Promise<number>;

export const freeBytesOf: FreeBytes = async (path) => {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
};

/** Throws the error of a full disk (`ENOSPC`) when less than `least` bytes are free. */
export async function assertFree(
  path: string,
  freeBytes: FreeBytes,
  least = LEAST_FREE_BYTES,
): Promise<void> {
  const free = await freeBytes(path);
  if (free >= least) return;
  throw Object.assign(new Error('too little space left'), { code: 'ENOSPC', free, least });
}
