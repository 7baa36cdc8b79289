import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { translateDatabaseError } from '../database-errors.js';
import { parseDatabaseUrl, type DatabaseUrl } from '../database-url.js';
import { PrismaClient } from '../generated/client.js';

import { assertServerVersion } from '../server-version.js';
import type { Store } from '../store.js';
import { createTransactionRunner, translated } from '../transactions.js';
import { clientConfig, connectClient } from './postgresql-client.js';
import { createPgSqlOn, createPgTransactions } from './postgresql-sql.js';

/** One run needs a connection for its transaction and one for the statements beside it; more only takes from others. */
const POOL_SIZE = 3;

export interface PostgresqlOptions {
  /** Most connections at a time; `connection_limit` of the URL, or 3, if absent. */
  poolSize?: number;
}

/** Opens a store on a PostgreSQL server. Throws UserError if the server cannot be reached or is no PostgreSQL >= 13. */
export async function openPostgresqlStore(url: string, options: PostgresqlOptions): Promise<Store> {
  const target = parseDatabaseUrl(url);
  const translate = (error: unknown): unknown => translateDatabaseError(error, target.location) ?? error;
  await probe(target).catch((error: unknown) => {
    throw translate(error);
  });
  const pool = new pg.Pool({
    ...clientConfig(target),
    max: options.poolSize ?? target.connectionLimit ?? POOL_SIZE,
    onConnect: (client) => prepareSession(client, target.schema),
  });
  // A connection that breaks while it is idle: the next statement opens another, or says what is wrong.
  pool.on('error', () => undefined);
  const adapter = new PrismaPg(pool, { schema: target.schema });
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal', log: [] });
  const sqlOn = createPgSqlOn();
  let closing: Promise<void> | undefined;
  return {
    backend: 'postgresql',
    location: target.location,
    sql: translated(sqlOn(pool), translate),
    prisma,
    transaction: createTransactionRunner(createPgTransactions(pool, sqlOn), translate),
    close: () => (closing ??= prisma.$disconnect().then(() => pool.end())),
  };
}

/**
 * The first connection, outside the pool: only here may connecting time out. A timeout of the pool would also hit a
 * statement that waits for a free connection.
 */
async function probe(target: DatabaseUrl): Promise<void> {
  const client = await connectClient(target);
  try {
    await assertServerVersion(async (text) => (await client.query<Record<string, unknown>>(text)).rows);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Settings that a server, database or role may have changed, and that would change what we store:
 * - Prisma's adapter writes and reads timestamps without a zone, so any session zone but UTC would shift every one of them;
 * - timeouts meant for web requests would kill a batch, or a dry run that holds its transaction for hours;
 * - compiling a statement or starting workers costs more than a batch of index look-ups.
 * Sent as a statement, not as a start-up option, which PgBouncer refuses. The pool waits for the promise, although
 * @types/pg declares the hook as void.
 */
function prepareSession(client: pg.ClientBase, schema: string): unknown {
  return client.query(
    `select set_config('search_path', $1, false), set_config('timezone', 'UTC', false),
            set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false),
            set_config('idle_in_transaction_session_timeout', '0', false), set_config('datestyle', 'ISO', false),
            set_config('jit', 'off', false), set_config('max_parallel_workers_per_gather', '0', false)`,
    [pg.escapeIdentifier(schema)],
  );
}
