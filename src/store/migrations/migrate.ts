import { randomUUID } from 'node:crypto';
import { remedy } from '../../model/remedy.js';
import { ConfigError, UserError } from '../../model/errors.js';
import type { Sql } from '../sql.js';
import { sqlState } from '../sql-state.js';
import type { Store } from '../store.js';
import { createBookkeeping, lockMigrations, recordApplied } from './bookkeeping.js';
import { readMigrations, type MigrationFile } from './files.js';
import { splitStatements } from './split-statements.js';
import { assertMigratable, readStatus, type MigrationStatus } from './status.js';

/** What the database says about its migrations; changes nothing. */
export async function migrationStatus(store: Store): Promise<MigrationStatus> {
  return readStatus(store.sql, await readMigrations());
}

/**
 * Applies what is pending, each file in a transaction of its own, and gives the names applied. Any number of processes may
 * call it at once. Throws UserError when the database is not one that this version may change (see {@link assertMigratable}).
 */
export async function migrate(store: Store): Promise<{ applied: string[] }> {
  return applyMigrations(store, await readMigrations());
}

/** {@link migrate}, with the migrations given. */
export async function applyMigrations(store: Store, known: MigrationFile[]): Promise<{ applied: string[] }> {
  const status = await readStatus(store.sql, known);
  assertMigratable(status, store.location);
  const applied: string[] = [];
  for (const name of status.pending) {
    const migration = known.find((file) => file.name === name);
    if (migration !== undefined && (await applyOne(store, migration, known))) applied.push(name);
  }
  return { applied };
}

/**
 * Throws UserError `migrations_pending` unless every migration is applied, and whatever {@link assertMigratable} throws.
 * Every command that reads or writes calls it first: otherwise the first missing column would be the message.
 */
export async function assertMigrated(store: Store): Promise<void> {
  const status = await migrationStatus(store);
  assertMigratable(status, store.location);
  if (status.pending.length === 0) return;
  throw new ConfigError(
    status.applied.length === 0
      ? `The database ${store.location} is empty: its tables have not been created yet.`
      : `The database ${store.location} is older than this version: ${status.pending.length} ${status.pending.length === 1 ? 'migration is' : 'migrations are'} pending (${status.pending.join(', ')}).`,
    { code: 'migrations_pending', remedy: remedy('db migrate', [], 'brings it up to date') },
  );
}

/** Gives false if another process applied it first. */
async function applyOne(store: Store, migration: MigrationFile, known: MigrationFile[]): Promise<boolean> {
  return store.transaction(async (tx) => {
    await lockMigrations(tx);
    await createBookkeeping(tx);
    // Read again under the lock: what we saw before waiting for it is history.
    const status = await readStatus(tx, known);
    assertMigratable(status, store.location);
    if (!status.pending.includes(migration.name)) return false;
    await runScript(tx, migration);
    await recordApplied(tx, randomUUID(), migration);
    return true;
  });
}

async function runScript(tx: Sql, migration: MigrationFile): Promise<void> {
  for (const statement of splitStatements(migration.script)) {
    try {
      await tx.execute(statement);
    } catch (error) {
      if (error instanceof UserError || sqlState(error) === undefined) throw error;
      throw new UserError(
        `Migration ${migration.name} failed and was rolled back (SQLSTATE ${sqlState(error) ?? 'unknown'}) at: ${firstLine(statement)}`,
        {
          code: 'migration_failed',
          remedy:
            'The database is as it was before. Something in it stands in the way; --debug shows what the server said.',
          cause: error,
        },
      );
    }
  }
}

function firstLine(statement: string): string {
  const line = statement.split('\n').find((text) => text.trim() !== '' && !text.trimStart().startsWith('--'));
  return line?.trim() ?? '';
}
