import pg from 'pg';
import { LockedError, UserError } from '../../model/errors.js';
import { connectServer, type ServerConfig } from '../backends/postgresql-access.js';
import { transactionSettings } from '../backends/postgresql-client.js';
import { translateDatabaseError } from '../database-errors.js';
import { DEVICE_LOCK_NAMESPACE, deviceKey, LOCK_NAMESPACE, schemaKey, WAIT_FOR_IT } from './holders.js';
import { type RunLock, type RunLockOptions, pollForLock } from './run-lock.js';

/** Shorter than the idle timeout of most routers and firewalls. */
const HEARTBEAT_MS = 30_000;

/** PostgreSQL cuts application_name at 63 bytes. */
const MAX_APPLICATION_NAME = 63;

/** One of PostgreSQL's advisory locks, and the text of its refusal. */
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

/** The lock of one connection's linked device: exclusive, and separate from the run lock. */
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
 * On a dedicated session, the session holds the lock. On a pooler, one transaction holds it until the run ends: a
 * pooler in transaction mode keeps a client and its session together for exactly one transaction, so that transaction
 * is as good as a session, and the two lock kinds exclude each other. It reads and writes no rows: it has no
 * transaction id and, between its statements, no snapshot, so it does not hold back vacuum. If something ends it early,
 * such as a pooler's idle timeout, the connection closes; the run notices and stops.
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
        // Without parameters: a parameterized statement keeps its snapshot until the next one, which would hold back
        // vacuum.
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

/** Set the name again: a pooler may have passed on its own, and a blocked process sees this one. */
async function beginLockTransaction(client: pg.Client, schema: string, name: string): Promise<void> {
  await client.query(
    `begin isolation level read committed; ${transactionSettings(schema)};
     set local application_name to ${pg.escapeLiteral(name)}`,
  );
}

/** Watches the connection while we hold the lock. */
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

  // Only a write reveals a dead network, and an idle connection or transaction may be dropped on the way.
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
    // Ending the session, or its transaction, releases the lock; the connection may already be gone, and the lock with
    // it.
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

/** The current lock holders. A role that cannot see other sessions gets only process ids. */
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
  return new LockedError(`${subject} is in use by ${shown}${more}${alone}.`, WAIT_FOR_IT);
}

function describeHolder({ application, pid, client, since }: LockHolder): string {
  const name = application?.replace(/^wa-reconcile /, '') ?? 'an unknown program';
  const from = client === null ? '' : `, from ${client}`;
  const start = since === null ? '' : `, since ${since.toISOString()}`;
  return `${name} (server process ${pid}${from}${start})`;
}

/**
 * PostgreSQL 14 and newer can end idle sessions, which would release the lock; on older ones the query does nothing.
 */
async function disableIdleTimeout(client: pg.Client): Promise<void> {
  await client.query(
    `select set_config('idle_session_timeout', '0', false) where current_setting('server_version_num')::int >= 140000`,
  );
}
