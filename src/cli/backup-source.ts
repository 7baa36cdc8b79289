import { rmSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Keys } from '../archive/age.js';
import { fileSource } from '../commands/backup/file-source.js';
import type { BackupSource } from '../commands/backup/types.js';
import { UserError } from '../model/errors.js';
import { removeAbandoned } from './backup-rotation.js';
import { nothingPiped } from './environment.js';
import type { Io } from './io.js';
import { temporaryBeside } from './output.js';

/** A backup to read, and what has to be removed afterwards. */
export interface OpenedSource {
  source: BackupSource;
  close: () => Promise<void>;
}

/**
 * Opens a backup. `-` is copied into a temporary file in `spool` first: it is read twice, to prove all of it before the first row.
 * Throws ConfigError for what cannot be read, and for an encrypted file without its key.
 */
export async function openSource(
  named: string,
  keys: Keys | undefined,
  io: Io,
  spool: string,
): Promise<OpenedSource> {
  // Of a restore that was killed, it is a whole backup in the open. What cannot be removed there is none of ours, and no reason to stop.
  await removeAbandoned(spool, io.clock()).catch(() => undefined);
  if (named !== '-') {
    return { source: await fileSource(resolve(io.cwd, named), named, keys), close: () => Promise.resolve() };
  }
  if (io.stdinIsTTY) throw nothingPiped('`-` reads a backup', 'Pipe one into it, or name a file.');
  const spooled = await spoolInput(io, spool);
  try {
    return { source: await fileSource(spooled.path, '-', keys), close: spooled.remove };
  } catch (error) {
    await spooled.remove();
    throw error;
  }
}

async function spoolInput(io: Io, spool: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const made = await mkdir(spool, { recursive: true, mode: 0o700 });
  const path = temporaryBeside(join(spool, 'x'));
  const atExit = (): void => {
    rmSync(path, { force: true });
  };
  process.once('exit', atExit);
  const remove = async (): Promise<void> => {
    await rm(path, { force: true });
    if (made !== undefined) await rm(made, { recursive: false }).catch(() => undefined);
    process.off('exit', atExit);
  };
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      for await (const bytes of io.stdin) {
        if (bytes instanceof Uint8Array) await handle.writeFile(bytes);
      }
    } finally {
      await handle.close();
    }
    return { path, remove };
  } catch (error) {
    await remove();
    throw notCopied(dirname(path), error);
  }
}

function notCopied(directory: string, error: unknown): UserError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
  return new UserError(`Standard input could not be copied to ${directory} (${code}); it is read twice.`, {
    code: 'backup_unreadable',
    remedy: 'Free some space there, or give the backup as a file.',
    cause: error,
  });
}
