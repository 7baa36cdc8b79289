import pg from 'pg';
import { LockedError, UserError } from '../../model/errors.js';
import { connectServer, type ServerConfig } from '../backends/postgresql-access.js';
import { transactionSettings } from '../backends/postgresql-client.js';
import { translateDatabaseError } from '../database-errors.js';
import { DEVICE_LOCK_NAMESPACE, deviceKey, LOCK_NAMESPACE, schemaKey } from './holders.js';
import { type RunLock, type RunLockOptions, pollForLock } from './run-lock.js';

/** Shorter than what routers and firewalls usually grant an idle connection. */
const HEARTBEAT_MS = 30_000;

/** PostgreSQL cuts application_name at 63 bytes. */
const MAX_APPLICATION_NAME = 63;

/** One of PostgreSQL's advisory locks, and the words of its refusal. */
interface AdvisoryLock {
  namespace: number;
  key: (schema: string) => number;
  /** What is locked: `The database postgresql://…`. */
  subject: (location: string) => string;
}

/** {@link acquireRunLock} on PostgreSQL. */
export function acquireAdvisoryLock(config: ServerConfig, options: RunLockOptions): Promise<RunLock> {
  return acquire(config, options, {
    namespace: LOCK_NAMESPACE,
    key: schemaKey,
    subject: (location) => `The database ${location}`,
  });
}

/** The lock of one connection's linked device: exclusive, and beside the lock of the run. */
export function acquireDeviceAdvisoryLock(
  config: ServerConfig,
  connection: { id: string; name: string; subject?: string },
  options: Omit<RunLockOptions, 'mode'>,
): Promise<RunLock> {
  return acquire(
    config,
    { ...options, mode: 'exclusive' },
    {
      namespace: DEVICE_LOCK_NAMESPACE,
      key: (schema) => deviceKey(schema, connection.id),
      subject: () => connection.subject ?? `The linked device of '${connection.name}'`,
    },
  );
}

/**
 * On a session of our own the lock is the session's. On a pooler it belongs to one transaction that stays open until the run
 * ends: a pooler in transaction mode keeps a client and its session together for exactly as long as the client's transaction
 * lasts, so that transaction is as good as a session, and both kinds exclude each other. It reads and writes no rows: it has
 * no transaction id and, between its statements, no snapshot, so vacuum is not held back by it. What ends it early, such as
 * an idle timeout of the pooler, closes the connection; the run hears of that and stops.
 */
async function acquire(
  config: ServerConfig,
  options: RunLockOptions,
  wanted: AdvisoryLock,
): Promise<RunLock> {
  const name = `wa-reconcile ${options.command} ${options.host}:${options.pid}`.slice(
    0,
    MAX_APPLICATION_NAME,
  );
  const { client, target, pooled } = await connectServer(config, name);
  try {
    if (pooled) await beginLockTransaction(client, target.schema, name);
    else await disableIdleTimeout(client);
    const key = wanted.key(target.schema);
    const attempt = `pg_try_advisory${pooled ? '_xact' : ''}_lock${options.mode === 'shared' ? '_shared' : ''}`;
    return await pollForLock<RunLock, number>(
      async () => {
        // Without parameters: a statement with some keeps its snapshot until the next one, and vacuum would wait for it.
        const { rows } = await client.query<{ taken: boolean }>(
          `select ${attempt}(${wanted.namespace}, ${key}) as taken`,
        );
        return rows[0]?.taken === true ? { lock: hold(client, target.location) } : { held: key };
      },
      async () =>
        refusal(wanted, target.location, options.mode, await readHolders(client, wanted.namespace, key)),
      options,
    );
  } catch (error) {
    await client.end().catch(() => undefined);
    throw translateDatabaseError(error, target.location) ?? error;
  }
}

/** The name is set again: a pooler may have passed on its own, and this name is shown to whoever finds the lock taken. */
async function beginLockTransaction(client: pg.Client, schema: string, name: string): Promise<void> {
  await client.query(
    `begin isolation level read committed; ${transactionSettings(schema)};
     set local application_name to ${pg.escapeLiteral(name)}`,
  );
}

/** Watches the connection for as long as the lock is ours. */
function hold(client: pg.Client, location: string): RunLock {
  const lost = new AbortController();
  let released: Promise<void> | undefined;

  function lose(cause?: unknown): void {
    clearInterval(heartbeat);
    if (released !== undefined || lost.signal.aborted) return;
    lost.abort(
      new UserError(`The connection that held the lock on ${location} was lost.`, {
        code: 'lock_lost',
        remedy: 'Run the same command again to resume.',
        cause,
      }),
    );
  }

  // A dead network is only noticed by writing, and an idle connection or transaction may be dropped on the way.
  const heartbeat = setInterval(() => {
    client.query('select 1').catch(lose);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  client.on('error', lose);
  client.on('end', () => {
    lose();
  });

  async function release(): Promise<void> {
    clearInterval(heartbeat);
    // Ending the session, or its transaction, frees the lock; the connection may be gone already, and the lock with it.
    await client.query('rollback').catch(() => undefined);
    await client.end().catch(() => undefined);
  }

  return {
    lost: lost.signal,
    assertHeld() {
      lost.signal.throwIfAborted();
    },
    release: () => (released ??= release()),
  };
}

interface LockHolder {
  application: string | null;
  pid: number;
  client: string | null;
  since: Date | null;
}

/** Who holds the lock now. A role that may not see other roles' sessions gets process ids only. */
async function readHolders(client: pg.Client, namespace: number, key: number): Promise<LockHolder[]> {
  const { rows } = await client.query<LockHolder>(
    `select nullif(a.application_name, '') as application, l.pid, host(a.client_addr) as client, a.backend_start as since
       from pg_locks l left join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.pid <> pg_backend_pid()
        and l.database = (select oid from pg_database where datname = current_database())
        and l.classid = $1::bigint::oid and l.objid = ($2::bigint & 4294967295)::oid
      order by a.backend_start`,
    [namespace, key],
  );
  return rows;
}

function refusal(
  wanted: AdvisoryLock,
  location: string,
  mode: RunLockOptions['mode'],
  holders: LockHolder[],
): LockedError {
  const subject = wanted.subject(location);
  const remedy = 'Run again when it has ended, or wait for it with --lock-wait 5m.';
  if (holders.length === 0) {
    return new LockedError(`${subject} is in use by another run, which has just ended.`, {
      remedy: 'Run again.',
    });
  }
  const shown = holders.slice(0, 3).map(describeHolder).join('; ');
  const more = holders.length > 3 ? `; and ${holders.length - 3} more` : '';
  const alone =
    mode === 'exclusive' && wanted.namespace === LOCK_NAMESPACE
      ? ', and this command needs exclusive access'
      : '';
  return new LockedError(`${subject} is in use by ${shown}${more}${alone}.`, { remedy });
}

function describeHolder({ application, pid, client, since }: LockHolder): string {
  const name = application?.replace(/^wa-reconcile /, '') ?? 'an unknown program';
  const from = client === null ? '' : `, from ${client}`;
  const start = since === null ? '' : `, since ${since.toISOString()}`;
  return `${name} (server process ${pid}${from}${start})`;
}

/** PostgreSQL 14 and newer can end idle sessions, and with this one the lock; the query asks older ones for nothing. */
async function disableIdleTimeout(client: pg.Client): Promise<void> {
  await client.query(
    `select set_config('idle_session_timeout', '0', false) where current_setting('server_version_num')::int >= 140000`,
  );
}
