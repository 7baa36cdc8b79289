import { setTimeout as delay } from 'node:timers/promises';
import type { PrismaClient } from './generated/client.js';
import type { Sql, SqlParameter, SqlRow } from './sql.js';
import { sqlState } from './sql-state.js';
import type { Store } from './store.js';

/** What Prisma's client and its transaction clients share. */
type RawClient = Pick<PrismaClient, '$queryRawUnsafe' | '$executeRawUnsafe'>;

/** A dry run holds one transaction for hours. Node's timers overflow above 24.8 days and then fire at once. */
const A_WEEK_MS = 7 * 24 * 3_600_000;

/**
 * What another writer causes: serialization failure, deadlock, unique violation, foreign-key violation. The last two go
 * away when the work is done again, because it then sees the other writer's rows.
 */
const CAUSED_BY_ANOTHER_WRITER = new Set(['40001', '40P01', '23505', '23503']);

/** Turns an error of the database into the one to throw. */
export type TranslateError = (error: unknown) => unknown;

/** Runs SQL through one Prisma client, outside any transaction. */
export function createPrismaSql(client: RawClient, translate: TranslateError): Sql {
  return {
    async query(text: string, parameters: readonly SqlParameter[] = []) {
      try {
        return await client.$queryRawUnsafe<SqlRow[]>(text, ...parameters);
      } catch (error) {
        throw translate(error);
      }
    },
    async execute(text: string, parameters: readonly SqlParameter[] = []) {
      try {
        return await client.$executeRawUnsafe(text, ...parameters);
      } catch (error) {
        throw translate(error);
      }
    },
  };
}

/**
 * `Store.transaction` on Prisma's interactive transactions.
 *
 * `failedCommit` tells of a commit that failed behind Prisma's back since the transaction began (see the PGlite backend).
 */
export function createTransactionRunner(
  prisma: PrismaClient,
  translate: TranslateError,
  failedCommit?: () => () => unknown,
): Store['transaction'] {
  async function runOnce<T>(work: (tx: Sql) => Promise<T>): Promise<T> {
    const failure = failedCommit?.();
    const result = await prisma.$transaction(
      async (client) => {
        const guarded = guardAgainstSilentRollback(createPrismaSql(client, translate));
        const worked = await work(guarded.sql);
        guarded.assertHealthy();
        return worked;
      },
      { maxWait: A_WEEK_MS, timeout: A_WEEK_MS },
    );
    const lost = failure?.();
    if (lost !== undefined) throw translate(lost);
    return result;
  }

  return async function transaction(work, { retries = 0 } = {}) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await runOnce(work);
      } catch (error) {
        const state = sqlState(error);
        if (attempt >= retries || state === undefined || !CAUSED_BY_ANOTHER_WRITER.has(state)) {
          throw translate(error);
        }
        // Two writers that met once would meet again at once; a random pause lets one of them through.
        await delay(Math.random() * 10 * 2 ** Math.min(attempt, 6));
      }
    }
  };
}

/**
 * After a failed statement PostgreSQL answers COMMIT with a quiet ROLLBACK. Work that catches the statement's error and
 * resolves would be told that its rows are stored when nothing is. A later statement that succeeds clears the mark: then the
 * work has rolled back to a savepoint.
 */
function guardAgainstSilentRollback(sql: Sql): { sql: Sql; assertHealthy: () => void } {
  let failure: { error: unknown } | undefined;
  async function watch<T>(statement: Promise<T>): Promise<T> {
    try {
      const result = await statement;
      failure = undefined;
      return result;
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }
  return {
    sql: {
      query: (text, parameters) => watch(sql.query(text, parameters)),
      execute: (text, parameters) => watch(sql.execute(text, parameters)),
    },
    assertHealthy() {
      if (failure !== undefined) throw failure.error;
    },
  };
}
