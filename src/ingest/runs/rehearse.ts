import type { Sql } from '../../store/sql.js';
import type { Store } from '../../store/store.js';

/** Rolls a transaction back with what its work gave. */
class RolledBack<T> extends Error {
  constructor(readonly result: T) {
    super('rolled back');
  }
}

/**
 * Does `work` in one transaction and gives what it gave, but keeps what it wrote only if `keeps` says so: for dry runs, and
 * for work that finds out at its end whether it may be done.
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
