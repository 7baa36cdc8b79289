import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';

/** Links are missing on some file systems (exFAT, some network mounts). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Creates a lock file with its whole content at once, or gives false if it exists. Written beside and linked into place:
 * a file that is created first and filled afterwards can be read, or left by a kill, with nothing in it, and then nobody
 * can tell whose it is.
 */
export async function createLockFile(path: string, content: string): Promise<boolean> {
  const beside = await writeBeside(path, content);
  try {
    await link(beside, path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    if (error instanceof Error && 'code' in error && NO_LINKS.has(String(error.code))) {
      return await createInPlace(path, content);
    }
    throw error;
  } finally {
    await rm(beside, { force: true });
  }
}

/** Puts new content in the place of an existing lock file, at once. */
export async function replaceLockFile(path: string, content: string): Promise<void> {
  const beside = await writeBeside(path, content);
  try {
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** The content, or undefined if there is no such file. */
export async function readLockFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function createInPlace(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(content).finally(() => file.close());
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function writeBeside(path: string, content: string): Promise<string> {
  const beside = `${path}.${randomUUID()}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(content);
    // Else a power cut can leave the name without the content.
    await file.sync();
  } finally {
    await file.close();
  }
  return beside;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
