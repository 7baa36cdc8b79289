import { isKeySound, MESSAGE_KEY } from '../checks/schema.js';
import { textOf, booleanOf } from '../row.js';
import type { Sql } from '../sql.js';
import { keyParameters, type MessageKey } from './messages.js';

/** How to find message rows by the ids in `k`: the part after `from`, with the rows as `m`. */
export interface MessageLookup {
  /** `keys` gives `k (connection_id, external_id)`. At most one row per key. */
  byExternalId: (keys: string) => string;
  /** `keys` gives `k (connection_id, stanza_id)`. */
  byStanzaId: (keys: string) => string;
}

/**
 * One look-up per key. `lateral … limit/offset` is a fence: without it, and before statistics exist for a new table,
 * the planner joins by scanning all of it for every batch.
 */
export const BY_INDEX: MessageLookup = {
  byExternalId: (keys) =>
    `${keys} cross join lateral (
       select c.xmin, c.* from messages c
       where c.connection_id = k.connection_id and c.external_id = k.external_id limit 1
     ) m`,
  // The connection outside of the fence: before statistics exist, the planner also reads an index with all of its messages.
  byStanzaId: (keys) =>
    `${keys} join lateral (
       select c.xmin, c.* from messages c where c.stanza_id = k.stanza_id and c.external_id is not null offset 0
     ) m on m.connection_id = k.connection_id`,
};

/** The copy of the ids made by {@link prepareMessageLookup}, with each row's place in the table. */
const KEYS = 'wa_message_keys';

const BY_COPY: MessageLookup = {
  byExternalId: (keys) =>
    `${keys} cross join lateral (
       select f.place from pg_temp.${KEYS} f
       where f.connection_id = k.connection_id and f.external_id = k.external_id order by f.place limit 1
     ) found
     cross join lateral (select c.xmin, c.* from messages c where c.ctid = found.place offset 0) m`,
  byStanzaId: (keys) =>
    `${keys} cross join lateral (
       select f.place from pg_temp.${KEYS} f
       where f.connection_id = k.connection_id and f.stanza_id = k.stanza_id offset 0
     ) found
     cross join lateral (select c.xmin, c.* from messages c where c.ctid = found.place offset 0) m`,
};

/** One scan of the table for all keys of a statement, by a hash join. */
const BY_SCAN: MessageLookup = {
  byExternalId: (keys) =>
    `(select distinct on (c.connection_id, c.external_id) c.xmin, c.* from ${keys}
      join messages c on c.connection_id = k.connection_id and c.external_id = k.external_id
      order by c.connection_id, c.external_id, c.ctid) m`,
  byStanzaId: (keys) =>
    `${keys} join (select xmin, * from messages where external_id is not null) m
       on m.stanza_id = k.stanza_id and m.connection_id = k.connection_id`,
};

/**
 * Creates the missing indexes of messages on a temporary copy of its ids, for the rest of this transaction: `verify`
 * must handle a database that lost them, and a scan of the table for every thousand items would make its time
 * quadratic. Reads the table once. Only for a transaction with one snapshot from beginning to end: there a row stays in
 * its place. Does nothing if the indexes exist, or if temporary tables are not allowed (a standby, a role without the
 * right): look-ups then scan.
 */
export async function prepareMessageLookup(tx: Sql): Promise<void> {
  if (await hasIndexes(tx)) return;
  await tx.execute('savepoint before_message_keys');
  try {
    await tx.execute(
      `create temporary table ${KEYS} on commit drop as
       select connection_id, external_id, stanza_id, ctid as place from messages where external_id is not null`,
    );
    await tx.execute(`create index on pg_temp.${KEYS} (external_id, connection_id, place)`);
    await tx.execute(`create index on pg_temp.${KEYS} (stanza_id) where stanza_id is not null`);
    await tx.execute(`analyze pg_temp.${KEYS}`);
  } catch {
    await tx.execute('rollback to savepoint before_message_keys');
  }
}

/** The fastest way available in this transaction; checked once, not per look-up. */
export async function openMessageLookup(sql: Sql): Promise<MessageLookup> {
  const [row] = await sql.query(`select to_regclass('pg_temp.${KEYS}') is not null as is_copied`);
  if (row !== undefined && booleanOf(row, 'is_copied')) return BY_COPY;
  return (await hasIndexes(sql)) ? BY_INDEX : BY_SCAN;
}

/** Those of these ids shared by several rows; none if the unique index exists. */
export async function readDuplicateIds(sql: Sql, keys: readonly MessageKey[]): Promise<MessageKey[]> {
  if (keys.length === 0 || (await isKeySound(sql, MESSAGE_KEY))) return [];
  const rows = await sql.query(
    `select connection_id, external_id from messages
     where (connection_id, external_id) in (select * from unnest($1::uuid[], $2::text[]))
     group by connection_id, external_id having count(*) > 1`,
    keyParameters(keys),
  );
  return rows.map((row) => ({ connectionId: textOf(row, 'connection_id'), id: textOf(row, 'external_id') }));
}

/** Whether indexes exist for both message ids. */
async function hasIndexes(sql: Sql): Promise<boolean> {
  if (!(await isKeySound(sql, MESSAGE_KEY))) return false;
  const [row] = await sql.query(
    `select exists (
       select from pg_index i
       where i.indrelid = to_regclass('messages') and i.indisvalid and i.indpred is null
         and pg_get_indexdef(i.indexrelid, 1, true) = 'stanza_id'
     ) as is_there`,
  );
  return row !== undefined && booleanOf(row, 'is_there');
}
