import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '../../graph/retries.js';
import { ConfigError, UserError } from '../../model/errors.js';

/** Larger than any file that WhatsApp accepts: a response without a size must end. */
const LARGEST_FILE = 150 * 1024 * 1024;

/** Files in progress. */
const INCOMING = '.incoming';

/** A file that does not match its announcement. */
export class FileMismatch extends Error {}

export interface KeptFile {
  /** In hexadecimal. */
  sha256: string;
  size: number;
  path: string;
}

export interface Announced {
  /** In hexadecimal; from the webhook and Meta's answer. */
  hashes: readonly string[];
  size: number | null;
  mimeType: string | null;
}

/**
 * Writes a file under a temporary name, and renames it once it is complete, matches its announcement, and is on disk: a
 * final name never stands for half a file. `fill` gets a function that takes the pieces. Throws FileMismatch.
 */
export async function keepFile(
  directory: string,
  temporary: string,
  announced: Announced,
  fill: (take: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<KeptFile> {
  const { hashes, size: expected, mimeType } = announced;
  const incoming = join(directory, INCOMING, `${temporary}.part`);
  const limit = expected ?? LARGEST_FILE;
  try {
    const hash = createHash('sha256');
    let size = 0;
    await makeOne(join(directory, INCOMING));
    const file = await open(incoming, 'w', 0o600);
    try {
      await fill(async (chunk) => {
        size += chunk.byteLength;
        if (size > limit) throw new FileMismatch(`more than the ${limit} bytes that were announced`);
        hash.update(chunk);
        await file.writeFile(chunk);
      });
      await file.sync();
    } finally {
      await file.close();
    }
    const sha256 = hash.digest('hex');
    if (expected !== null && size !== expected)
      throw new FileMismatch(`${size} bytes instead of the ${expected} that were announced`);
    if (hashes.some((wanted) => wanted !== sha256))
      throw new FileMismatch('its SHA-256 is not the one that was announced');
    const path = pathOf(directory, sha256, mimeType);
    await makeOne(join(directory, sha256.slice(0, 2)));
    await rename(incoming, path);
    await syncDirectory(join(directory, sha256.slice(0, 2)));
    return { sha256, size, path };
  } catch (error) {
    await rm(incoming, { force: true }).catch(() => undefined);
    throw diskError(error, directory) ?? error;
  }
}

/**
 * Makes the directory for the files, where it is missing. Throws ConfigError where no directory can be, UserError where
 * this user may write none.
 */
export async function makeDirectory(directory: string): Promise<void> {
  try {
    await makeAll(directory);
  } catch (error) {
    const code = codeOf(error);
    if (code !== undefined && NO_PLACE.has(code)) {
      throw new ConfigError(`No directory can be made at ${directory} (${code}).`, {
        code: 'media_directory',
        remedy: 'Name another directory with --to.',
        inProgram: 'Name another directory in the option to.',
        cause: error,
      });
    }
    throw diskError(error, directory) ?? error;
  }
}

/** What is in the way is not the disk's fault: a file, or a place such as /proc. */
const NO_PLACE = new Set(['ENOENT', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'ELOOP']);

/** Step by step: Node's own recursive `mkdir` never ends below /proc. */
async function makeAll(directory: string): Promise<void> {
  const parent = dirname(directory);
  if (parent !== directory && (await stat(directory).catch(() => null)) === null) await makeAll(parent);
  await makeOne(directory);
}

async function makeOne(directory: string): Promise<void> {
  if ((await stat(directory).catch(() => null))?.isDirectory() === true) return;
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    // Another run may have made it meanwhile.
    if (codeOf(error) !== 'EEXIST' || !(await stat(directory)).isDirectory()) throw error;
  }
}

/** An existing file with the same bytes, which are read: its name alone does not prove them. Null if there is none. */
export async function findKept(
  directory: string,
  sha256: string,
  mimeType: string | null,
): Promise<KeptFile | null> {
  const path = pathOf(directory, sha256, mimeType);
  const found = await stat(path).catch(() => null);
  if (found?.isFile() !== true || (await hashOf(path)) !== sha256) return null;
  return { sha256, size: found.size, path };
}

/** The SHA-256 of a file, in hexadecimal. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Removes leftovers of a crashed run. `prefix`: the temporary names that belong to the caller. */
export async function removeUnfinished(directory: string, prefix: string): Promise<void> {
  const names = await readdir(join(directory, INCOMING)).catch(() => []);
  for (const name of names)
    if (name.startsWith(prefix)) await rm(join(directory, INCOMING, name), { force: true });
}

function pathOf(directory: string, sha256: string, mimeType: string | null): string {
  return join(directory, sha256.slice(0, 2), `${sha256}.${extensionOf(mimeType)}`);
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'audio/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'audio/amr': 'amr',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
};

/** By type, never by the sender's file name. */
function extensionOf(mimeType: string | null): string {
  const plain = mimeType?.split(';')[0]?.trim().toLowerCase() ?? '';
  return EXTENSIONS[plain] ?? 'bin';
}

/** Converts a hash from a webhook (base64) or Meta's answer (hexadecimal) to hexadecimal; null if it is neither. */
export function hexOf(hash: string | null | undefined): string | null {
  if (hash === null || hash === undefined) return null;
  if (/^[0-9a-f]{64}$/i.test(hash)) return hash.toLowerCase();
  const bytes = Buffer.from(hash, 'base64');
  return bytes.byteLength === 32 ? bytes.toString('hex') : null;
}

/** A rename is on disk once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const DISK = new Set([
  'ENOENT',
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EEXIST',
  'EIO',
  'EFBIG',
]);

function diskError(error: unknown, directory: string): UserError | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  if (typeof error.code !== 'string' || !DISK.has(error.code)) return null;
  return new UserError(`No file can be written in ${directory} (${error.code}).`, {
    code: 'media_directory',
    remedy:
      'Make room, or name another directory with --to, then run the command again: it goes on where it stopped.',
    inProgram:
      'Make room, or name another directory in the option to, then call again: it goes on where it stopped.',
    cause: error,
  });
}
