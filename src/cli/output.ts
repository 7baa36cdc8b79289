import { randomUUID } from 'node:crypto';
import { access, constants, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { ConfigError, UserError } from '../model/errors.js';
import type { Io } from './io.js';

/** Where a result goes: stdout, or a file that appears whole or not at all. */
export interface Output {
  /** Absent for stdout. */
  file?: string;
  write: (text: string) => Promise<void>;
}

/**
 * Checks before the work that the result can be written after it: an hour's run must not end in "no such directory".
 * Throws ConfigError, which names the flag, when it cannot.
 */
export async function prepareOutput(target: string | undefined, io: Io, flag = '-o'): Promise<Output> {
  if (target === undefined || target === '-') {
    return { write: (text) => writeAll(io.stdout, text) };
  }
  const { file, isDevice } = await findPlace(flag, target, io);
  return { file, write: isDevice ? (text) => writeFile(file, text) : (text) => replaceFile(file, text) };
}

/** Where a file that an option names is to be written. */
export interface Place {
  file: string;
  /** A pipe or a device such as /dev/null, which must be written to and never replaced. */
  isDevice: boolean;
}

/** Looks at the place before the work. Throws ConfigError, which names the option, where nothing can be written. */
export async function findPlace(flag: string, target: string, io: Pick<Io, 'cwd'>): Promise<Place> {
  const named = resolve(io.cwd, target);
  // Through a symbolic link, so that the link stays and what it names is replaced.
  const file = await realpath(named).catch(() => named);
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory() === true) {
    throw new ConfigError(`${flag} ${target}: this is a directory.`, { remedy: 'Name a file in it.' });
  }
  if (there?.isFile() === false) return { file, isDevice: true };
  try {
    await access(dirname(file), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ConfigError(`${flag} ${target}: ${dirname(file)} does not exist or cannot be written to.`, {
      remedy: 'Create it, or name another place.',
      cause: error,
    });
  }
  return { file, isDevice: false };
}

/**
 * Writes all of `text` and waits until it is flushed, so that an exit cuts nothing off. A closed reader (`| head`) has
 * all it needs: that is not an error.
 */
export function writeAll(stream: Writable, text: string): Promise<void> {
  return new Promise((fulfil, reject) => {
    if (stream.destroyed || text === '') {
      fulfil();
      return;
    }
    stream.write(text, (error) => {
      if (error === null || error === undefined || isClosedPipe(error)) fulfil();
      else reject(writeFailed('the output', error));
    });
  });
}

/** True for the error of a reader that went away. */
export function isClosedPipe(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED')
  );
}

/** A reader of the file sees the old text or the new one, never half of it. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = temporaryBeside(file);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeFailed(file, error);
  }
}

/** In the same directory: a rename across file systems would be a copy, of which a reader could see half. */
export function temporaryBeside(file: string): string {
  return join(dirname(file), `.wa-reconcile-${randomUUID()}.tmp`);
}

export function writeFailed(place: string, error: unknown): UserError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
  return new UserError(`The result could not be written to ${place} (${code}).`, {
    remedy: 'The work itself is done and stored; only its report is missing.',
    code: 'output_failed',
    cause: error,
  });
}
