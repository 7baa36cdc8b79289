import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { arrayLiteral } from './array-literal.js';
import { booleanOf } from './row.js';
import { sqlState } from './sql-state.js';
import type { Sql } from './sql.js';
import type { Store, Backend } from './store.js';
import { prepareMessageLookup } from './tables/message-lookup.js';

/**
 * Conflicts with another writer: serialization failure, deadlock, unique violation, foreign-key violation. A retry
 * fixes the last two, because it sees the other writer's rows.
 */
const CAUSED_BY_ANOTHER_WRITER = new Set(['40001', '40P01', '23505', '23503']);

/** Turns a database error into the error to throw. */
type TranslateError = (error: unknown) => unknown;

/** Runs work in one backend transaction: begins, commits when the work resolves, rolls back when it throws. */
export type RunInTransaction = <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;

/** A Sql whose statements all run through `wrap`, which gets their text, too. */
export function around(sql: Sql, wrap: <T>(run: () => Promise<T>, text: string) => Promise<T>): Sql {
  const { copy, copyOut } = sql;
  return {
    query: (text, parameters) => wrap(() => sql.query(text, parameters), text),
    execute: (text, parameters) => wrap(() => sql.execute(text, parameters), text),
    ...(copy === undefined ? {} : { copy: (text, lines) => wrap(() => copy(text, lines), text) }),
    ...(copyOut === undefined
      ? {}
      : {
          copyOut: (text) =>
            generatedWithin(
              (run) => wrap(run, text),
              () => copyOut(text),
            ),
        }),
  };
}

/** What a statement gives piece by piece; for `wrap` it runs until the last piece has been taken, or nobody wants another. */
async function* generatedWithin<T>(
  wrap: <R>(run: () => Promise<R>) => Promise<R>,
  pieces: () => AsyncIterable<T>,
): AsyncGenerator<T> {
  let end: (error?: unknown) => void = () => undefined;
  let running: Promise<void> = Promise.resolve();
  await new Promise<void>((begin) => {
    running = wrap(
      () =>
        new Promise<void>((resolve, reject) => {
          end = (error) => {
            if (error === undefined) resolve();
            else reject(error instanceof Error ? error : new Error('a statement failed', { cause: error }));
          };
          begin();
        }),
    );
    // Waited for in the end, where it throws what `wrap` makes of the error.
    running.catch(() => undefined);
  });
  try {
    yield* pieces();
    end();
  } catch (error) {
    end(error);
  } finally {
    // Nobody wants another piece.
    end();
    await running;
  }
}

/** A Sql that throws translated errors. */
export function translated(sql: Sql, translate: TranslateError): Sql {
  return around(sql, (run) => run().catch(rethrow(translate)));
}

/**
 * `Store.transaction` over a backend's transactions: retries, errors, and no silent rollback.
 *
 * Statements go straight to the drivers: Prisma's `$queryRaw` converts every parameter to JSON and back, raw bodies
 * included, and plans each statement anew, which cost a third of a replay.
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
        // Two conflicting writers would conflict again at once; a random pause lets one through.
        await delay(Math.random() * 10 * 2 ** Math.min(attempt, 6));
      }
    }
  };
}

/**
 * After a failed statement PostgreSQL answers COMMIT with a silent ROLLBACK. Work that catches the statement's error
 * and resolves would believe that its rows are stored when nothing is. A later successful statement clears the mark:
 * the work has then rolled back to a savepoint.
 */
