import type { Context } from '../../context.js';
import type { Sql } from '../../store/sql.js';
import type { Store } from '../../store/store.js';
import { lockOrganizations, prepareBatch } from '../../store/transactions.js';
import type { Target } from './with-run.js';

/** Retries of a batch after a conflict with another writer. */
const BATCH_RETRIES = 20;

interface BatchOptions {
  /** The transaction of a dry run; nothing in it can be retried alone. */
  target?: Target;
  /** Organizations with rows that the batch reads and writes, if known beforehand. */
  organizations?: Iterable<string>;
}

/**
 * Does one batch in one transaction, with a batch's settings and its organizations' locks. Reruns it from the start
 * after a conflict with another writer, so `work` must keep nothing outside its result.
 */
export async function inBatch<T>(
  ctx: Context,
  { target, organizations = [] }: BatchOptions,
  work: (tx: Sql) => Promise<T>,
): Promise<T> {
  await ctx.store.assertSpace();
  const batch = async (tx: Sql): Promise<T> => {
    const sql = await prepareBatch(tx, ctx.store.backend);
    await lockOrganizations(sql, [...new Set(organizations)]);
    return work(sql);
  };
  return target !== undefined && target.sql !== ctx.store.sql
    ? batch(target.sql)
    : ctx.store.transaction(batch, { retries: BATCH_RETRIES });
}

/** Rolls a transaction back, carrying the work's result. */
class RolledBack<T> extends Error {
  constructor(readonly result: T) {
    super('rolled back');
  }
}

/**
 * Runs `work` in one transaction and returns its result, but commits only if `keeps` returns true: for dry runs, and
 * for work that learns only at its end whether it may be done.
 */
export async function rehearse<T>(
  store: Store,
  work: (tx: Sql) => Promise<T>,
  { keeps = () => false, retries = 0 }: { keeps?: (result: T) => boolean; retries?: number } = {},
): Promise<T> {
  // Only this call's own: the work may rehearse something itself.
  let rolledBack: RolledBack<T> | undefined;
  try {
    return await store.transaction(
      async (tx) => {
        const result = await work(tx);
        if (keeps(result)) return result;
        rolledBack = new RolledBack(result);
        throw rolledBack;
      },
      { retries },
    );
  } catch (error) {
    if (rolledBack !== undefined && error === rolledBack) return rolledBack.result;
    throw error;
  }
}
