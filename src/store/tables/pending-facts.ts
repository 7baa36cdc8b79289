import { PENDING_FACT_KINDS } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  columnNames,
  time,
  unnestParameters,
  unnestTable,
  columns,
  uuid,
  text,
  word,
  jsonObject,
  orNull,
  type RowOf,
  rowsOf,
  only,
} from '../columns.js';
import { insertRows } from '../insert-rows.js';
import type { Sql } from '../sql.js';
import { keyParameters, type MessageKey } from './messages.js';

const PENDING_COLUMNS = columns({
  connectionId: uuid,
  targetExternalId: text,
  kind: word(PENDING_FACT_KINDS),
  factKey: text,
  at: time,
  payload: jsonObject,
  webhookLogId: orNull(uuid),
});

/** A status, edit, revoke or reaction whose message is not stored yet. */
export type PendingFactRow = RowOf<typeof PENDING_COLUMNS>;

export async function readPendingFacts(tx: Sql, targets: readonly MessageKey[]): Promise<PendingFactRow[]> {
  if (targets.length === 0) return [];
  const rows = await tx.query(
    `select ${columnNames(PENDING_COLUMNS, 'p')}
     from unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     cross join lateral (
       select * from pending_facts where connection_id = k.connection_id and target_external_id = k.target offset 0
     ) p`,
    keyParameters(targets),
  );
  return rowsOf(PENDING_COLUMNS, rows);
}

export async function insertPendingFacts(tx: Sql, rows: readonly PendingFactRow[]): Promise<number> {
  return insertRows(
    tx,
    'pending_facts',
    PENDING_COLUMNS,
    rows,
    `-- The same fact, come again while its message is still missing.
     on conflict (connection_id, target_external_id, kind, fact_key) do nothing`,
  );
}

/** Removes what has just been applied, by full key. */
export async function deletePendingFacts(tx: Sql, rows: readonly PendingFactRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  const keys = only(PENDING_COLUMNS, 'connectionId', 'targetExternalId', 'kind', 'factKey');
  return tx.execute(
    `delete from pending_facts p using ${unnestTable(keys)}
     where ${keys.map((column) => `p.${column.name} = r.${column.name}`).join(' and ')}`,
    unnestParameters(keys, rows),
  );
}

const PENDING_RECORD = columns({
  connectionId: uuid,
  targetExternalId: text,
  kind: word(PENDING_FACT_KINDS),
  at: time,
  createdAt: time,
  payload: jsonObject,
  webhookLogId: orNull(uuid),
});

export type PendingRecord = RowOf<typeof PENDING_RECORD>;

/** What waits for a message with one of these ids. */
export async function readPendingOf(sql: Sql, keys: readonly MessageKey[]): Promise<PendingRecord[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query(
    `select p.* from unnest($1::uuid[], $2::text[]) as k (connection_id, id)
     cross join lateral (
       select * from pending_facts where connection_id = k.connection_id and target_external_id = k.id offset 0
     ) p order by p.at, p.kind`,
    keyParameters(keys),
  );
  return rowsOf(PENDING_RECORD, rows);
}

/** What waits for messages whose id begins like this: the wamids of one phone do. At most `most` per connection and prefix. */
export async function readPendingByPrefix(
  sql: Sql,
  connectionIds: readonly string[],
  prefixes: readonly string[],
  most: number,
): Promise<PendingRecord[]> {
  if (connectionIds.length === 0 || prefixes.length === 0) return [];
  const rows = await sql.query(
    `select p.* from unnest($1::uuid[]) as c (id) cross join unnest($2::text[]) as k (prefix)
     cross join lateral (
       -- A range, and no LIKE, so that the primary key answers it whatever the database's collation is.
       select * from pending_facts
       where connection_id = c.id and target_external_id >= k.prefix and target_external_id < k.prefix || '~'
       limit ${most}
     ) p order by p.at, p.kind`,
    [arrayLiteral(connectionIds), arrayLiteral(prefixes)],
  );
  return rowsOf(PENDING_RECORD, rows);
}
