import { arrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';
import type { Backend } from './store.js';

/**
 * Held until the transaction ends: one batch at a time reads and writes the leads, conversations and messages of an
 * organization, so that "read, merge, write" cannot lose another run's merge. Other organizations, and the decoding of
 * every run, go on in parallel. Taken in one order, so that two batches cannot wait for each other.
 */
export async function lockOrganizations(tx: Sql, organizationIds: readonly string[]): Promise<void> {
  if (organizationIds.length === 0) return;
  await tx.query(
    `select pg_advisory_xact_lock(hashtextextended('wa-reconcile organization ' || o.id, 0))::text
     from (select id from unnest($1::text[]) as x (id) order by id) o`,
    [arrayLiteral([...organizationIds].sort())],
  );
}

/**
 * Somebody outside our locks (the CRM itself) stored a row between our look and our write. It carries the SQLSTATE of a
 * serialization failure, so the transaction is run again and sees that row.
 */
export class ConcurrentChange extends Error {
  readonly code = '40001';

  constructor(what: string, planned: number, written: number) {
    super(`another writer changed the database meanwhile: ${written} of ${planned} ${what} could be written`);
    this.name = 'ConcurrentChange';
  }
}

/** Compares what was planned with what the database says it wrote. */
export function assertWritten(what: string, planned: number, written: number): void {
  if (planned !== written) throw new ConcurrentChange(what, planned, written);
}

/**
 * Settings of one batch's transaction, gone with it.
 *
 * Planner: every statement of a batch looks up at most some thousand rows by index. A table that was empty a minute ago has
 * no statistics, and the planner would join by scanning all of it, batch after batch.
 *
 * Flush: the commit may return before it is on disk. A power failure may then undo the last batches, rows and checkpoint
 * alike, and the run goes on from before them; the run's last commit is a normal one and covers them all. Only where a server
 * outlives us: the embedded database keeps such commits in our own memory, and a kill would undo megabytes of finished work.
 */
export async function prepareBatch(tx: Sql, backend: Backend): Promise<void> {
  await tx.query(
    `select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true), set_config('synchronous_commit', $1, true)`,
    [backend === 'pglite' ? 'on' : 'off'],
  );
}
