import { PGlite, type PGliteOptions, type Transaction } from '@electric-sql/pglite';

/**
 * PGlite as Prisma's adapter (pglite-prisma-adapter 0.7) needs it. The adapter has two gaps in its transactions:
 * - it swallows an error of COMMIT, so that rows which were never stored (disk full, a deferred constraint) look committed;
 * - it does not wait for ROLLBACK, so that a COMMIT follows it, and its failure has nobody to catch it.
 */
export class WatchedPGlite extends PGlite {
  readonly #failedCommits: unknown[] = [];

  /** Notes where we are; the function returned gives the first commit that failed since, or undefined. */
  watchCommits(): () => unknown {
    const seen = this.#failedCommits.length;
    return () => this.#failedCommits[seen];
  }

  override async transaction<T>(callback: (tx: Transaction) => Promise<T>): Promise<T> {
    let rollback: Promise<void> | undefined;
    try {
      return await super.transaction(async (tx) => {
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
    } catch (error) {
      if (rollback === undefined) this.#failedCommits.push(error);
      throw error;
    }
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
