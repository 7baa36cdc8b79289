import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../model/errors.js';
import type { Advices } from '../model/remedy.js';
import { translateDatabaseError } from '../store/database-errors.js';
import { acquireRunLock, type RunLock, type RunLockOptions } from '../store/locks/run-lock.js';
import { readMigrations, assertMigratable, type MigrationStatus } from '../store/migrations/status.js';
import { assertMigrated, migrate, migrationStatus } from '../store/migrations/migrate.js';
import { redactUrl } from '../store/database-url.js';
import { openStore, type DatabaseConfig, type OpenStoreOptions } from '../store/open-store.js';
import type { Store } from '../store/store.js';
import type { Context } from '../context.js';

export type { DatabaseConfig } from '../store/open-store.js';

/** Whether work needs the lock of a run. */
export interface RunLockChoice extends Omit<RunLockOptions, 'mode'> {
  /**
   * Work that must exclude, or know of, other runs: see RunLockOptions. Absent for work that only reads or adds a row.
   */
  lock?: RunLockOptions['mode'] | undefined;
  /** How long a pooler may take to give a second connection, in milliseconds (default: 15 s). */
  poolerWaitMs?: number;
}

export interface DatabaseOptions extends OpenStoreOptions, RunLockChoice {
  /** The tables may be outdated: for the commands that migrate them. */
  unmigrated?: boolean | undefined;
}

/**
 * Opens the database for the duration of `work`, under the lock that it needs, and always closes it. Throws UserError
 * for every database failure the user can meet: unreachable, locked, full, not migrated.
 */
export async function withDatabase<T>(
  config: DatabaseConfig,
  options: DatabaseOptions,
  work: (store: Store, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const store = await openStore(config, options);
  try {
    if (options.unmigrated !== true) await assertMigrated(store);
    return await withRunLock(store, config, options, (signal) => work(store, signal));
  } catch (error) {
    throw translateDatabaseError(error, store.location) ?? error;
  } finally {
    await store.close();
  }
}

/**
 * Does `work` on an open database under the lock that it needs. Its signal also aborts when the lock is lost: exclusive
 * work may have begun elsewhere. Throws LockedError when another run holds or has taken the lock, and UserError for
 * what the database refuses.
 */
export async function withRunLock<T>(
  store: Store,
  config: DatabaseConfig,
  options: RunLockChoice,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  let lock: RunLock | undefined;
  try {
    if (options.lock !== undefined) {
      lock = await acquireRunLock(config, { ...options, mode: options.lock });
      if (store.pooled) await assertAnotherConnection(store, options.poolerWaitMs ?? POOLER_WAIT_MS);
    }
    const { signal = new AbortController().signal } = options;
    if (lock === undefined) return await work(signal);
    const result = await work(AbortSignal.any([signal, lock.lost]));
    lock.assertHeld();
    return result;
  } catch (error) {
    throw translateDatabaseError(error, store.location) ?? error;
  } finally {
    await lock?.release();
  }
}

/** Longer than a busy pooler usually makes its clients wait. */
const POOLER_WAIT_MS = 15_000;

/** The lock keeps one pooler connection for itself: if the pooler has no other, every statement would wait forever. */
async function assertAnotherConnection(store: Store, waitMs: number): Promise<void> {
  const timeout = new AbortController();
  const answered = store.sql.query('select 1').finally(() => {
    timeout.abort();
  });
  // Answered after the lock is released; nothing waits for it then.
  answered.catch(() => undefined);
  const isLate = delay(waitMs, true, { signal: timeout.signal }).catch(() => false);
  if (await Promise.race([answered.then(() => false), isLate]))
    throw new UserError(
      `The connection pooler at ${store.location} gave no second connection within ${waitMs / 1000} s.`,
      {
        code: 'database_pooler_exhausted',
        remedy:
          'A run needs up to four connections at a time: raise the pool size, or set DIRECT_URL to the server itself.',
      },
    );
}

/** The embedded database of a home. */
export function embeddedIn(home: string): DatabaseConfig {
  return { kind: 'pglite', directory: join(home, 'database') };
}

export interface MigrateResult {
  schemaVersion: 1;
  command: 'db migrate';
  database: string;
  /** Names of the migrations that this call applied. */
  applied: string[];
}

export interface DatabaseStatus {
  schemaVersion: 1;
  command: 'db status';
  backend: Store['backend'];
  database: string;
  /** False for an embedded database that has never been used. */
  exists: boolean;
  upToDate: boolean;
  applied: { name: string; appliedAt: string }[];
  pending: string[];
  /** Why this version must not touch the database; absent if it may. */
  problem?: { code: string; message: string; remedy?: Advices };
}

/** Applies what is pending. Several processes may do so at once. */
export async function migrateDatabase(ctx: Context): Promise<MigrateResult> {
  const { applied } = await migrate(ctx.store);
  return { schemaVersion: 1, command: 'db migrate', database: ctx.store.location, applied };
}

/** What is applied and what is pending; changes nothing. */
export async function databaseStatus(ctx: Context): Promise<DatabaseStatus> {
  const status = await migrationStatus(ctx.store);
  const problem = problemOf(status, ctx.store.location);
  return {
    schemaVersion: 1,
    command: 'db status',
    backend: ctx.store.backend,
    database: ctx.store.location,
    exists: true,
    upToDate: problem === undefined && status.pending.length === 0,
    applied: status.applied.map(({ name, appliedAt }) => ({ name, appliedAt: appliedAt.toISOString() })),
    pending: status.pending,
    ...(problem === undefined ? {} : { problem }),
  };
}

function problemOf(status: MigrationStatus, location: string): DatabaseStatus['problem'] {
  try {
    assertMigratable(status, location);
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, remedy } = error;
    return { code, message, ...(remedy === undefined ? {} : { remedy }) };
  }
}

/** The status if no database exists, with a `problem` that says so: asking must not create one. */
export async function statusOfMissingDatabase(
  directory: string,
  { code, message, remedy }: UserError,
): Promise<DatabaseStatus> {
  return {
    schemaVersion: 1,
    command: 'db status',
    backend: 'pglite',
    database: directory,
    exists: false,
    upToDate: false,
    applied: [],
    pending: (await readMigrations()).map(({ name }) => name),
    problem: { code, message, ...(remedy === undefined ? {} : { remedy }) },
  };
}

/** Where a database is stored, without secrets: safe for logs and screens. */
export function redactDatabase(config: DatabaseConfig): string {
  return config.kind === 'pglite' ? config.directory : redactUrl(config.url);
}

/** The version of the tables: the newest migration that this version of the tool knows. */
export async function newestMigration(): Promise<string | undefined> {
  return (await readMigrations()).at(-1)?.name;
}
