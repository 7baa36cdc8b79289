import { types, type PGlite, type QueryOptions, type Transaction } from '@electric-sql/pglite';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';
import type { RunInTransaction } from '../transactions.js';

/** bigint as `bigint` whatever its size, as on PostgreSQL; PGlite gives a number where one is enough. */
const OPTIONS: QueryOptions = { parsers: { [types.INT8]: BigInt } };

/** Runs SQL on PGlite, or inside one of its transactions. */
export function createPgliteSql(client: Pick<PGlite | Transaction, 'query'>): Sql {
  const run = (
    text: string,
    parameters: readonly SqlParameter[],
  ): Promise<{ rows: SqlRow[]; affectedRows?: number }> =>
    client.query<SqlRow>(text, [...parameters], OPTIONS);
  return {
    query: async (text, parameters = []) => (await run(text, parameters)).rows,
    execute: async (text, parameters = []) => (await run(text, parameters)).affectedRows ?? 0,
  };
}

export function createPgliteTransactions(pglite: PGlite): RunInTransaction {
  return (work) => pglite.transaction((tx) => work(createPgliteSql(tx)));
}
