import type { ServerConfig } from './backends/postgresql-access.js';
import type { FreeBytes } from './backends/embedded-place.js';
import type { Store } from './store.js';

/** Which database to use. */
export type DatabaseConfig = ({ kind: 'postgresql' } & ServerConfig) | { kind: 'pglite'; directory: string };

export interface OpenStoreOptions {
  /** The command, for the lock of the embedded database: it is shown to a process that finds it locked. */
  command: string;
  host: string;
  pid: number;
  /** How long to wait for another process to leave the embedded database, in milliseconds (default 0). */
  waitMs?: number;
  /** Ends that wait. */
  signal?: AbortSignal;
  /**
   * Embedded only: create the database where there is none. Without it that is an error (`database_missing`) and nothing is
   * left behind: a command that reads an empty database of its own making would find everything in order.
   */
  creates?: boolean | undefined;
  /** Embedded only: keep a new database in which nothing was stored; without it, that is removed when it is closed. */
  keepsBlank?: boolean | undefined;
  /** Embedded only: leave the tables as they are, even if migrations are pending: for commands that only look. */
  asItIs?: boolean;
  /** Embedded only: how much space the disk has left; default: asks the system. */
  freeBytes?: FreeBytes;
  /** PostgreSQL only: most connections at a time. */
  poolSize?: number;
}

/**
 * Opens the database. The embedded one is migrated on the way; a PostgreSQL is left as it is (`db migrate`).
 * `pg` and PGlite are loaded here and not before, so that `--help` stays quick.
 *
 * Throws UserError with a remedy when it cannot be opened, LockedError when another process has the embedded one open.
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
