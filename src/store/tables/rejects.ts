import { arrayLiteral, arraysOf } from '../array-literal.js';
import { uuid, text, time, orNull, type RowOf, columns, rowsOf, named, insertRows } from '../columns.js';
import { isSameEntrySql, mayReplaceSql } from '../entry-id.js';
import { textOf, integerOf, textOrNull, timeOf } from '../row.js';
import type { Sql } from '../sql.js';
import { keyParameters, type MessageKey } from './messages.js';
import { rfc3339 } from '../../model/time.js';

const REJECT_COLUMNS = columns({
  id: uuid,
  runId: uuid,
  webhookLogId: uuid,
  connectionId: orNull(uuid),
  path: text,
  subject: text,
  reason: text,
  externalId: orNull(text),
  excerpt: text,
});

export type RejectRow = RowOf<typeof REJECT_COLUMNS>;

export async function insertRejects(tx: Sql, rows: readonly RejectRow[]): Promise<number> {
  return insertRows(
    tx,
    'rejects',
    REJECT_COLUMNS,
    rows,
    `-- The same item, rejected again by a later replay, is on record already.
     on conflict (webhook_log_id, path, reason) do nothing`,
  );
}

/**
 * Moves rejects whose entry is gone from the raw log to that entry, come again: they keep their first reject date, and the item
 * is not on record twice. Where their entry's id does not tell its bytes, to entries that bring the same items, one for one.
 */
export async function relinkRejects(tx: Sql, rows: readonly RejectRow[]): Promise<void> {
  if (rows.length === 0) return;
  const key = 'connection_id, subject, path, reason, excerpt';
  const fresh = `fresh as (
       select n.*, row_number() over (partition by ${key} order by log_id) as nth
       from (select distinct * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])
         as n (log_id, connection_id, subject, path, reason, excerpt)) n
       where not exists (
         select from rejects r where r.webhook_log_id = n.log_id and r.path = n.path and r.reason = n.reason
       )
     ), gone as (
       select r.*, row_number() over (partition by ${key} order by id) as nth from rejects r
       where exists (
           select from fresh f where f.path = r.path and f.reason = r.reason and f.excerpt = r.excerpt
         ) and not exists (select from webhook_log w where w.id = r.webhook_log_id)
     )`;
  const parameters = arraysOf(rows, 'webhookLogId', 'connectionId', 'subject', 'path', 'reason', 'excerpt');
  await tx.execute(
    `with ${fresh}
     update rejects set webhook_log_id = due.log_id
     from (
       select distinct on (f.log_id, path, reason) g.id, f.log_id
       from fresh f join gone g using (subject, path, reason, excerpt)
       where g.connection_id is not distinct from f.connection_id
         and ${isSameEntrySql('g.webhook_log_id', 'f.log_id')}
       order by f.log_id, path, reason, g.id
     ) due
     where rejects.id = due.id`,
    parameters,
  );
  await tx.execute(
    `with ${fresh}
     update rejects set webhook_log_id = f.log_id
     from fresh f join gone g using (subject, path, reason, excerpt, nth)
     where rejects.id = g.id and g.connection_id is not distinct from f.connection_id
       and ${mayReplaceSql('g.webhook_log_id', 'f.log_id')}`,
    parameters,
  );
}

/**
 * Deletes rejects of reapplied entries, except items still rejected: those keep their first reject date, so they need
 * no new acknowledgement.
 */
export async function deleteRejects(
  tx: Sql,
  webhookLogIds: readonly string[],
  still: readonly RejectRow[],
): Promise<void> {
  if (webhookLogIds.length === 0) return;
  await tx.execute(
    `delete from rejects r where r.webhook_log_id = any($1::uuid[]) and not exists (
       select from unnest($2::uuid[], $3::text[], $4::text[]) as still (id, path, reason)
       where still.id = r.webhook_log_id and still.path = r.path and still.reason = r.reason
     )`,
    [arrayLiteral(webhookLogIds), ...arraysOf(still, 'webhookLogId', 'path', 'reason')],
  );
}

/** Items rejected under these ids: collisions (M9). */
export async function readRejectsOfMessages(sql: Sql, keys: readonly MessageKey[]): Promise<RejectRow[]> {
  if (keys.length === 0) return [];
  const rows = await sql.query(
    `select r.* from unnest($1::uuid[], $2::text[]) as k (connection_id, id)
     cross join lateral (
       select * from rejects where connection_id = k.connection_id and external_id = k.id offset 0
     ) r order by r.id`,
    keyParameters(keys),
  );
  return rowsOf(REJECT_COLUMNS, rows);
}

