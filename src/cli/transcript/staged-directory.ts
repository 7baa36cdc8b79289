import { access, constants, mkdir, open, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ConfigError } from '../../model/errors.js';
import type { Io } from '../io.js';
import { temporaryBeside, writeFailed } from '../output.js';

/** A directory that appears whole or not at all, and that nobody else may read. */
export interface StagedDirectory {
  /** Where it is filled. */
  path: string;
  /** Where it will be. */
  target: string;
  finish: () => Promise<void>;
  /** Leaves no trace. Harmless after `finish`. */
  discard: () => Promise<void>;
}

/** Throws ConfigError where something is already, or nothing can be written. */
export async function stageDirectory(named: string, io: Pick<Io, 'cwd'>): Promise<StagedDirectory> {
  const absolute = resolve(io.cwd, named);
  const target = await realpath(absolute).catch(() => absolute);
  const there = await readdir(target).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new ConfigError(`-o ${named}: this is not a directory that can be written to.`, { cause: error });
  });
  if (there !== undefined && there.length > 0) {
    throw new ConfigError(`-o ${named}: this directory is not empty.`, {
      code: 'output_not_empty',
      remedy: 'Name a new or an empty one: what is in it must be one export.',
    });
  }
  const parent = dirname(target);
  await access(parent, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw new ConfigError(`-o ${named}: ${parent} does not exist or cannot be written to.`, {
      remedy: 'Create it, or name another place.',
      cause: error,
    });
  });
  const path = temporaryBeside(target);
  await mkdir(path, { mode: 0o700 });
  let isFinished = false;
  return {
    path,
    target,
    finish: async () => {
      try {
        await syncDirectory(path);
        // A rename replaces an empty directory on some systems only.
        if (there !== undefined) await rmdir(target);
        await rename(path, target);
        await syncDirectory(parent);
      } catch (error) {
        throw writeFailed(target, error);
      }
      isFinished = true;
    },
    discard: async () => {
      if (!isFinished) await rm(path, { recursive: true, force: true });
    },
  };
}

/** A new name is on the disk once its directory is. */
async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directory.
  const directory = await open(path, 'r').catch(() => undefined);
  await directory?.sync().catch(() => undefined);
  await directory?.close();
}
