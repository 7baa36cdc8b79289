import type { ServerConfig } from './backends/postgresql-access.js';
import type { FreeBytes } from './backends/embedded-place.js';
import type { Store } from './store.js';

/** Which database to use. */
export type DatabaseConfig = ({ kind: 'postgresql' } & ServerConfig) | { kind: 'pglite'; directory: string };

export interface OpenStoreOptions {
  /** The command, for the embedded database's lock: shown to a process that finds it locked. */
  command: string;
  host: string;
  pid: number;
  /** How long to wait for another process to release the embedded database, in milliseconds (default 0). */
  waitMs?: number;
  /** Aborts that wait. */
  signal?: AbortSignal;
  /**
   * Embedded only: create a missing database. Otherwise a missing one is an error (`database_missing`) and nothing is
   * left behind: a command that reads an empty database of its own making would find everything in order.
   */
  creates?: boolean | undefined;
  /** Embedded only: keep a new database that is still empty; otherwise it is removed on close. */
  keepsBlank?: boolean | undefined;
  /** Embedded only: leave the tables unchanged, even if migrations are pending: for read-only commands. */
  asItIs?: boolean;
  /** Embedded only: how much space the disk has left; default: asks the system. */
  freeBytes?: FreeBytes;
  /** PostgreSQL only: maximum connections. */
  poolSize?: number;
}

/**
 * Opens the database. Migrates the embedded one; leaves a PostgreSQL unchanged (`db migrate`).
 * `pg` and PGlite are loaded only here, so that `--help` stays fast.
 *
 * Throws UserError with a remedy if it cannot be opened, LockedError when another process has the embedded one open.
 */
export async function openStore(config: DatabaseConfig, options: OpenStoreOptions): Promise<Store> {
  switch (config.kind) {
    case 'postgresql': {
      const { openPostgresqlStore } = await import('./backends/postgresql.js');
      return openPostgresqlStore(config, options);
    }
    case 'pglite': {
      const { openPgliteDirectory } = await import('./backends/pglite-directory.js');
      return openPgliteDirectory(config.directory, options);
    }
  }
}
