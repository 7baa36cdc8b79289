import { Damage } from '../../archive/damage.js';
import { FORMAT, HEADER_NAME } from '../../archive/format.js';
import { checkArchive, peekHeader, type CheckedArchive } from '../../archive/read-archive.js';
import { ConfigError, UserError } from '../../model/errors.js';
import { figuresOf } from './figures.js';
import type { BackupSource, CheckResult } from './types.js';

/** Proves a backup without a database: every byte, and every row counted. Throws UserError that names what is damaged. */
export async function checkBackup(source: BackupSource, read?: (size: number) => void): Promise<CheckResult> {
  const archive = await openArchive(source, { deep: true, ...(read === undefined ? {} : { read }) });
  return {
    schemaVersion: 1,
    command: 'backup --check',
    file: source.place,
    bytes: source.size,
    encrypted: source.isEncrypted,
    ...figuresOf(archive),
  };
}

/** Proves a backup's bytes. Throws ConfigError for the file of a newer version, and UserError for a damaged one. */
export async function openArchive(
  source: BackupSource,
  options: Parameters<typeof checkArchive>[1] = {},
): Promise<CheckedArchive> {
  try {
    const archive = await checkArchive(source.open(), options);
    if (archive.header.format > FORMAT) throw newerFormat(source, archive.header);
    return archive;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    // A newer format may look damaged to this version. Its own header, if that is sound, says so.
    const header =
      error.part === HEADER_NAME ? undefined : await peekHeader(source.open()).catch(() => undefined);
    if (header !== undefined && header.format > FORMAT) throw newerFormat(source, header);
    throw damaged(source.place, error);
  }
}

function newerFormat(source: BackupSource, { format, tool }: { format: number; tool: string }): ConfigError {
  return new ConfigError(
    `${source.place} is in format ${format} of backups, which is newer than what this version reads (up to ${FORMAT}). A build of wa-reconcile ${tool} wrote it.`,
    // That build may call itself what this one does.
    {
      code: 'backup_newer',
      remedy: `Use a newer version of wa-reconcile than this one, or the build that wrote the file.`,
    },
  );
}

/** What the user is told about a file that is not what was written. */
export function damaged(place: string, { part, how }: Damage): UserError {
  return new UserError(`The backup ${place} is damaged: ${part}: ${how}.`, {
    code: 'backup_damaged',
    remedy: 'No part of it is restored. Copy the file again from where it was made, or use another backup.',
  });
}