function guardAgainstSilentRollback(sql: Sql): { sql: Sql; assertHealthy: () => void } {
  let failure: { error: unknown } | undefined;
  async function watch<T>(run: () => Promise<T>): Promise<T> {
    try {
      const result = await run();
      failure = undefined;
      return result;
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }
  return {
    sql: around(sql, watch),
    assertHealthy() {
      if (failure !== undefined) throw failure.error;
    },
  };
}

/**
 * A part of a transaction that is not waited for yet, once its first statement has left: what this thread does next, the database
 * does not wait for. To be given to {@link allOf}.
 */
export async function underWay<T>(part: Promise<T>): Promise<{ part: Promise<T> }> {
  // Whoever waits for it gets the error.
  part.catch(() => undefined);
  await nextTurn();
  return { part };
}

/**
 * The results of parts of one transaction that do not depend on each other: while the database works on one, the next is put together.
 * Waits for all of them, also when one fails: a statement that was sent after the rollback would be outside of the transaction.
 */
export async function allOf<T extends readonly unknown[] | []>(
  parts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(parts);
  return Promise.all(parts);
}

function rethrow(translate: TranslateError): (error: unknown) => never {
  return (error) => {
    throw translate(error);
  };
}

/**
 * Settings for reading whole tables: without statistics the planner may choose a nested loop, which would never end.
 */
export async function prepareLook(tx: Sql): Promise<void> {
  await tx.query(`select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)`);
}

/** Restores the planner's choices for the other statements of the same transaction. */
export async function endLook(tx: Sql): Promise<void> {
  await tx.query(`select set_config('enable_nestloop', 'on', true)`);
}

/**
 * Runs one statement that groups a whole table into a few rows, inside the caller's transaction. Forces hashing: a new
 * table has no statistics, and the planner would sort millions of rows on disk, or follow an index through all of them,
 * to group them into ten. If the server has workers to spare, two of them halve the time.
 */
export async function groupingByHash<T>(tx: Sql, work: () => Promise<T>): Promise<T> {
  await setPlanner(tx, 'off', '2');
  const result = await work();
  await setPlanner(tx, 'on', '0');
  return result;
}

async function setPlanner(tx: Sql, ordered: 'on' | 'off', workers: '0' | '2'): Promise<void> {
  await tx.query(
    `select set_config('enable_sort', $1, true), set_config('enable_incremental_sort', $1, true),
       set_config('enable_indexscan', $1, true), set_config('max_parallel_workers_per_gather', $2, true)`,
    [ordered, workers],
  );
}

/**
 * Settings of one batch's transaction, gone with it.
 *
 * Planner: every statement of a batch looks up at most some thousand rows by index. A new table has no statistics, and
 * the planner would join by scanning all of it, batch after batch.
 *
 * Flush: the commit may return before it is on disk. A power failure may then undo the last batches, rows and
 * checkpoint alike, and the run resumes from before them; the run's last commit is a normal one and covers them all.
 * Only on a server, which outlives this process: the embedded database keeps these commits in our memory, and a kill
 * would undo megabytes of finished work.
 *
 * Returns what the batch's statements run on: without COPY where row-level security holds for us, because PostgreSQL refuses it there.
 */
export async function prepareBatch(tx: Sql, backend: Backend): Promise<Sql> {
  const [row] = await tx.query(
    `select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_seqscan', 'off', true), set_config('synchronous_commit', $1, true),
       row_security_active('messages') as is_guarded`,
    [backend === 'pglite' ? 'on' : 'off'],
  );
  if (row === undefined || !booleanOf(row, 'is_guarded')) return tx;
  return {
    query: (text, parameters) => tx.query(text, parameters),
    execute: (text, parameters) => tx.execute(text, parameters),
  };
}

/**
 * Held until the transaction ends: only one batch at a time reads and writes an organization's leads, conversations and
 * messages, so that "read, merge, write" cannot lose another run's merge. Other organizations, and all decoding,
 * continue in parallel. Taken in a fixed order, so that two batches cannot deadlock.
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
 * A writer outside our locks (the CRM itself) stored a row between our read and our write. It carries the SQLSTATE of a
 * serialization failure, so the transaction reruns and sees that row.
 */
export class ConcurrentChange extends Error {
  readonly code = '40001';

  constructor(what: string, planned: number, written: number) {
    super(
      `another writer changed the database at the same time: ${written} of ${planned} ${what} could be written`,
    );
    this.name = 'ConcurrentChange';
  }
}

/** Compares the planned row count with the number that the database wrote. */
export function assertWritten(what: string, planned: number, written: number): void {
  if (planned !== written) throw new ConcurrentChange(what, planned, written);
}

/**
 * Runs `work` on one snapshot of the database: every statement sees the same rows whatever others commit, and none can
 * write. The only cost to others is dead rows that stay until it ends. On the embedded database it is the one
 * connection: a statement outside of it waits until it ends.
 */
export function inSnapshot<T>(
  store: Store,
  work: (sql: Sql) => Promise<T>,
  {
    findsMessages = false,
    holding,
  }: {
    /** Looks up every message of the log: see {@link prepareMessageLookup}. */ findsMessages?: boolean;
    /** Takes locks that keep these tables as they are made: before the snapshot, which would not see a change between the two. */
    holding?: readonly string[];
  } = {},
): Promise<T> {
  return store.transaction(async (tx) => {
    // Must be the first statement: PostgreSQL refuses the change later.
    await tx.execute('set transaction isolation level repeatable read');
    if (holding !== undefined && holding.length > 0) {
      await tx.execute(`lock table ${holding.join(', ')} in access share mode`);
    }
    if (findsMessages) await prepareMessageLookup(tx);
    await tx.execute('set transaction read only');
    await tx.query(
      // Sorts and hashes of millions of rows spill to disk early with the default of 4 MB. A cursor is read to its end,
      // so the planner's preference for a fast first row is wrong here.
      `select set_config('work_mem', '64MB', true), set_config('cursor_tuple_fraction', '1', true)`,
    );
    return work(tx);
  });
}
