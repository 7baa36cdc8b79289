import type { Sql } from './sql.js';

export type Backend = 'postgresql' | 'pglite';

/** One open database. Statements outside `transaction` run on their own. */
export interface Store {
  backend: Backend;
  /** Reached through a connection pooler: nothing lasts longer than its transaction (see ServerAccess). */
  pooled: boolean;
  /** Where the database is, without secrets: a directory, or `postgresql://host:port/database?schema=x`. */
  location: string;
  sql: Sql;
  /**
   * Runs `work` in one transaction (read committed). Commits when it resolves, rolls back when it throws.
   * `retries`: how often the whole of `work` is run again after a serialization failure, deadlock, or unique or
   * foreign-key violation caused by another writer (default 0).
   */
  transaction<T>(work: (tx: Sql) => Promise<T>, options?: { retries?: number }): Promise<T>;
  /**
   * Throws UserError (`database_disk_full`) when the disk of the embedded database has no room for another batch. A server watches its
   * own disk, and answers a write that does not fit.
   */
  assertSpace(): Promise<void>;
  close(): Promise<void>;
}
