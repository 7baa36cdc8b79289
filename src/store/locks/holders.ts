import { createHash } from 'node:crypto';
import type { UserErrorOptions } from '../../model/errors.js';
import { textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import type { Store } from '../store.js';

/**
 * The current holders of the run lock: the names that the sessions set (`wa-reconcile replay host:123`, cut at 63
 * bytes), null for a session that this role cannot see. The process that has the embedded database open holds its lock,
 * so no other process can: then the result is null.
 */
export async function readLockHolders(
  sql: Sql,
  backend: Store['backend'],
): Promise<(string | null)[] | null> {
  if (backend === 'pglite') return null;
  const [schema] = await sql.query('select current_schema()::text as name');
  const name = schema === undefined ? null : textOrNull(schema, 'name');
  if (name === null) return [];
  const rows = await sql.query(
    `select nullif(a.application_name, '') as name
       from pg_locks l left join pg_stat_activity a on a.pid = l.pid
      where l.locktype = 'advisory' and l.granted and l.objsubid = 2
        and l.database = (select oid from pg_database where datname = current_database())
        and l.classid = $1::bigint::oid and l.objid = ($2::bigint & 4294967295)::oid`,
    [LOCK_NAMESPACE, schemaKey(name)],
  );
  return rows.map((row) => textOrNull(row, 'name'));
}

/**
 * The run lock is pg_advisory_lock(LOCK_NAMESPACE, key of the schema): installations in different schemas of one
 * database do not conflict. The number spells `warc`. Advisory locks are per database, so its name is not part of the
 * key.
 */
export const LOCK_NAMESPACE = 0x77617263;

/** The second number of the lock: 32 bits of the schema's name. */
export function schemaKey(schema: string): number {
  return createHash('sha256').update(schema).digest().readInt32BE(0);
}

/** The namespace of device locks, separate from the run lock: `wadv`. */
export const DEVICE_LOCK_NAMESPACE = 0x77616476;

/** The second number of a device's lock: 32 bits of the schema's name and the connection's id. */
export function deviceKey(schema: string, connectionId: string): number {
  return createHash('sha256').update(schema).update('\0').update(connectionId).digest().readInt32BE(0);
}

/** What is told to whoever finds a database in use. */
export const WAIT_FOR_IT: UserErrorOptions = {
  remedy: 'Run again when it has ended, or wait for it with --lock-wait 5m.',
  inProgram: 'Call again when it has ended, or wait for it with the option lockWaitMs of createContext.',
};
