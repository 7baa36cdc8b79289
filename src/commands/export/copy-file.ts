import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ExportedFile } from './types.js';

/** As `media fetch` names files: by their hash and type. The table is read again, but the row may be anybody's. */
const KEPT = /^[0-9a-f]{64}\.[0-9a-z]{1,4}$/;

/**
 * Copies a kept file into a directory of files named by their hash. Null where there is nothing to copy: the file was not fetched, is
 * gone, or its bytes are not those of its hash. Throws what the disk throws about the copy.
 */
export async function copyKeptFile(
  { state, sha256, path }: ExportedFile,
  directory: string,
): Promise<string | null> {
  if (state !== 'fetched' || path === null || sha256 === null) return null;
  const name = basename(path);
  if (!KEPT.test(name) || !name.startsWith(sha256)) return null;
  const target = join(directory, name);
  // Several messages may name one file.
  if ((await stat(target).catch(() => undefined)) !== undefined) return name;
  const source = await openKept(path);
  if (source === undefined) return null;
  const copy = await open(target, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    for await (const chunk of source.createReadStream({ autoClose: false })) {
      if (!Buffer.isBuffer(chunk)) throw new Error('a file was read as text');
      hash.update(chunk);
      await copy.writeFile(chunk);
    }
    await copy.sync();
    await copy.close();
    if (hash.digest('hex') === sha256) return name;
    await rm(target);
    return null;
  } catch (error) {
    await copy.close().catch(() => undefined);
    await rm(target, { force: true });
    throw error;
  } finally {
    await source.close();
  }
}

/** A file, and no link to another one. */
async function openKept(path: string): Promise<FileHandle | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return undefined;
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}
