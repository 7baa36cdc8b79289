import { createHash } from 'node:crypto';

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
