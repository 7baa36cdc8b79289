import pg from 'pg';
import { ConfigError } from '../../model/errors.js';
import { translateDatabaseError } from '../database-errors.js';
import type { DatabaseUrl } from '../database-url.js';

const CONNECT_TIMEOUT_SECONDS = 10;

/** How `pg` connects to the target; `applicationName` is what `pg_stat_activity` shows. */
export function clientConfig(target: DatabaseUrl, applicationName = 'wa-reconcile'): pg.ClientConfig {
  return {
    connectionString: target.connectionString,
    application_name: applicationName,
    // Without it, a network that drops idle connections leaves a run waiting for ever.
    keepAlive: true,
  };
}

/** Connects a client of its own. Throws UserError, made of what `pg` says, which is more precise than what Prisma does. */
export async function connectClient(target: DatabaseUrl, applicationName?: string): Promise<pg.Client> {
  const client = createClient(target, applicationName);
  // A client whose connection breaks emits `error`; unheard, that ends the process.
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
    // The files that sslrootcert, sslcert and sslkey name are read here.
    if (!(error instanceof Error) || !('path' in error) || typeof error.path !== 'string') throw error;
    throw new ConfigError(`The database URL names a certificate or key that cannot be read: ${error.path}.`, {
      code: 'database_certificate_unreadable',
      remedy: 'Correct sslrootcert, sslcert or sslkey in the database URL.',
      cause: error,
    });
  }
}
