import { PGlite, type PGliteOptions, type Transaction } from '@electric-sql/pglite';

/**
 * PGlite as Prisma's adapter (pglite-prisma-adapter 0.7) needs it: the adapter does not wait for ROLLBACK, so that a COMMIT
 * follows it, and its failure has nobody to catch it. Our own transactions do not go through the adapter.
 */
export class WatchedPGlite extends PGlite {
  override async transaction<T>(callback: (tx: Transaction) => Promise<T>): Promise<T> {
    let rollback: Promise<void> | undefined;
    return super.transaction(async (tx) => {
      const watched: Transaction = {
        ...tx,
        get closed() {
          return tx.closed;
        },
        rollback: () => (rollback ??= tx.rollback()),
      };
      const result = await callback(watched);
      await rollback;
      return result;
    });
  }
}

/**
 * Starts PGlite, in UTC whatever the machine's zone: Prisma's adapter writes and reads timestamps without a zone, so any
 * other would shift every one of them.
 */
export async function startPglite(options: PGliteOptions): Promise<WatchedPGlite> {
  const pglite = new WatchedPGlite(options);
  await pglite.waitReady;
  await pglite.exec(`set timezone to 'UTC'`);
  return pglite;
}
