import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { Context } from '../../context.js';
import type { Account } from './account.js';
import type { DuplicateClass, LookAlike } from './result.js';

/** One class of doubles: how they are counted, and how they are merged. */
export interface DuplicateWork {
  name: DuplicateClass;
  /** Counts what `apply` would merge, and changes nothing. Streams; stops soon after `view.signal` is aborted. */
  plan(view: PlanView): Promise<void>;
  /** Merges, batch by batch; stops between two batches once the run is to stop. */
  apply(run: MergeRun): Promise<void>;
}

/** What a plan sees: one moment of the database. */
export interface PlanView {
  /** Inside a read-only, repeatable-read transaction. */
  sql: Sql;
  connections: readonly ConnectionRow[];
  /** The only connection to look at; null for all. */
  connectionId: string | null;
  signal: AbortSignal;
  account: Account;
  /**
   * Conversations that earlier classes would join to another one, as `from` -> `into`: a class of messages looks at the
   * messages as if that had been done.
   */
  joined: Map<string, string>;
}

/** What a run that merges works with. */
export interface MergeRun {
  ctx: Context;
  connections: readonly ConnectionRow[];
  connectionId: string | null;
  runId: string;
  newId: () => string;
  /** Rows per transaction. */
  batchSize: number;
  /** True once no further batch may begin. */
  stopped: () => boolean;
  /**
   * One batch in one transaction: takes the locks of all organizations of `connectionIds`, runs `work`, saves the counters,
   * commits, and only then counts what `work` gave. Run again from the start when another writer was in the way, so `work`
   * must not keep anything outside of its result.
   */
  batch(at: BatchPlace, work: (tx: Sql) => Promise<BatchOutcome>): Promise<BatchOutcome>;
}

export interface BatchPlace {
  class: DuplicateClass;
  connectionIds: readonly string[];
}

/** One group of doubles that was, or would be, merged. */
export interface MergedGroup {
  class: DuplicateClass;
  connectionId: string | null;
  survivor: string;
  goes: readonly string[];
  /** Made only for the few groups that are shown. */
  evidence: () => string[];
}

export interface KeptGroup extends Omit<LookAlike, 'connection'> {
  connectionId: string;
}

export interface BatchOutcome {
  groups: MergedGroup[];
  kept: KeptGroup[];
  /** Rows changed besides those that went. */
  changed: number;
  /** Raw entries made due again. */
  requeued: number;
}
