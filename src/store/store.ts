import type { Sql } from './sql.js';

export type Backend = 'postgresql' | 'pglite';

/** One open database. Statements outside `transaction` run on their own. */
export interface Store {
  backend: Backend;
  /** Connected through a pooler: nothing outlives its transaction (see ServerAccess). */
  pooled: boolean;
  /** The database's location, without secrets: a directory, or `postgresql://host:port/database?schema=x`. */
  location: string;
  sql: Sql;
  /**
   * Runs `work` in one transaction (read committed). Commits when it resolves, rolls back when it throws.
   * `retries`: how often all of `work` is rerun after a serialization failure, deadlock, or unique or foreign-key
   * violation caused by another writer (default 0).
   */
  transaction<T>(work: (tx: Sql) => Promise<T>, options?: { retries?: number }): Promise<T>;
  /**
   * Throws UserError (`database_disk_full`) if the embedded database's disk has no room for another batch. A server
   * checks its own disk, and rejects a write that does not fit.
   */
  assertSpace(): Promise<void>;
  close(): Promise<void>;
}
