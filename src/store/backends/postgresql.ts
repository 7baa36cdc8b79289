import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { z } from 'zod';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { translateDatabaseError } from '../database-errors.js';
import { redactUrl } from '../database-url.js';
import { assertServerVersion } from '../server.js';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';
import type { Store } from '../store.js';
import { around, createTransactionRunner, translated, type RunInTransaction } from '../transactions.js';
import { connectServer, type ServerAccess, type ServerConfig } from './postgresql-access.js';
import { clientConfig, sessionSettings, transactionSettings } from './postgresql-client.js';

/** A run needs one connection for its transaction and one for statements beside it; more would starve other clients. */
const POOL_SIZE = 3;

interface PostgresqlOptions {
  /** Maximum connections; absent: the URL's `connection_limit`, or 3. */
  poolSize?: number;
}

/**
 * Opens a store on a PostgreSQL server. Throws UserError if the server cannot be reached or is not PostgreSQL >= 13.
 *
 * Behind a pooler in transaction mode, uses no named prepared statements, and runs every statement in a transaction
 * with its settings; with a direct URL the store bypasses the pooler instead.
 */
export async function openPostgresqlStore(config: ServerConfig, options: PostgresqlOptions): Promise<Store> {
  const { target, pooled } = await probe(config);
  const translate = (error: unknown): unknown => translateDatabaseError(error, target.location) ?? error;
  const pool = new pg.Pool({
    ...clientConfig(target),
    max: options.poolSize ?? target.connectionLimit ?? POOL_SIZE,
    // The pool waits for the promise, although @types/pg declares the hook as void.
    ...(pooled ? {} : { onConnect: (client): unknown => client.query(sessionSettings(target.schema)) }),
  });
  // An idle connection broke: the next statement opens another, or fails with the reason.
  pool.on('error', () => undefined);
  const settings = transactionSettings(target.schema);
  const sqlOn = pooled ? unnamedSqlOn : createPgSqlOn();
  const transactions = createPgTransactions(pool, sqlOn, pooled ? settings : '');
  let closing: Promise<void> | undefined;
  return {
    backend: 'postgresql',
    pooled,
    location: target.location,
    sql: translated(pooled ? createStatementTransactions(transactions) : sqlOn(pool), translate),
    transaction: createTransactionRunner(transactions, translate),
    assertSpace: () => Promise.resolve(),
    close: () => (closing ??= pool.end()),
  };
}

/**
 * The first connection, outside the pool: only this one may time out while connecting. A pool timeout would also hit a
 * statement waiting for a free connection.
 */
async function probe(config: ServerConfig): Promise<Pick<ServerAccess, 'target' | 'pooled'>> {
  const { client, target, pooled } = await connectServer(config).catch(rethrowTranslated(config));
  try {
    await assertServerVersion(async (text) => (await client.query<Record<string, unknown>>(text)).rows);
    return { target, pooled };
  } catch (error) {
    throw translateDatabaseError(error, target.location) ?? error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function rethrowTranslated({ url }: ServerConfig): (error: unknown) => never {
  return (error) => {
    throw translateDatabaseError(error, redactUrl(url)) ?? error;
  };
}

/**
 * Makes row values the same on both backends: bigint as `bigint` (`pg` returns text, which would compare as words),
 * bytea as plain `Uint8Array`.
 */
const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(pg.types.builtins.INT8, BigInt);
TYPES.setTypeParser(pg.types.builtins.BYTEA, bytesOfHex);

function bytesOfHex(text: string): Uint8Array {
  const buffer = Buffer.from(text.slice(2), 'hex');
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Runs SQL on a pool, or on the one client that holds a transaction. */
type PgSqlOn = (client: pg.Pool | pg.ClientBase) => Sql;

/** Statements are prepared once per connection, under a name derived from their text. */
function createPgSqlOn(): PgSqlOn {
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

/** Unnamed statements, planned each time: on a pooler, a named one's session may be serving another client. */
const unnamedSqlOn: PgSqlOn = (client) =>
  sqlOf((text, values) => client.query<SqlRow>({ text, values, types: TYPES }));

function sqlOf(run: (text: string, values: SqlParameter[]) => Promise<pg.QueryResult<SqlRow>>): Sql {
  return {
    query: async (text, parameters = []) => (await run(text, [...parameters])).rows,
    execute: async (text, parameters = []) => (await run(text, [...parameters])).rowCount ?? 0,
  };
}

/** A transaction for every statement: on a pooler, settings hold only inside one. */
function createStatementTransactions(run: RunInTransaction): Sql {
  return {
    query: (text, parameters) => run((tx) => tx.query(text, parameters)),
    execute: (text, parameters) => run((tx) => tx.execute(text, parameters)),
  };
}

/** Statements of one connection queue anyway; `pg` 9 will refuse one sent while another runs. */
function oneAtATime(sql: Sql): Sql {
  let last: Promise<unknown> = Promise.resolve();
  const after = <T>(run: () => Promise<T>): Promise<T> => {
    const next = last.then(run, run);
    // The caller gets the error; the next statement runs anyway.
    last = next.catch(() => undefined);
    return next;
  };
  return around(sql, after);
}

/** COPY on the client of a transaction. */
function copyOn(client: pg.ClientBase): NonNullable<Sql['copy']> {
  return async (statement, lines) => {
    const stream = client.query(copyFrom(statement));
    await pipeline(Readable.from(lines), stream);
    return stream.rowCount;
  };
}

const bufferSchema = z.instanceof(Uint8Array);

/** So many bytes are taken from the server ahead of who reads them. */
const COPY_AHEAD_BYTES = 1024 * 1024;

/** COPY of a query's rows on the client of a transaction. `abandon` is called when the reader stops before the end. */
function copyOutOn(client: pg.ClientBase, abandon: () => void): NonNullable<Sql['copyOut']> {
  return async function* (statement) {
    const stream = client.query(copyTo(statement, { highWaterMark: COPY_AHEAD_BYTES }));
    // An abandoned connection fails when nobody reads any more.
    stream.on('error', () => undefined);
    let isLeft = true;
    try {
      for await (const piece of stream) yield bufferSchema.parse(piece);
      isLeft = false;
    } catch (error) {
      isLeft = false;
      throw error;
    } finally {
      if (isLeft) abandon();
    }
  };
}

/**
 * Transactions on a pool's clients; a client that fails to roll back is discarded with its transaction. `settings`: the
 * statements at the start of each.
 */
function createPgTransactions(pool: pg.Pool, sqlOn: PgSqlOn, settings = ''): RunInTransaction {
  return async (work) => {
    const client = await pool.connect();
    let broken = false;
    // A connection that breaks between two statements emits this event; without a listener the process would exit.
    const onError = (): void => {
      broken = true;
    };
    client.on('error', onError);
    const held = { isReleased: false };
    // The server would send to the last row, and the rollback would wait for it.
    const abandon = (): void => {
      held.isReleased = true;
      client.release(true);
    };
    try {
      await client.query(`begin isolation level read committed; ${settings}`);
      const sql: Sql = { ...sqlOn(client), copy: copyOn(client), copyOut: copyOutOn(client, abandon) };
      const result = await work(oneAtATime(sql));
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(onError);
      throw error;
    } finally {
      client.off('error', onError);
      if (!held.isReleased) client.release(broken);
    }
  };
}
