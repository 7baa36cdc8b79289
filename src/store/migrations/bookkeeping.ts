import type { Sql } from '../sql.js';

/** One row of Prisma's own table, as far as it matters here. */
export interface MigrationRecord {
  name: string;
  checksum: string;
  finishedAt: Date | null;
  rolledBackAt: Date | null;
}

/**
 * Prisma's lock number for `migrate deploy`. Taking the same one keeps the two from running at once; ours is held by the
 * transaction, so nothing can leave it behind.
 */
const PRISMA_MIGRATE_LOCK = 72_707_369;

/** Waits until no other process migrates this database; lasts until the transaction ends. */
export async function lockMigrations(tx: Sql): Promise<void> {
  await tx.execute(`select pg_advisory_xact_lock(${PRISMA_MIGRATE_LOCK})`);
}

/** Names of the tables, views and sequences in our schema; none if the schema does not exist. */
export async function readRelations(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(
    `select c.relname::text as name
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = current_schema() and c.relkind in ('r', 'p', 'v', 'm', 'f')`,
  );
  return new Set(rows.map((row) => text(row.name)));
}

/** The bookkeeping, oldest first. The table must exist. */
export async function readRecords(sql: Sql): Promise<MigrationRecord[]> {
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

/** Makes the schema and Prisma's table, column for column as Prisma makes it, where they are missing. */
export async function createBookkeeping(tx: Sql): Promise<void> {
  const [row] = await tx.query(
    `select current_schema()::text as schema, current_setting('search_path') as search_path`,
  );
  // The search path is the one quoted name that the connection was set to; without a schema of that name there is none.
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
