import { arrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';

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