/**
 * Rejected items with an excerpt that names one of `words`, among the newest `most` rejects: an item without an id is
 * filed under no contact, and only its excerpt shows its owner.
 */
export async function readRejectsNaming(
  sql: Sql,
  words: readonly string[],
  most: number,
): Promise<RejectRow[]> {
  if (words.length === 0) return [];
  const rows = await sql.query(
    `select * from (select * from rejects order by id desc limit ${most}) r
     where exists (select from unnest($1::text[]) as w (word) where position(w.word in r.excerpt) > 0) order by id`,
    [arrayLiteral(words)],
  );
  return rowsOf(REJECT_COLUMNS, rows);
}

export interface RejectGroup {
  connectionId: string | null;
  subject: string;
  reason: string;
  count: number;
  firstAt: number;
  lastAt: number;
  /** The newest of the entries. */
  webhookLogId: string;
  /** Its items are read without a fault now. */
  isReadable?: boolean;
}

/** The rejects on record since (ms since 1970), or all. */
export async function readRejectGroups(sql: Sql, since: number | null): Promise<RejectGroup[]> {
  const rows = await sql.query(
    `select connection_id, subject, reason, count(*) as count,
       min(created_at) as first_at, max(created_at) as last_at,
       -- Ids grow with time: the greatest is of an entry that was stored last.
       max(webhook_log_id::text) as webhook_log_id
     from rejects where $1::timestamptz is null or created_at >= $1::timestamptz
     group by connection_id, subject, reason order by count(*) desc, subject, reason`,
    [rfc3339(since)],
  );
  return rows.map((row) => ({
    connectionId: textOrNull(row, 'connection_id'),
    subject: textOf(row, 'subject'),
    reason: textOf(row, 'reason'),
    count: integerOf(row, 'count'),
    firstAt: timeOf(row, 'first_at'),
    lastAt: timeOf(row, 'last_at'),
    webhookLogId: textOf(row, 'webhook_log_id'),
  }));
}

const REJECTED_ITEM = columns({
  connectionId: orNull(uuid),
  webhookLogId: uuid,
  origin: orNull(text),
  path: text,
  subject: text,
  reason: text,
  excerpt: text,
  at: named('created_at', time),
});

export type RejectedItem = RowOf<typeof REJECTED_ITEM>;

/** The newest rejects, of one connection or of all. */
export async function readNewestRejects(
  sql: Sql,
  connectionId: string | null,
  limit: number,
): Promise<RejectedItem[]> {
  const rows = await sql.query(
    `select r.connection_id, r.webhook_log_id, w.origin, r.path, r.subject, r.reason, r.excerpt, r.created_at
     from (
       select * from rejects where $1::uuid is null or connection_id = $1::uuid
       order by created_at desc, id desc limit $2::int
     ) r
     left join webhook_log w on w.id = r.webhook_log_id
     order by r.created_at desc, r.id desc`,
    [connectionId, limit],
  );
  return rowsOf(REJECTED_ITEM, rows);
}

/** Rejects of items that have another path now, because others are gone from their entry; those of the ones that are gone (`to`: null) go: returns how many. */
export async function moveRejects(
  tx: Sql,
  items: readonly { webhookLogId: string; path: string; to: string | null }[],
): Promise<number> {
  if (items.length === 0) return 0;
  const parameters = arraysOf(items, 'webhookLogId', 'path', 'to');
  const due = `unnest($1::uuid[], $2::text[], $3::text[]) as k (id, path, new_path)`;
  const gone = await tx.execute(
    `delete from rejects r using ${due} where r.webhook_log_id = k.id and r.path = k.path and k.new_path is null`,
    parameters,
  );
  // In two steps: one may take the place that another leaves.
  await tx.execute(
    `update rejects r set path = '>' || k.new_path from ${due}
     where r.webhook_log_id = k.id and r.path = k.path and k.new_path is not null`,
    parameters,
  );
  await tx.execute(
    `update rejects r set path = k.new_path from ${due} where r.webhook_log_id = k.id and r.path = '>' || k.new_path`,
    parameters,
  );
  return gone;
}
