import { ENTRY_STATUSES } from '../../model/enumerations.js';
import {
  columns,
  list,
  word,
  orNull,
  text,
  jsonObject,
  boolean,
  integer,
  time,
  type RowOf,
  rowOf,
} from '../columns.js';
import { groupingByHash } from '../planner.js';
import { textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { NO_SCOPE } from '../tables/webhook-log.js';

const ENTRY_GROUP = columns({
  phoneNumberIds: list(','),
  fields: list(','),
  status: word(ENTRY_STATUSES),
  /** Why they are pending; null for all others. */
  reason: orNull(text),
  /** What each of them holds; see src/ingest/batch/entry-counters.ts. */
  counters: orNull(jsonObject),
  /** Stored at or after the moment given. */
  isRecent: boolean,
  count: integer,
  /** When the first and the last of them came; null where the log does not say. */
  firstReceivedAt: orNull(time),
  lastReceivedAt: orNull(time),
  firstStoredAt: time,
  lastStoredAt: time,
  /** Ids of those that tell of the account itself (`account_update`). */
  accountUpdates: list(','),
});

/** Entries of the raw log that agree in whose they are, how they ended, what they hold, and whether they are recent. */
export interface EntryGroup extends RowOf<typeof ENTRY_GROUP> {
  /** The connection that owns them as a whole (WhatsApp Web); null for Meta's, which name their numbers. */
  scope: string | null;
  /** The first of those that brought nothing (failed, unrecognized): its id, and where it was first seen. */
  firstBroken: { id: string; origin: string | null } | null;
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
      ...rowOf(ENTRY_GROUP, row),
      scope: scope === NO_SCOPE ? null : scope,
      firstBroken: brokenOf(textOrNull(row, 'broken')),
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
