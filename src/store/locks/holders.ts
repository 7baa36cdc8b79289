import { createHash } from 'node:crypto';
import { textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import type { Store } from '../store.js';

/**
 * Who holds the lock of a run right now: the names that the sessions gave themselves (`wa-reconcile replay host:123`, cut at
 * 63 bytes), null for a session that this role may not see. The embedded database is locked by the very process that has it
 * open, so no other process can hold it: then the result is null.
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
 * The lock of a run is pg_advisory_lock(LOCK_NAMESPACE, key of the schema): two installations in two schemas of one database
 * do not meet. The number spells `warc`. Advisory locks belong to the database, so its name is not part of the key.
 */
export const LOCK_NAMESPACE = 0x77617263;

/** The second number of the lock: 32 bits of the schema's name. */
export function schemaKey(schema: string): number {
  return createHash('sha256').update(schema).digest().readInt32BE(0);
}

/** The lock of a linked device is another one, beside that of the run: `wadv`. */
export const DEVICE_LOCK_NAMESPACE = 0x77616476;

/** The second number of a device's lock: 32 bits of the schema's name and the connection's id. */
export function deviceKey(schema: string, connectionId: string): number {
  return createHash('sha256').update(schema).update('\0').update(connectionId).digest().readInt32BE(0);
}
