import { ENTRY_STATUSES, type EntryStatus } from '../model/enumerations.js';
import type { JsonObject } from '../model/json.js';
import { arrayLiteral } from './array-literal.js';
import { uuid, text, time, orNull, named, type RowOf, columns, rowsOf } from './columns.js';
import { NO_SCOPE } from './raw-log.js';
import { groupingByHash } from './report-settings.js';
import {
  textOf,
  textOrNull,
  timeOf,
  timeOrNull,
  integerOf,
  booleanOf,
  bytesOf,
  wordOf,
  jsonObjectOrNull,
} from './row.js';
import type { Sql } from './sql.js';

/** Entries of the raw log that agree in whose they are, how they ended, what they hold, and whether they are recent. */
export interface EntryGroup {
  /** The connection that owns them as a whole (WhatsApp Web); null for Meta's, which name their numbers. */
  scope: string | null;
  phoneNumberIds: string[];
  fields: string[];
  status: EntryStatus;
  /** Why they are pending; null for all others. */
  reason: string | null;
  /** What each of them holds; see src/core/batch/entry-counters.ts. */
  counters: JsonObject | null;
  /** Stored at or after the moment given. */
  isRecent: boolean;
  count: number;
  /** When the first and the last of them came; null where the log does not say. */
  firstReceivedAt: number | null;
  lastReceivedAt: number | null;
  firstStoredAt: number;
  lastStoredAt: number;
  /** The first of those that brought nothing (failed, unrecognized): its id, and where it was first seen. */
  firstBroken: { id: string; origin: string | null } | null;
  /** Ids of those that tell of the account itself (`account_update`). */
  accountUpdates: string[];
}

/**
 * The whole raw log in one pass, without its bodies: there may be an entry per message, so it is scanned once, and what
 * millions of live webhooks hold comes back as one group.
 */
export async function readEntryGroups(sql: Sql, recentSince: number): Promise<EntryGroup[]> {
  const rows = await groupingByHash(sql, () =>
    sql.query(
      `select connection_scope, array_to_string(phone_number_ids, ',') as phone_number_ids,
       array_to_string(fields, ',') as fields, status, reason, counters, is_recent, count(*) as count,
       min(received_at) as first_received_at, max(received_at) as last_received_at,
       min(created_at) as first_stored_at, max(created_at) as last_stored_at,
       -- In one value, so that the id and the origin are of the same entry.
       min(case when status in ('failed', 'unrecognized') then id::text || coalesce(' ' || origin, '') end) as broken,
       string_agg(id::text, ',') filter (where 'account_update' = any(fields)) as account_updates
     from (
       select *, case when status = 'pending' then error end as reason, created_at >= $1::timestamptz as is_recent
       from webhook_log
     ) w
     group by connection_scope, w.phone_number_ids, w.fields, status, reason, counters, is_recent`,
      [new Date(recentSince).toISOString()],
    ),
  );
  return rows.map((row) => {
    const scope = textOf(row, 'connection_scope');
    return {
      scope: scope === NO_SCOPE ? null : scope,
      phoneNumberIds: listOf(textOrNull(row, 'phone_number_ids')),
      fields: listOf(textOrNull(row, 'fields')),
      status: wordOf(row, 'status', ENTRY_STATUSES),
      reason: textOrNull(row, 'reason'),
      counters: jsonObjectOrNull(row, 'counters'),
      isRecent: booleanOf(row, 'is_recent'),
      count: integerOf(row, 'count'),
      firstReceivedAt: timeOrNull(row, 'first_received_at'),
      lastReceivedAt: timeOrNull(row, 'last_received_at'),
      firstStoredAt: timeOf(row, 'first_stored_at'),
      lastStoredAt: timeOf(row, 'last_stored_at'),
      firstBroken: brokenOf(textOrNull(row, 'broken')),
      accountUpdates: listOf(textOrNull(row, 'account_updates')),
    };
  });
}

/** `<id>`, or `<id> <origin>`. */
function brokenOf(text: string | null): EntryGroup['firstBroken'] {
  if (text === null) return null;
  const space = text.indexOf(' ');
  return space === -1
    ? { id: text, origin: null }
    : { id: text.slice(0, space), origin: text.slice(space + 1) };
}

function listOf(text: string | null): string[] {
  return text === null || text === '' ? [] : text.split(',');
}

/** Raw entries by id, with when they came (else when they were stored). */
export async function readBodies(
  sql: Sql,
  ids: readonly string[],
): Promise<{ body: Uint8Array; at: number; isReceived: boolean }[]> {
  if (ids.length === 0) return [];
  const rows = await sql.query(
    `select raw_body, received_at, created_at from webhook_log where id = any($1::uuid[])
     order by coalesce(received_at, created_at) desc, id desc`,
    [arrayLiteral(ids)],
  );
  return rows.map((row) => {
    const receivedAt = timeOrNull(row, 'received_at');
    return {
      body: bytesOf(row, 'raw_body'),
      at: receivedAt ?? timeOf(row, 'created_at'),
      isReceived: receivedAt !== null,
    };
  });
}

export interface RejectGroup {
  connectionId: string | null;
  subject: string;
  reason: string;
  count: number;
  recent: { count: number; firstAt: number | null; lastAt: number | null };
  /** One of the entries, a recent one where there is any. */
  webhookLogId: string;
}

/** What is on record as rejected. */
export async function readRejectGroups(sql: Sql, recentSince: number): Promise<RejectGroup[]> {
  const rows = await sql.query(
    `select connection_id, subject, reason, count(*) as count,
       count(*) filter (where created_at >= $1::timestamptz) as recent,
       min(created_at) filter (where created_at >= $1::timestamptz) as recent_first_at,
       max(created_at) filter (where created_at >= $1::timestamptz) as recent_last_at,
       -- Ids grow with time: the greatest is of an entry that was stored last.
       max(webhook_log_id::text) as webhook_log_id
     from rejects group by connection_id, subject, reason order by count(*) desc, subject, reason`,
    [new Date(recentSince).toISOString()],
  );
  return rows.map((row) => ({
    connectionId: textOrNull(row, 'connection_id'),
    subject: textOf(row, 'subject'),
    reason: textOf(row, 'reason'),
    count: integerOf(row, 'count'),
    recent: {
      count: integerOf(row, 'recent'),
      firstAt: timeOrNull(row, 'recent_first_at'),
      lastAt: timeOrNull(row, 'recent_last_at'),
    },
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
