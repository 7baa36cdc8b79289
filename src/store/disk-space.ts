import { statfs } from 'node:fs/promises';

/**
 * What an embedded database needs free before it begins a batch. A batch holds at most 16 MB of raw bodies; with its rows,
 * its indexes and its write-ahead log it takes less than this. PGlite on a disk that is full spins inside one call for good:
 * no error, no signal and no timer gets through, so the disk must never become full under it.
 */
export const LEAST_FREE_BYTES = 100 * 1024 ** 2;

/** How many bytes a user's process may still write to the disk that holds `path`. */
export type FreeBytes = (path: string) => Promise<number>;

export const freeBytesOf: FreeBytes = async (path) => {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
};

/** Throws what a full disk throws (`ENOSPC`) when less than `least` bytes are free. */
export async function assertFree(
  path: string,
  freeBytes: FreeBytes,
  least = LEAST_FREE_BYTES,
): Promise<void> {
  if ((await freeBytes(path)) >= least) return;
  throw Object.assign(new Error('too little space left'), { code: 'ENOSPC' });
}
