import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { lstat, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { BackupTarget } from '../commands/backup/types.js';
import { ConfigError, UserError } from '../model/errors.js';
import { removeAbandoned, rotate, type BackupNames } from './backup-rotation.js';
import type { Io } from './io.js';
import { findPlace, isClosedPipe, temporaryBeside } from './output.js';

/** A target, and the older backups that gave way to it. */
export interface NamedTarget extends BackupTarget {
  removed: readonly string[];
  /** Backups in the directory with a later time in their names. */
  later: readonly string[];
  /** What backups have left in the directory that were killed while they wrote. */
  abandoned: readonly string[];
}

export interface TargetOptions {
  /** Overwrites a file. */
  force: boolean;
  /** Of a directory: so many of the newest stay. */
  keep: number | undefined;
  isEncrypted: boolean;
  /** What a file in a directory is called, and which ones `keep` counts. */
  names: BackupNames;
}

/**
 * Looks, before the work, at the place that was named: a file, a directory for one of many, or `-`. Throws ConfigError where
 * nothing can be written, or where a file would be overwritten.
 */
export async function openTarget(named: string, options: TargetOptions, io: Io): Promise<NamedTarget> {
  const { force, keep, isEncrypted, names } = options;
  const isDirectory = named.endsWith('/') || (await lstatOf(resolve(io.cwd, named)))?.isDirectory() === true;
  if (keep !== undefined && !isDirectory) {
    throw new ConfigError(`--keep ${keep}: ${named} is no directory.`, {
      remedy: 'It rotates the backups in a directory: name one.',
    });
  }
  if (named === '-') return toStream(io);
  const target = isDirectory ? join(named, names.nameAt(io.clock(), isEncrypted)) : named;
  const { file, isDevice } = await findPlace('backup', target, io);
  if (isDevice) return toFile(file, file);
  if (!force && (await lstatOf(file)) !== undefined) {
    throw new ConfigError(`${target} exists; a backup overwrites nothing.`, {
      code: 'backup_exists',
      remedy: 'Name another file, give --force to replace it, or name a directory with --keep 14.',
    });
  }
  if (!isDirectory) return toFile(file, temporaryBeside(file));
  const abandoned = await removeAbandoned(dirname(file), io.clock());
  return toFile(file, temporaryBeside(file), { rotation: { names, keep }, abandoned });
}

async function lstatOf(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  return lstat(path).catch(() => undefined);
}

function toStream({ stdout, stdoutIsTTY }: Pick<Io, 'stdout' | 'stdoutIsTTY'>): NamedTarget {
  if (stdoutIsTTY) {
    throw new ConfigError('A backup is not for a terminal.', {
      code: 'stdout_is_terminal',
      remedy: 'Redirect it into a file or another program, or name a file.',
    });
  }
  return {
    place: '-',
    removed: [],
    later: [],
    abandoned: [],
    write: (bytes) => writeTo(stdout, bytes),
    finish: () => Promise.resolve(),
    discard: () => Promise.resolve(),
  };
}

/** Unlike a report, half a backup is worth nothing to a reader that went away. */
function writeTo(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((fulfil, reject) => {
    stream.write(bytes, (error) => {
      if (error === null || error === undefined) fulfil();
      else reject(notWritten('standard output', error));
    });
  });
}

async function toFile(
  file: string,
  written: string,
  {
    rotation,
    abandoned = [],
  }: {
    rotation?: { names: BackupNames; keep: number | undefined };
    abandoned?: readonly string[];
  } = {},
): Promise<NamedTarget> {
  const isDevice = file === written;
  const handle = await open(written, isDevice ? 'w' : 'wx', 0o600).catch((error: unknown) => {
    throw notWritten(file, error);
  });
  const digest = createHash('sha256');
  const removed: string[] = [];
  const later: string[] = [];
  let isOpen = true;
  let isNamed = isDevice;
  // A second signal ends the process in the middle of anything.
  const atExit = (): void => {
    if (!isNamed) rmSync(written, { force: true });
  };
  process.once('exit', atExit);
  const close = async (): Promise<void> => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  return {
    place: file,
    removed,
    later,
    abandoned,
    write: async (bytes) => {
      digest.update(bytes);
      await writeAllOf(handle, bytes, file);
    },
    finish: async ({ isDoubtful }) => {
      try {
        if (!isDevice) await handle.sync();
        await close();
        if (!isDevice) {
          await assertSame(written, digest.digest('hex'));
          await rename(written, file);
          isNamed = true;
          await syncDirectory(dirname(file));
        }
      } catch (error) {
        throw error instanceof UserError ? error : notWritten(file, error);
      }
      if (rotation !== undefined) {
        const rotated = await rotate(
          dirname(file),
          basename(file),
          isDoubtful ? { ...rotation, keep: undefined } : rotation,
        );
        removed.push(...rotated.removed);
        later.push(...rotated.later);
      }
      process.off('exit', atExit);
    },
    discard: async () => {
      await close().catch(() => undefined);
      if (!isNamed) await rm(written, { force: true });
      process.off('exit', atExit);
    },
  };
}

/** One write may take fewer bytes than it was given. */
async function writeAllOf(handle: FileHandle, bytes: Uint8Array, file: string): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
  } catch (error) {
    throw notWritten(file, error);
  }
}

/** What is on the disk is what was written, before an older backup gives way to it. */
async function assertSame(path: string, written: string): Promise<void> {
  const handle = await open(path, 'r');
  const digest = createHash('sha256');
  for await (const bytes of handle.createReadStream({ highWaterMark: 1024 * 1024 })) {
    if (bytes instanceof Uint8Array) digest.update(bytes);
  }
  if (digest.digest('hex') === written) return;
  throw new UserError(`${path} does not hold what was written to it.`, {
    code: 'backup_failed',
    remedy: 'Check the disk, or write the backup to another one.',
  });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  // Some file systems cannot; the rename is on its way then as any other.
  await handle.sync().catch(() => undefined);
  await handle.close();
}

function notWritten(place: string, error: unknown): UserError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
  const why = code === 'ENOSPC' ? 'the disk is full' : isClosedPipe(error) ? 'its reader went away' : code;
  return new UserError(`The backup could not be written to ${place}: ${why}.`, {
    code: 'backup_failed',
    remedy: 'Nothing of it is left. No data in the database changed.',
    cause: error,
  });
}
