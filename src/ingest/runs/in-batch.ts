import { lockOrganizations, prepareBatch } from '../../store/transactions.js';
import type { Sql } from '../../store/sql.js';
import type { Context } from '../../context.js';
import type { Target } from './with-run.js';

/** How often a batch is tried again after another writer got in its way. */
const BATCH_RETRIES = 20;

interface BatchOptions {
  /** The transaction of a dry run; nothing in it can be tried again alone. */
  target?: Target;
  /** Organizations whose rows the batch reads and writes, if it knows them before it begins. */
  organizations?: Iterable<string>;
}

/**
 * Does one batch in one transaction, with the settings of a batch and the locks of its organizations. Runs it again from the
 * start when another writer was in the way, so `work` must not keep anything outside of its result.
 */
export async function inBatch<T>(
  ctx: Context,
  { target, organizations = [] }: BatchOptions,
  work: (tx: Sql) => Promise<T>,
): Promise<T> {
  await ctx.store.assertSpace();
  const batch = async (tx: Sql): Promise<T> => {
    await prepareBatch(tx, ctx.store.backend);
    await lockOrganizations(tx, [...new Set(organizations)]);
    return work(tx);
  };
  return target !== undefined && target.sql !== ctx.store.sql
    ? batch(target.sql)
    : ctx.store.transaction(batch, { retries: BATCH_RETRIES });
}
