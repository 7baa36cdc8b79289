import pg from 'pg';
import { translateDatabaseError } from '../database-errors.js';
import { redactUrl } from '../database-url.js';
import { assertServerVersion } from '../server.js';
import type { Store } from '../store.js';
import { createTransactionRunner, translated } from '../transactions.js';
import { connectServer, type ServerAccess, type ServerConfig } from './postgresql-access.js';
import { clientConfig } from './postgresql-client.js';
import { sessionSettings, transactionSettings } from './postgresql-settings.js';
import {
  createPgSqlOn,
  createPgTransactions,
  createStatementTransactions,
  unnamedSqlOn,
} from './postgresql-sql.js';

/** One run needs a connection for its transaction and one for the statements beside it; more only takes from others. */
const POOL_SIZE = 3;

export interface PostgresqlOptions {
  /** Most connections at a time; `connection_limit` of the URL, or 3, if absent. */
  poolSize?: number;
}

/**
 * Opens a store on a PostgreSQL server. Throws UserError if the server cannot be reached or is no PostgreSQL >= 13.
 *
 * Behind a pooler in transaction mode nothing is prepared under a name, and every statement runs in a transaction that sets
 * what it needs; with a direct URL the store goes past the pooler instead.
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
  // A connection that breaks while it is idle: the next statement opens another, or says what is wrong.
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
 * The first connection, outside the pool: only here may connecting time out. A timeout of the pool would also hit a
 * statement that waits for a free connection.
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
