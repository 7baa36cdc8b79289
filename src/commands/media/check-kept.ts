import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { Context } from '../../context.js';
import { codeOf } from '../../graph/retries.js';
import {
  markMediaLost,
  readFaultyKept,
  readKeptMedia,
  type KeptMedia,
} from '../../store/tables/media-files.js';
import { hashOf } from './keep-file.js';

/** Files looked at together. */
const PAGE = 500;

interface Checking {
  connectionId: string;
  /** Only files below it. */
  directory: string;
  /** Reads every file and compares its hash; else only presence and size. */
  readsAll: boolean;
  /** Leaves them on record as fetched. */
  dryRun: boolean;
}

/** Looks for the files on record, and marks those as owed again that are gone or altered. Returns their media ids. */
export async function checkKept(
  ctx: Context,
  { connectionId, directory, readsAll, dryRun }: Checking,
): Promise<readonly string[]> {
  const { sql } = ctx.store;
  const below = directory.endsWith(sep) ? directory : `${directory}${sep}`;
  const isStopped = (): boolean => ctx.signal.aborted;
  const lost = await checkRecords(ctx, { connectionId, directory, dryRun });
  const isLost = new Set(lost);
  let after = '';
  while (!isStopped()) {
    const page = await readKeptMedia(sql, { connectionId, below, after, limit: PAGE });
    const faults: { mediaId: string; path: string; error: string }[] = [];
    for (const file of page) {
      if (isStopped()) break;
      if (isLost.has(file.mediaId)) continue;
      const error = await faultOf(file, readsAll);
      if (error !== null) faults.push({ mediaId: file.mediaId, path: file.path, error });
    }
    if (faults.length > 0 && !dryRun) await markMediaLost(sql, connectionId, faults);
    lost.push(...faults.map(({ mediaId }) => mediaId));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.mediaId;
  }
  return lost;
}

/** Marks as owed what is on record as fetched by a record that cannot be, unless its file may be in another directory. */
async function checkRecords(
  ctx: Context,
  { connectionId, directory, dryRun }: Omit<Checking, 'readsAll'>,
): Promise<string[]> {
  const { sql } = ctx.store;
  const faulty = (await readFaultyKept(sql, connectionId, ctx.clock())).filter(
    (file) => file.directory === null || resolve(file.directory) === resolve(directory),
  );
  if (faulty.length > 0 && !dryRun) {
    const error = 'its record was not that of a kept file';
    const files = faulty.map(({ mediaId, path }) => ({ mediaId, path, error }));
    await markMediaLost(sql, connectionId, files);
  }
  return faulty.map(({ mediaId }) => mediaId);
}

/** Why a file is not the one on record; null if it is, and if the disk does not say. */
async function faultOf({ path, size, sha256 }: KeptMedia, readsAll: boolean): Promise<string | null> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return 'it is no longer a regular file';
    if (size !== null && found.size !== size) return `it has ${found.size} bytes instead of ${size}`;
    if (readsAll && sha256 !== null && (await hashOf(path)) !== sha256) return 'its SHA-256 is another one';
    return null;
  } catch (error) {
    // Any other fault may pass, as that of a network drive.
    const code = codeOf(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'it is gone from the disk' : null;
  }
}
