import type { Store } from '../../src/store/store.js';

/** A store whose process dies in its n-th transaction. */
export function dyingStore(store: Store, transactions: number): Store {
  let left = transactions;
  return {
    ...store,
    sql: store.sql,
    assertSpace: () => store.assertSpace(),
    transaction: (work, options) => {
      left -= 1;
      return left <= 0 ? Promise.reject(new Error('killed')) : store.transaction(work, options);
    },
  };
}
