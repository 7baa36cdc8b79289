import pg from 'pg';
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
  const client = new pg.Client({
    ...clientConfig(target, applicationName),
    connectionTimeoutMillis: (target.connectTimeoutSeconds ?? CONNECT_TIMEOUT_SECONDS) * 1000,
  });
  // A client whose connection breaks emits `error`; unheard, that ends the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw translateDatabaseError(error, target.location) ?? error;
  }
  return client;
}
