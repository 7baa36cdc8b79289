import { ConfigError } from '../../model/errors.js';
import type { Store } from '../store.js';
import type { UniqueKey } from './unique-keys.js';

/**
 * Makes a unique index, by the name and definition that the migrations give it. On a server without stopping its writers
 * (`concurrently`, which no transaction may hold); it then waits for transactions that are older than itself. On the embedded
 * database there are no others, and it cannot do otherwise.
 *
 * Throws what the database says: 23505 where rows are doubled, which leaves an index behind that is not valid.
 */
export async function makeIndex(store: Store, key: UniqueKey): Promise<void> {
  const where = key.where === undefined ? '' : ` where ${key.where}`;
  await store.sql.execute(
    `create unique index ${concurrently(store)}${key.index} on ${key.table} (${key.columns.join(', ')})${where}`,
  );
  if (!key.primary) return;
  // The index becomes the primary key without being built again; the lock lasts as long as a look for absent values.
  await store.sql.execute(
    `alter table ${key.table} add constraint ${key.index} primary key using index ${key.index}`,
  );
}

/** Drops what stands under a key's name: the left-over of an attempt that failed, or an index that does something else. */
export async function dropIndex(store: Store, key: UniqueKey, isConstraint: boolean): Promise<void> {
  await store.sql.execute(
    isConstraint
      ? `alter table ${key.table} drop constraint if exists ${key.index}`
      : `drop index ${concurrently(store)}if exists ${key.index}`,
  );
}

/** Outside of any transaction, so that other programs can go on writing; behind a pooler nothing of ours is outside of one. */
function concurrently(store: Store): string {
  if (store.pooled) {
    throw new ConfigError(
      `An index cannot be made through the connection pooler at ${store.location}: that takes a session of its own.`,
      {
        code: 'session_needed',
        remedy: 'Set DIRECT_URL to the address of the server itself, without the pooler, and run again.',
      },
    );
  }
  return store.backend === 'postgresql' ? 'concurrently ' : '';
}
