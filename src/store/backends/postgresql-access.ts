import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { ConfigError } from '../../model/errors.js';
import { parseDatabaseUrl, type DatabaseUrl } from '../database-url.js';
import { connectClient } from './postgresql-client.js';

/** How to reach a PostgreSQL server. */
export interface ServerConfig {
  /** DATABASE_URL: the database of the tables; may point to a pooler. */
  url: string;
  /** DIRECT_URL: the same database without the pooler. Used only if `url` points to one. */
  directUrl?: string | undefined;
}

export interface ServerAccess {
  client: pg.Client;
  target: DatabaseUrl;
  /**
   * True if two transactions of one client may get different server sessions: a pooler in transaction mode. Nothing
   * outlives a transaction then: no setting, no prepared statement, no lock.
   */
  pooled: boolean;
}

/** The lock key space that proves two URLs lead to one database: `wapr`. */
const PROOF_NAMESPACE = 0x77617072;

/**
 * Connects one client: to the server behind `url`, or, if that is a pooler and there is a direct URL, past the pooler.
 * Throws UserError when a server cannot be reached, or when the direct URL leads to another database or to a pooler.
 */
export async function connectServer(config: ServerConfig, applicationName?: string): Promise<ServerAccess> {
  const target = parseDatabaseUrl(config.url);
  const client = await connectClient(target, applicationName);
  try {
    if (!target.pgbouncer && (await isOwnSession(client))) return { client, target, pooled: false };
    if (config.directUrl === undefined) return { client, target, pooled: true };
    // The tables are in DATABASE_URL's schema, even if the direct URL names none or another.
    const direct = { ...parseDatabaseUrl(config.directUrl), schema: target.schema };
    const past = await connectPast(client, direct, applicationName);
    await client.end().catch(() => undefined);
    return { client: past, target: { ...direct, location: target.location }, pooled: false };
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/**
 * Whether a client has a server session to itself. On connecting, PostgreSQL reports the process id of the session (for
 * canceling queries), and `pg_backend_pid()` must match it. A pooler in transaction mode has no session yet when a
 * client connects, so it reports a made-up number. Comparing two queries would prove nothing: an idle pooler returns
 * the same session again.
 *
 * A proxy that makes up numbers but keeps one session per client is treated as a pooler: safe, but slower.
 */
async function isOwnSession(client: pg.Client): Promise<boolean> {
  const told: unknown = 'processID' in client ? client.processID : null;
  return told === (await backendPid(client));
}

async function backendPid(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid ?? 0;
}

/** Connects past the pooler to the same database. */
async function connectPast(
  pooled: pg.Client,
  direct: DatabaseUrl,
  applicationName: string | undefined,
): Promise<pg.Client> {
  const client = await connectClient(direct, applicationName);
  try {
    if (!(await leadsTo(pooled, client))) {
      throw new ConfigError(`DIRECT_URL points to another database than DATABASE_URL: ${direct.location}.`, {
        code: 'direct_url_differs',
        remedy: 'Point it at the same server and database, without the pooler.',
      });
    }
    if (!(await isOwnSession(client)) && (await sharesSessions(client, direct))) {
      throw new ConfigError(`DIRECT_URL also points to a connection pooler: ${direct.location}.`, {
        code: 'direct_url_pooled',
        remedy: 'Set it to the server itself, or unset it: the pooler works without it, only slower.',
      });
    }
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/**
 * Whether two clients are in one database: one takes an advisory lock with a unique number inside a transaction, and
 * the other must see it. Names and addresses prove nothing: they differ between two routes to one server.
 */
async function leadsTo(pooled: pg.Client, direct: pg.Client): Promise<boolean> {
  const key = randomInt(2 ** 31);
  await pooled.query('begin');
  try {
    await pooled.query('select pg_advisory_xact_lock($1, $2)', [PROOF_NAMESPACE, key]);
    const { rows } = await direct.query(
      `select from pg_locks
        where locktype = 'advisory' and granted and objsubid = 2 and classid = $1::bigint::oid and objid = $2::bigint::oid
          and database = (select oid from pg_database where datname = current_database())`,
      [PROOF_NAMESPACE, key],
    );
    return rows.length > 0;
  } finally {
    await pooled.query('rollback');
  }
}

/** More than the idle sessions a pooler usually keeps for one database. */
const OTHERS = 4;

/**
 * Whether the "direct" connection gives one client's session to another: while others hold transactions, none may be in
 * it. A pooler reuses idle sessions before opening new ones, so with enough others one of them gets it. With more idle
 * sessions this proves nothing; it only guards against a mistaken address.
 */
async function sharesSessions(client: pg.Client, target: DatabaseUrl): Promise<boolean> {
  const own = await backendPid(client);
  const others: pg.Client[] = [];
  try {
    while (others.length < OTHERS) {
      const other = await connectClient(target);
      others.push(other);
      await other.query('begin');
      if ((await backendPid(other)) === own) return true;
    }
    return (await backendPid(client)) !== own;
  } finally {
    await Promise.all(others.map((other) => other.end().catch(() => undefined)));
  }
}
