import pg from 'pg';
import { ConfigError } from '../../model/errors.js';
import { translateDatabaseError } from '../database-errors.js';
import type { DatabaseUrl } from '../database-url.js';
import { setForSession, setForTransaction, type Setting } from './value-settings.js';

const CONNECT_TIMEOUT_SECONDS = 10;

/** How `pg` connects to the target; `applicationName` is what `pg_stat_activity` shows. */
export function clientConfig(target: DatabaseUrl, applicationName = 'wa-reconcile'): pg.ClientConfig {
  return {
    connectionString: target.connectionString,
    application_name: applicationName,
    // Without it, a network that drops idle connections leaves a run waiting forever.
    keepAlive: true,
  };
}

/** Connects a dedicated client. Throws UserError, translated from the error of `pg`. */
export async function connectClient(target: DatabaseUrl, applicationName?: string): Promise<pg.Client> {
  const client = createClient(target, applicationName);
  // A client emits `error` when its connection breaks; without a listener the process would exit.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw translateDatabaseError(error, target.location) ?? error;
  }
}

function createClient(target: DatabaseUrl, applicationName?: string): pg.Client {
  try {
    return new pg.Client({
      ...clientConfig(target, applicationName),
      connectionTimeoutMillis: (target.connectTimeoutSeconds ?? CONNECT_TIMEOUT_SECONDS) * 1000,
    });
  } catch (error) {
    // Reads the files named by sslrootcert, sslcert and sslkey.
    if (!(error instanceof Error) || !('path' in error) || typeof error.path !== 'string') throw error;
    throw new ConfigError(`The database URL names a certificate or key that cannot be read: ${error.path}.`, {
      code: 'database_certificate_unreadable',
      remedy: 'Correct sslrootcert, sslcert or sslkey in the database URL.',
      cause: error,
    });
  }
}

/**
 * Beside those of values, settings that a server, database or role may have changed, and that a run cannot work with:
 * - timeouts meant for web requests would kill a batch, or a dry run that holds its transaction for hours;
 * - compiling a statement or starting workers costs more than a batch of index look-ups. Sent as statements, because
 *   PgBouncer refuses start-up options.
 */
function settingsOf(schema: string): readonly Setting[] {
  return [
    ['search_path', pg.escapeIdentifier(schema)],
    ['statement_timeout', '0'],
    ['lock_timeout', '0'],
    ['idle_in_transaction_session_timeout', '0'],
    ['jit', 'off'],
    ['max_parallel_workers_per_gather', '0'],
  ];
}

/** Sets them for the session. */
export function sessionSettings(schema: string): string {
  return setForSession(settingsOf(schema));
}

/**
 * Sets them for one transaction: on a pooler the next one may use another session, and session settings would leak to
 * other programs. `set` and not `select set_config`: a query would fix the isolation level of the transaction.
 */
export function transactionSettings(schema: string): string {
  return setForTransaction(settingsOf(schema));
}
