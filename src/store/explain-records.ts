import { PENDING_FACT_KINDS } from '../model/enumerations.js';
import { arrayLiteral } from './array-literal.js';
import { uuid, text, time, jsonObject, word, orNull, type RowOf, columns, rowsOf } from './columns.js';
import { keyParameters, type MessageKey } from './messages.js';
import { textOf, integerOf } from './row.js';
import type { Sql } from './sql.js';

const REJECT_RECORD = columns({
  webhookLogId: uuid,
  connectionId: orNull(uuid),
  path: text,
  subject: text,
  reason: text,
  externalId: orNull(text),
  excerpt: text,
});

export type RejectRecord = RowOf<typeof REJECT_RECORD>;

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

/** How many rows per table a run changed or removed, by its journal; and how many contacts and connections it logged. */
export async function countRunRecords(
  sql: Sql,
  runId: string,
): Promise<{ journaled: Record<string, number>; syncLogs: number }> {
  const rows = await sql.query(
    `select table_name, count(*)::int as count from change_journal where run_id = $1::uuid
     group by table_name order by table_name`,
    [runId],
  );
  const [logs] = await sql.query(`select count(*)::int as count from sync_logs where run_id = $1::uuid`, [
    runId,
  ]);
  return {
    journaled: Object.fromEntries(rows.map((row) => [textOf(row, 'table_name'), integerOf(row, 'count')])),
    syncLogs: logs === undefined ? 0 : integerOf(logs, 'count'),
  };
}

/** Items that were rejected under these ids: collisions (M9). */
export async function readRejectsOfMessages(sql: Sql, keys: readonly MessageKey[]): Promise<RejectRecord[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query(
    `select r.* from unnest($1::uuid[], $2::text[]) as k (connection_id, id)
     cross join lateral (
       select * from rejects where connection_id = k.connection_id and external_id = k.id offset 0
     ) r order by r.id`,
    keyParameters(keys),
  );
  return rowsOf(REJECT_RECORD, rows);
}

/**
 * Rejected items whose excerpt names one of `words`, among the newest `most` rejects: an item without an id is filed under
 * nobody, and its excerpt is all that tells whose it was.
 */
export async function readRejectsNaming(
  sql: Sql,
  words: readonly string[],
  most: number,
): Promise<RejectRecord[]> {
  if (words.length === 0) return [];
  const rows = await sql.query(
    `select * from (select * from rejects order by id desc limit ${most}) r
     where exists (select from unnest($1::text[]) as w (word) where position(w.word in r.excerpt) > 0) order by id`,
    [arrayLiteral(words)],
  );
  return rowsOf(REJECT_RECORD, rows);
}

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
