import { ConfigError } from '../../model/errors.js';
import type { Sql } from '../sql.js';
import { readRecords, readRelations, type MigrationRecord } from './bookkeeping.js';
import { checksumOf, type MigrationFile } from './files.js';

export interface MigrationStatus {
  /** In the order in which they were applied. */
  applied: { name: string; appliedAt: Date }[];
  /** In the order in which they are to be applied. */
  pending: string[];
  /** Applied or begun, but not among the files of this version. */
  unknown: string[];
  /** Begun by `prisma migrate deploy` and never finished. */
  failed: string[];
  /** Applied from a file that read differently. */
  changed: string[];
  /** Tables with our names that no migration on record has made. */
  foreignTables: string[];
}

/** Compares the bookkeeping with the files; changes nothing. */
export async function readStatus(sql: Sql, known: readonly MigrationFile[]): Promise<MigrationStatus> {
  const relations = await readRelations(sql);
  const records = relations.has('_prisma_migrations') ? await readRecords(sql) : [];
  return compare(
    relations,
    records.filter((record) => record.rolledBackAt === null),
    known,
  );
}

function compare(
  relations: ReadonlySet<string>,
  records: readonly MigrationRecord[],
  known: readonly MigrationFile[],
): MigrationStatus {
  const files = new Map(known.map((file) => [file.name, file]));
  const done = new Set(records.filter((record) => record.finishedAt !== null).map((record) => record.name));
  const applied: MigrationStatus['applied'] = [];
  const changed: string[] = [];
  for (const record of records) {
    const file = files.get(record.name);
    if (file === undefined || record.finishedAt === null) continue;
    applied.push({ name: record.name, appliedAt: record.finishedAt });
    if (!isChecksumOf(record.checksum, file)) changed.push(record.name);
  }
  return {
    applied,
    pending: known.map((file) => file.name).filter((name) => !done.has(name)),
    unknown: unique(records.map((record) => record.name).filter((name) => !files.has(name))),
    failed: unique(
      records.filter((record) => record.finishedAt === null && !done.has(record.name)).map((r) => r.name),
    ),
    changed,
    foreignTables: records.length > 0 ? [] : known.flatMap(tablesOf).filter((name) => relations.has(name)),
  };
}

/**
 * Throws ConfigError (exit 2) for a database that this version must not touch: one of a newer version, one with a migration
 * that failed or was edited afterwards, or one whose tables are another program's.
 *
 * @param location the database, without secrets, for the message.
 */
export function assertMigratable(status: MigrationStatus, location: string): void {
  if (status.foreignTables.length > 0) {
    throw new ConfigError(
      `The database ${location} already has tables of the same names that wa-reconcile did not make: ${list(status.foreignTables)}.`,
      {
        code: 'database_foreign',
        remedy:
          'They belong to another program. Give an empty database, or a schema of its own: …/database?schema=wa_reconcile',
      },
    );
  }
  if (status.unknown.length > 0) {
    throw status.applied.length === 0
      ? new ConfigError(
          `The database ${location} is kept by another program's migrations: ${list(status.unknown)}.`,
          {
            code: 'database_foreign',
            remedy: 'Give an empty database, or a schema of its own: …/database?schema=wa_reconcile',
          },
        )
      : new ConfigError(
          `The database ${location} is newer than this version of wa-reconcile: it has ${list(status.unknown)}.`,
          {
            code: 'database_newer',
            remedy: 'Upgrade wa-reconcile to the version that migrated it, or to a newer one.',
          },
        );
  }
  if (status.failed.length > 0) {
    throw new ConfigError(`A migration began and never finished on ${location}: ${list(status.failed)}.`, {
      code: 'migration_incomplete',
      remedy:
        'See what it left behind, then say so: npx prisma migrate resolve --rolled-back NAME (undone) or --applied NAME (complete).',
    });
  }
  if (status.changed.length > 0) {
    throw new ConfigError(
      `The database ${location} was made by other files than this version's: ${list(status.changed)} ${status.changed.length === 1 ? 'has' : 'have'} another checksum.`,
      {
        code: 'migration_changed',
        remedy: 'Install an unmodified release of wa-reconcile, or restore the migration file as it was.',
      },
    );
  }
}

/** Prisma accepts a file whose line ends were changed by a checkout, and so do we. */
function isChecksumOf(checksum: string, file: MigrationFile): boolean {
  const unix = file.script.replaceAll('\r\n', '\n');
  return [file.script, unix, unix.replaceAll('\n', '\r\n')].some((text) => checksumOf(text) === checksum);
}

function tablesOf(file: MigrationFile): string[] {
  const matches = file.script.matchAll(/^\s*create\s+table\s+(?:if\s+not\s+exists\s+)?"?(\w+)"?/gim);
  return [...matches].flatMap((match) => match[1] ?? []);
}

function unique(names: string[]): string[] {
  return [...new Set(names)];
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
