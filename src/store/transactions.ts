import { setTimeout as delay } from 'node:timers/promises';
import type { Sql } from './sql.js';
import { sqlState } from './sql-state.js';
import type { Store } from './store.js';

/**
 * What another writer causes: serialization failure, deadlock, unique violation, foreign-key violation. The last two go
 * away when the work is done again, because it then sees the other writer's rows.
 */
const CAUSED_BY_ANOTHER_WRITER = new Set(['40001', '40P01', '23505', '23503']);

/** Turns an error of the database into the one to throw. */
export type TranslateError = (error: unknown) => unknown;

/** Runs work in one transaction of a backend: begins, commits when the work resolves, rolls back when it throws. */
export type RunInTransaction = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;

/** A Sql whose errors are the ones to throw. */
export function translated(sql: Sql, translate: TranslateError): Sql {
  return {
    query: (text, parameters) => sql.query(text, parameters).catch(rethrow(translate)),
    execute: (text, parameters) => sql.execute(text, parameters).catch(rethrow(translate)),
  };
}

/**
 * `Store.transaction` over a backend's transactions: retries, errors, and no silent rollback.
 *
 * Statements go straight to the drivers: Prisma's `$queryRaw` turns every parameter into JSON and back, raw bodies included,
 * and plans each statement anew, which together cost a third of a replay.
 */
export function createTransactionRunner(
  run: RunInTransaction,
  translate: TranslateError,
): Store['transaction'] {
  return async function transaction(work, { retries = 0 } = {}) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await run(async (sql) => {
          const guarded = guardAgainstSilentRollback(translated(sql, translate));
          const worked = await work(guarded.sql);
          guarded.assertHealthy();
          return worked;
        });
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

function rethrow(translate: TranslateError): (error: unknown) => never {
  return (error) => {
    throw translate(error);
  };
}
