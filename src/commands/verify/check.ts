import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { LogAudit } from '../../audit/losses.js';
import type { CheckName, CheckResult, VerifiedItem } from './result.js';

/** One thing that `verify` makes sure of. */
export interface Check {
  name: CheckName;
  /** What holds when nothing is found, for people: `every message id is there once`. */
  title: string;
  /**
   * Looks, changes nothing, and streams: pages or a cursor, never a whole table. It ends soon after `view.signal` is aborted;
   * what it gives then is thrown away. A database that differs from the migrations in tables or columns may make it throw.
   */
  run(view: VerifyView): Promise<CheckResult>;
}

/** What a check sees: one moment of the database, and how much of it. */
export interface VerifyView {
  /** Inside the read-only, repeatable-read transaction that all checks share. */
  sql: Sql;
  /** The connections to look at: all of them, or the one of `--connection`. */
  connections: readonly ConnectionRow[];
  /** True with `--connection`: what belongs to no connection is not looked at. */
  restricted: boolean;
  /** Only what was sent or received since, ms since 1970; null for everything. */
  since: number | null;
  /** Of the raw log, only entries that were stored or worked on since, ms since 1970; null for all. */
  touchedSince: number | null;
  /** With `touchedSince`: entries of these blocks, too, because their messages have changed. */
  blocks?: readonly string[];
  /** Takes the whole audit of the raw log, for who needs more than a check's result. */
  audited?: (audit: LogAudit) => void;
  /** The moment of the snapshot by the tool's clock, ms since 1970. */
  now: number;
  signal: AbortSignal;
  /** Whether anybody wants to see the items: what is as it should be need not be told otherwise. */
  wantsItems: boolean;
  item: (item: VerifiedItem) => Promise<void> | void;
}
