import { createHash } from 'node:crypto';
import pg from 'pg';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';
import type { RunInTransaction } from '../transactions.js';

/**
 * What the rows hold, alike on both backends: bigint as `bigint` (`pg` gives text, in which counts would be compared as
 * words), bytea as plain `Uint8Array`.
 */
const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, BigInt);
TYPES.setTypeParser(pg.types.builtins.BYTEA, bytesOfHex);

function bytesOfHex(text: string): Uint8Array {
  const buffer = Buffer.from(text.slice(2), 'hex');
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Runs SQL on a pool, or on the one client that holds a transaction. */
export type PgSqlOn = (client: pg.Pool | pg.ClientBase) => Sql;

/** Statements are prepared once per connection, under a name made of their text. */
export function createPgSqlOn(): PgSqlOn {
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    let name = names.get(text);
    if (name === undefined) {
      name = `wa_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
      names.set(text, name);
    }
    return name;
  };
  return (client) =>
    sqlOf((text, values) => client.query<SqlRow>({ name: nameOf(text), text, values, types: TYPES }));
}

/** Statements without a name, each planned anew: on a pooler the session that knows the name may be another client's. */
export const unnamedSqlOn: PgSqlOn = (client) =>
  sqlOf((text, values) => client.query<SqlRow>({ text, values, types: TYPES }));

function sqlOf(run: (text: string, values: SqlParameter[]) => Promise<pg.QueryResult<SqlRow>>): Sql {
  return {
    query: async (text, parameters = []) => (await run(text, [...parameters])).rows,
    execute: async (text, parameters = []) => (await run(text, [...parameters])).rowCount ?? 0,
  };
}

/** A transaction for every statement: only inside one do settings hold on a pooler. */
export function createStatementTransactions(run: RunInTransaction): Sql {
  return {
    query: (text, parameters) => run((tx) => tx.query(text, parameters)),
    execute: (text, parameters) => run((tx) => tx.execute(text, parameters)),
  };
}

/** Statements of one connection wait for each other anyway; `pg` 9 will refuse one that is sent while another runs. */
function oneAtATime(sql: Sql): Sql {
  let last: Promise<unknown> = Promise.resolve();
  const after = <T>(run: () => Promise<T>): Promise<T> => {
    const next = last.then(run, run);
    // Whoever asked gets the error; the next statement is run all the same.
    last = next.catch(() => undefined);
    return next;
  };
  return {
    query: (text, parameters) => after(() => sql.query(text, parameters)),
    execute: (text, parameters) => after(() => sql.execute(text, parameters)),
  };
}

/**
 * Transactions on a pool's clients; a client whose rollback fails is thrown away with its transaction. `settings`: statements
 * that each of them begins with.
 */
export function createPgTransactions(pool: pg.Pool, sqlOn: PgSqlOn, settings = ''): RunInTransaction {
  return async (work) => {
    const client = await pool.connect();
    let broken = false;
    // A connection that breaks between two statements says so here; unheard, that ends the process.
    const onError = (): void => {
      broken = true;
    };
    client.on('error', onError);
    try {
      await client.query(`begin isolation level read committed; ${settings}`);
      const result = await work(oneAtATime(sqlOn(client)));
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(onError);
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  };
}
