import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { around } from '../../src/store/transactions.js';

export interface StatementTime {
  /** How the statement begins, on one line. */
  statement: string;
  calls: number;
  /** From the call until its answer, Prisma's part included. */
  milliseconds: number;
}

/** A store that measures what each statement of it takes, and the same for `begin` to `commit` as a whole. */
export function timeStatements(store: Store): { store: Store; times: () => StatementTime[] } {
  const byStatement = new Map<string, StatementTime>();

  async function measure<T>(work: () => Promise<T>, statement: string): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      const time = byStatement.get(statement) ?? { statement, calls: 0, milliseconds: 0 };
      time.calls += 1;
      time.milliseconds += performance.now() - started;
      byStatement.set(statement, time);
    }
  }

  const timed = (sql: Sql): Sql => around(sql, (run, text) => measure(run, beginningOf(text)));

  return {
    store: {
      ...store,
      sql: timed(store.sql),
      transaction: (work, options) =>
        measure(() => store.transaction((tx) => work(timed(tx)), options), '(whole transactions)'),
    },
    times: () => [...byStatement.values()].sort((a, b) => b.milliseconds - a.milliseconds),
  };
}

function beginningOf(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 90);
}
