import type { Context } from '../../context.js';
import { prepareLook, inSnapshot } from '../../store/transactions.js';
import type { Sql, SqlParameter, SqlRow } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import type { DuplicateClass, LookAlike } from './result.js';
import type { Tally } from './tally.js';

/** Counts and merges the duplicates of one class. */
export interface DedupeClass {
  name: DuplicateClass;
  /** Counts what `apply` would merge, without changes. Streams; stops soon after `view.signal` aborts. */
  plan(view: PlanView): Promise<void>;
  /** Merges, batch by batch; stops between two batches when the run is stopped. */
  apply(run: MergeRun): Promise<void>;
}

/** What a plan sees: one snapshot of the database. */
export interface PlanView {
  /** Inside a read-only, repeatable-read transaction. */
  sql: Sql;
  connections: readonly ConnectionRow[];
  /** The only connection to look at; null for all. */
  connectionId: string | null;
  /** See DedupeOptions. */
  loggedOnly: boolean;
  signal: AbortSignal;
  tally: Tally;
  /**
   * Conversations that earlier classes would join to another one, as `from` -> `into`: a message class reads the
   * messages as if already joined.
   */
  joined: Map<string, string>;
}

/** What a run that merges works with. */
export interface MergeRun {
  ctx: Context;
  connections: readonly ConnectionRow[];
  connectionId: string | null;
  /** See DedupeOptions. */
  loggedOnly: boolean;
  runId: string;
  /** Rows per transaction. */
  batchSize: number;
  /** True when no further batch may begin. */
  stopped: () => boolean;
  /**
   * One batch in one transaction: takes the locks of all organizations of `connectionIds`, runs `work`, saves the
   * counters, commits, and only then counts the outcome. Restarts when another writer interferes, so `work` must keep
   * nothing outside its result.
   */
  batch(at: BatchPlace, work: (tx: Sql) => Promise<BatchOutcome>): Promise<void>;
}

export interface BatchPlace {
  class: DuplicateClass;
  connectionIds: readonly string[];
}

/** One group of duplicates, merged or to be merged. */
export interface MergedGroup {
  class: DuplicateClass;
  connectionId: string | null;
  survivor: string;
  goes: readonly string[];
  /** Built only for the few groups shown. */
  evidence: () => string[];
}

export interface KeptGroup extends Omit<LookAlike, 'connection'> {
  connectionId: string;
}

export interface BatchOutcome {
  groups: MergedGroup[];
  kept: KeptGroup[];
  /** Rows changed, without the deleted ones. */
  changed: number;
  /** Raw entries set back to pending. */
  requeued: number;
}

/** How {@link mergeInBatches} splits the groups of a class, and processes each batch. */
export interface Batching<T> {
  class: DuplicateClass;
  /** The cost of a group, in rows. */
  rowsOf: (group: T) => number;
  connectionsOf: (group: T) => readonly string[];
  merge: (tx: Sql, batch: T[]) => Promise<BatchOutcome>;
}

/** Merges groups in batches of about the run's size. */
export async function mergeInBatches<T>(
  run: MergeRun,
  groups: Iterable<T>,
  { class: name, rowsOf, connectionsOf, merge }: Batching<T>,
): Promise<void> {
  for (const batch of packed(groups, rowsOf, run.batchSize)) {
    if (run.stopped()) return;
    await run.batch({ class: name, connectionIds: [...new Set(batch.flatMap(connectionsOf))] }, (tx) =>
      merge(tx, batch),
    );
  }
}

/** Batches of about `size` rows. Never splits a group: half of it would lead to another decision. */
function* packed<T>(groups: Iterable<T>, rowsOf: (group: T) => number, size: number): Generator<T[]> {
  let batch: T[] = [];
  let rows = 0;
  for (const group of groups) {
    const more = rowsOf(group);
    if (batch.length > 0 && rows + more > size) {
      yield batch;
      batch = [];
      rows = 0;
    }
    batch.push(group);
    rows += more;
  }
  if (batch.length > 0) yield batch;
}

/** All groups that a query over whole tables finds, in one snapshot of the database. */
export function findGroups<T>(
  { ctx }: MergeRun,
  { text, parameters }: { text: string; parameters: SqlParameter[] },
  read: (row: SqlRow) => T,
): Promise<T[]> {
  return inSnapshot(ctx.store, async (sql) => {
    await prepareLook(sql);
    return (await sql.query(text, parameters)).map(read);
  });
}
