import { randomInt } from 'node:crypto';
import type pg from 'pg';
import { ConfigError } from '../../model/errors.js';
import { parseDatabaseUrl, type DatabaseUrl } from '../database-url.js';
import { connectClient } from './postgresql-client.js';

/** How a PostgreSQL is reached. */
export interface ServerConfig {
  /** DATABASE_URL: where the tables are; may lead to a pooler. */
  url: string;
  /** DIRECT_URL: a way to the same database without the pooler. Used only where `url` leads to one. */
  directUrl?: string | undefined;
}

export interface ServerAccess {
  client: pg.Client;
  target: DatabaseUrl;
  /**
   * True when two transactions of one client may meet two different sessions of the server: a pooler in transaction mode.
   * Nothing lasts longer than a transaction then: no setting, no prepared statement, no lock.
   */
  pooled: boolean;
}

/** The key space in which two URLs prove that they lead to one database: `wapr`. */
const PROOF_NAMESPACE = 0x77617072;

/**
 * Connects one client: to the server behind `url`, or, where that is a pooler and there is a direct URL, past the pooler.
 * Throws UserError when a server cannot be reached, or when the direct URL leads to another database or to a pooler.
 */
export async function connectServer(config: ServerConfig, applicationName?: string): Promise<ServerAccess> {
  const target = parseDatabaseUrl(config.url);
  const client = await connectClient(target, applicationName);
  try {
    if (!target.pgbouncer && (await isOwnSession(client))) return { client, target, pooled: false };
    if (config.directUrl === undefined) return { client, target, pooled: true };
    // The tables are where DATABASE_URL says, also if the direct URL names no schema or another one.
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
 * Whether a client has a session of the server to itself. When it connects, PostgreSQL tells it the process id of its session
 * (to cancel queries with), and PostgreSQL itself answers `pg_backend_pid()`. A pooler in transaction mode cannot tell the
 * former: when a client connects it has no session yet, and later any; so it makes a number up. Asking twice whether the
 * session is still the same would prove nothing, for an idle pooler gives the same one again.
 *
 * A proxy that makes numbers up although it keeps one session per client is taken for a pooler: that is safe, and slower.
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
 * Whether two clients are in one database: an advisory lock that the one holds inside a transaction, under a number that
 * nobody else has, is seen by the other. Names and addresses would not do: they differ on the two ways to one server.
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

/** More than the idle sessions that a pooler usually keeps for one database. */
const OTHERS = 4;

/**
 * Whether what is called direct gives the session of one client to another: while others hold transactions, none may be in
 * it. A pooler gives idle sessions away before it opens new ones, so with enough others one of them gets it. Of a pooler with
 * more idle sessions this is no proof, only a guard against an address that was mistaken.
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
