import type { PGlite } from '@electric-sql/pglite';
import { translateDatabaseError } from '../database-errors.js';
import { createTransactionRunner, translated } from '../transactions.js';
import type { Store } from '../store.js';
import { createPgliteSql, createPgliteTransactions } from './pglite-sql.js';

/**
 * A store on a PGlite that is open already. One PGlite is one connection: a statement outside `transaction` waits until an
 * open transaction ends, so waiting for it inside that transaction never ends.
 *
 * @param onClose runs once, after PGlite has flushed its files and stopped.
 * @param assertFree throws `ENOSPC` when the disk has no room for another batch; a database in memory has none to look at.
 */
export function createPgliteStore(
  pglite: PGlite,
  location: string,
  onClose: () => Promise<void>,
  assertFree: () => Promise<void> = () => Promise.resolve(),
): Store {
  const translate = (error: unknown): unknown => translateDatabaseError(error, location) ?? error;
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    try {
      await pglite.close();
    } finally {
      await onClose();
    }
  }

  return {
    backend: 'pglite',
    pooled: false,
    location,
    sql: translated(createPgliteSql(pglite), translate),
    transaction: createTransactionRunner(createPgliteTransactions(pglite), translate),
    assertSpace: () =>
      assertFree().catch((error: unknown) => {
        throw translate(error);
      }),
    close: () => (closing ??= close()),
  };
}
