import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../../model/errors.js';
import type { Sql } from '../sql.js';

export interface MigrationStatus {
  /** In the order applied. */
  applied: { name: string; appliedAt: Date }[];
  /** In the order to apply. */
  pending: string[];
  /** Applied or started, but unknown to this version. */
  unknown: string[];
  /** Started by `prisma migrate deploy` and never finished. */
  failed: string[];
  /** Applied from a file with different content. */
  changed: string[];
  /** Tables with our names but no migration on record. */
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
 * Throws ConfigError (exit 2) for a database that this version must not touch: from a newer version, with a failed or
 * later edited migration, or with another program's tables.
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
          'They belong to another program. Use an empty database, or a separate schema: …/database?schema=wa_reconcile',
      },
    );
  }
  if (status.unknown.length > 0) {
    throw status.applied.length === 0
      ? new ConfigError(
          `The database ${location} is managed by another program's migrations: ${list(status.unknown)}.`,
          {
            code: 'database_foreign',
            remedy: 'Use an empty database, or a separate schema: …/database?schema=wa_reconcile',
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
    throw new ConfigError(`A migration did not finish on ${location}: ${list(status.failed)}.`, {
      code: 'migration_incomplete',
      remedy:
        'Check what it changed, then mark it: npx prisma migrate resolve --rolled-back NAME (undone) or --applied NAME (complete).',
    });
  }
  if (status.changed.length > 0) {
    throw new ConfigError(
      `The database ${location} was migrated with other files than this version's: ${list(status.changed)} ${status.changed.length === 1 ? 'has' : 'have'} a different checksum.`,
      {
        code: 'migration_changed',
        remedy: 'Install an unmodified release of wa-reconcile, or restore the original migration file.',
      },
    );
  }
}

/** Prisma accepts a file with line ends changed by a checkout, and so do we. */
function isChecksumOf(checksum: string, file: MigrationFile): boolean {
  const unix = file.script.replaceAll('\r\n', '\n');
  return [file.script, unix, unix.replaceAll('\n', '\r\n')].some((text) => checksumOf(text) === checksum);
}

/** The tables that these migrations make. */
export function ourTables(known: readonly MigrationFile[]): string[] {
  return unique(known.flatMap(tablesOf));
}

/** The views that these migrations make. */
export function ourViews(known: readonly MigrationFile[]): string[] {
  return unique(
    known.flatMap(({ script }) =>
      [...script.matchAll(/^\s*create\s+(?:or\s+replace\s+)?view\s+"?(\w+)"?/gim)].flatMap(
        (match) => match[1] ?? [],
      ),
    ),
  );
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

/** One row of Prisma's own table, as far as needed here. */
interface MigrationRecord {
  name: string;
  checksum: string;
  finishedAt: Date | null;
  rolledBackAt: Date | null;
}

/**
 * Prisma's lock number for `migrate deploy`. Sharing it keeps the two from running at once; ours is held by the
 * transaction, so it cannot be left behind.
 */
const PRISMA_MIGRATE_LOCK = 72_707_369;

/** Waits until no other process migrates this database; held until the transaction ends. */
export async function lockMigrations(tx: Sql): Promise<void> {
  await tx.execute(`select pg_advisory_xact_lock(${PRISMA_MIGRATE_LOCK})`);
}

/** Names of the tables, views and sequences in our schema; none if the schema does not exist. */
async function readRelations(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(
    `select c.relname::text as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = current_schema() and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
  );
  return new Set(rows.map((row) => text(row.name)));
}

/** The bookkeeping, oldest first. The table must exist. */
async function readRecords(sql: Sql): Promise<MigrationRecord[]> {
  const rows = await sql.query(
    `select migration_name::text as name, checksum::text as checksum, finished_at, rolled_back_at
       from _prisma_migrations order by started_at, migration_name`,
  );
  return rows.map((row) => ({
    name: text(row.name),
    checksum: text(row.checksum),
    finishedAt: row.finished_at instanceof Date ? row.finished_at : null,
    rolledBackAt: row.rolled_back_at instanceof Date ? row.rolled_back_at : null,
  }));
}

/** Creates the schema and Prisma's table, column for column as in Prisma, if missing. */
export async function createBookkeeping(tx: Sql): Promise<void> {
  const [row] = await tx.query(
    `select current_schema()::text as schema, current_setting('search_path') as search_path`,
  );
  // The search path is the one quoted name set on the connection; if that schema does not exist, there is none.
  if (row?.schema === null) await tx.execute(`create schema if not exists ${text(row.search_path)}`);
  await tx.execute(
    `create table if not exists _prisma_migrations (
       id                  varchar(36) primary key not null,
       checksum            varchar(64) not null,
       finished_at         timestamptz,
       migration_name      varchar(255) not null,
       logs                text,
       rolled_back_at      timestamptz,
       started_at          timestamptz not null default now(),
       applied_steps_count integer not null default 0
     )`,
  );
}

/** Records a migration that was applied in this transaction. */
export async function recordApplied(
  tx: Sql,
  id: string,
  migration: { name: string; checksum: string },
): Promise<void> {
  await tx.execute(
    `insert into _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     values ($1, $2, $3, now(), clock_timestamp(), 1)`,
    [id, migration.checksum, migration.name],
  );
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`the catalog gave ${typeof value} where text stands`);
  return value;
}

/** One directory of prisma/migrations. */
export interface MigrationFile {
  /** The directory's name: what `_prisma_migrations.migration_name` holds, and the order to apply in. */
  name: string;
  script: string;
  /** SHA-256 of the file, in hex, as Prisma computes it. */
  checksum: string;
}

/** Every migration that this version of the tool knows, in the order to apply. */
export async function readMigrations(directory = findDirectory()): Promise<MigrationFile[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const bytes = await readFile(join(directory, name, 'migration.sql'));
      return { name, script: bytes.toString('utf8'), checksum: checksumOf(bytes) };
    }),
  );
}

/** SHA-256 in hex. */
export function checksumOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** `prisma/migrations` is at the package root: three levels up from the source, four from `dist/src`. */
function findDirectory(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let parent = here; parent !== dirname(parent); parent = dirname(parent)) {
    const candidate = join(parent, 'prisma', 'migrations');
    if (existsSync(join(candidate, 'migration_lock.toml'))) return candidate;
  }
  throw new Error(`prisma/migrations is missing from the installed package (looked upwards from ${here})`);
}
