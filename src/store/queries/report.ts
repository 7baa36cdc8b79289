import { errorsOf } from '../../model/stored-content.js';
import {
  ENTRY_STATUSES,
  DIRECTIONS,
  MESSAGE_SOURCES,
  PROVIDERS,
  TICKET_STATUSES,
  type TicketStatus,
} from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  columns,
  list,
  word,
  orNull,
  text,
  jsonObject,
  integer,
  time,
  type RowOf,
  rowOf,
  uuid,
  json,
  rowsOf,
} from '../columns.js';
import { textOf, textOrNull, timeOf, integerOf, integerOrNull, wordOf, timeOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { BAD_SIGNATURE, HAS_BODY_SQL, NO_SCOPE } from '../tables/webhook-log.js';
import { groupingByHash } from '../transactions.js';
import { rfc3339 } from '../../model/time.js';

const ENTRY_GROUP = columns({
  provider: word(PROVIDERS),
  phoneNumberIds: list(','),
  fields: list(','),
  status: word(ENTRY_STATUSES),
  /** Why they are pending, or `bad_signature`; otherwise null. */
  reason: orNull(text),
  /** The contents of each; see src/ingest/batch/entry-counters.ts. */
  counters: orNull(jsonObject),
  count: integer,
  /** When the first and the last of them arrived; null if the log does not say. */
  firstReceivedAt: orNull(time),
  lastReceivedAt: orNull(time),
  firstStoredAt: time,
  lastStoredAt: time,
  /** Ids of those about the account itself (`account_update`), without those that Meta did not sign, and those without a body. */
  accountUpdates: list(','),
});

/** Entries of the raw log with the same connection, status and counters. */
export interface EntryGroup extends RowOf<typeof ENTRY_GROUP> {
  /** The connection that owns them entirely (WhatsApp Web); null for Meta's, which name their numbers. */
  scope: string | null;
  /** The first one without any result (failed, unrecognized): its id, and where it was first seen. */
  firstBroken: { id: string; origin: string | null; isReadable?: boolean } | null;
}

/**
 * The raw log since (ms since 1970), or all of it, in one pass, without its bodies: there may be an entry per message,
 * so it is scanned once, and millions of live webhooks come back as one group.
 */
export async function readEntryGroups(sql: Sql, since: number | null): Promise<EntryGroup[]> {
  const rows = await groupingByHash(sql, () =>
    sql.query(
      `select provider, connection_scope, array_to_string(phone_number_ids, ',') as phone_number_ids,
       array_to_string(fields, ',') as fields, status, reason, counters, count(*) as count,
       min(received_at) as first_received_at, max(received_at) as last_received_at,
       min(created_at) as first_stored_at, max(created_at) as last_stored_at,
       -- In one value, so that the id and the origin are of the same entry.
       min(case when status in ('failed', 'unrecognized') or reason = '${BAD_SIGNATURE}' then id::text || coalesce(' ' || origin, '') end) as broken,
       string_agg(id::text, ',') filter (where 'account_update' = any(fields) and reason is distinct from '${BAD_SIGNATURE}' and ${HAS_BODY_SQL}) as account_updates
     from (
       select *, case when status = 'pending' or error = '${BAD_SIGNATURE}' then error end as reason
       from webhook_log where $1::timestamptz is null or created_at >= $1::timestamptz
     ) w
     group by provider, connection_scope, w.phone_number_ids, w.fields, status, reason, counters`,
      [rfc3339(since)],
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

const MESSAGE_GROUP = columns({
  connectionId: uuid,
  direction: word(DIRECTIONS),
  source: word(MESSAGE_SOURCES),
  /** Index of the last of the given moments that is not after the message: 0 is before the first, 1 from the first on. */
  day: integer,
  count: integer,
  /** Those of them from the raw log. */
  logged: integer,
  firstAt: time,
  lastAt: time,
  owed: integer,
  /** Of the owed: those sent before the given moment. */
  owedExpired: integer,
});

/** Messages of one connection with the same direction, source and day. */
export type MessageGroup = RowOf<typeof MESSAGE_GROUP>;

/** How many rows of a connection a run created and still exist. */
export interface RunRows {
  connectionId: string;
  runId: string;
  rows: number;
}

export interface MessageFigures {
  groups: MessageGroup[];
  runRows: RunRows[];
}

/**
 * All message counts in one pass over the table: two groupings, because each further scan of millions of rows would
 * cost as much as the first.
 *
 * @param days beginnings of days, ms since 1970, ascending
 * @param owed SQL: true for media that history announced and that has not arrived yet
 * @param expiredBefore outstanding media sent before this moment will no longer arrive
 */
export async function readMessageFigures(
  sql: Sql,
  connectionIds: readonly string[],
  { days, owed, expiredBefore }: { days: readonly number[]; owed: string; expiredBefore: number },
): Promise<MessageFigures> {
  const rows = await groupingByHash(sql, () =>
    sql.query(
      `select connection_id, direction, source, day, run_id, count(*) as count,
       count(*) filter (where logged) as logged, min(timestamp) as first_at, max(timestamp) as last_at,
       count(*) filter (where owed) as owed, count(*) filter (where owed and timestamp < $3::timestamptz) as owed_expired
     from (
       select connection_id, direction, source, timestamp, run_id, width_bucket(timestamp, $2::timestamptz[]) as day,
         batch_id is not null as logged, (${owed}) is true as owed
       from messages where connection_id = any($1::uuid[])
     ) m
     group by grouping sets ((connection_id, direction, source, day), (connection_id, run_id))`,
      [
        arrayLiteral(connectionIds),
        arrayLiteral(days.map((day) => new Date(day))),
        new Date(expiredBefore).toISOString(),
      ],
    ),
  );
  const groups: MessageGroup[] = [];
  const runRows: RunRows[] = [];
  for (const row of rows) {
    if (row['direction'] !== null) {
      groups.push(rowOf(MESSAGE_GROUP, row));
      continue;
    }
    const runId = textOrNull(row, 'run_id');
    if (runId === null) continue;
    runRows.push({ connectionId: textOf(row, 'connection_id'), runId, rows: integerOf(row, 'count') });
  }
  return { groups, runRows };
}

const ADOPTED_GROUP = columns({ connectionId: uuid, provider: text, count: integer });

/** Messages of one connection known only from one CRM. */
export type AdoptedGroup = RowOf<typeof ADOPTED_GROUP>;

/** `adopted`: SQL, true for messages known only from a CRM. */
export async function countAdopted(
  sql: Sql,
  connectionIds: readonly string[],
  adopted: string,
): Promise<AdoptedGroup[]> {
  const rows = await sql.query(
    `select m.connection_id, w.provider, count(*)::int as count
     from messages m join webhook_log w on w.id = m.batch_id
     where m.connection_id = any($1::uuid[]) and ${adopted} and starts_with(w.provider, 'crm:')
     group by m.connection_id, w.provider order by m.connection_id, w.provider`,
    [arrayLiteral(connectionIds)],
  );
  return rowsOf(ADOPTED_GROUP, rows);
}

const FAILURE_GROUP = columns({
  connectionId: uuid,
  errors: json((row, name) => errorsOf(row[name]) ?? []),
  count: integer,
});

/** Messages of one connection that failed with the same errors. */
export type FailureGroup = RowOf<typeof FAILURE_GROUP>;

/** Failed messages by their errors; only rows with errors are read. */
export async function readDeliveryFailures(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<FailureGroup[]> {
  const rows = await sql.query(
    `select connection_id, errors, count(*) as count from messages
     where errors is not null and status = 'failed' and connection_id = any($1::uuid[])
     group by connection_id, errors`,
    [arrayLiteral(connectionIds)],
  );
  return rowsOf(FAILURE_GROUP, rows);
}

/** The spacing of live messages in the weeks before the last live event. */
export interface LiveRhythm {
  connectionId: string;
  /** Minutes with a live message. */
  minutes: number;
  firstAt: number;
  lastAt: number;
  /**
   * For each earlier week, nearest first: the wait from the same moment of the week (the weekday and time of the last
   * live event) to the next message, ms; null if the week has none after it.
   */
  waits: (number | null)[];
}

/** How many weeks a rhythm is learned from. */
const RHYTHM_WEEKS = 4;

/**
 * The usual rhythm of each connection, from its live messages and echoes of the {@link RHYTHM_WEEKS} weeks before its
 * last live event. By the minute: a burst of a hundred messages reveals no more about silence than one.
 */
export async function readLiveRhythm(
  sql: Sql,
  connections: readonly { id: string; lastLiveEventAt: number | null }[],
): Promise<LiveRhythm[]> {
  const ends = connections.flatMap(({ lastLiveEventAt }) => lastLiveEventAt ?? []);
  if (ends.length === 0) return [];
  const weeks = Array.from({ length: RHYTHM_WEEKS }, (_, index) => index + 1);
  const rows = await groupingByHash(sql, () =>
    sql.query(
      `select connection_id, count(*) as minutes, min(minute) as first_at, max(minute) as last_at,
       ${weeks
         .map(
           (
             week,
           ) => `extract(epoch from min(minute) filter (where minute > until - interval '${7 * week} days')
             - (min(until) - interval '${7 * week} days'))::float8 * 1000 as wait_${week}`,
         )
         .join(', ')}
     from (
       select m.connection_id, date_trunc('minute', m.timestamp) as minute, c.last_live_event_at as until
       from messages m
       join connections c on c.id = m.connection_id
       where c.id = any($1::uuid[]) and m.source <> 'history'
         -- Said without the connection, too: most of the table is older, and need not be joined to find that out.
         and m.timestamp > $2::timestamptz
         and m.timestamp <= c.last_live_event_at
         and m.timestamp > c.last_live_event_at - interval '${7 * RHYTHM_WEEKS + 1} days'
       group by 1, 2, 3
     ) live
     group by connection_id`,
      [
        arrayLiteral(connections.map(({ id }) => id)),
        new Date(Math.min(...ends) - (7 * RHYTHM_WEEKS + 1) * 86_400_000).toISOString(),
      ],
    ),
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    minutes: integerOf(row, 'minutes'),
    firstAt: timeOf(row, 'first_at'),
    lastAt: timeOf(row, 'last_at'),
    waits: weeks.map((week) => integerOrNull(row, `wait_${week}`)),
  }));
}

/** Rows of each connection from entries that are still pending: part of these entries is stored already. */
export async function countSavedFromPending(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select connection_id, count(*) as count from messages
     where connection_id = any($1::uuid[]) and batch_id in (select id from webhook_log where status = 'pending')
     group by 1`,
    [arrayLiteral(connectionIds)],
  );
  return new Map(rows.map((row) => [textOf(row, 'connection_id'), integerOf(row, 'count')]));
}

/**
 * Conversations and leads per connection. A lead counts for every connection with one of its conversations; one without
 * any (an address-book entry) for the connection named in its initial_contact log.
 */
export async function countPeople(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<Map<string, { conversations: number; leads: number }>> {
  const rows = await sql.query(
    `select c.id, coalesce(talking.count, 0) as conversations, coalesce(talking.count, 0) + coalesce(silent.count, 0) as leads
     from connections c
     left join (
       select connection_id, count(*) as count from conversations
       where connection_id = any($1::uuid[]) group by connection_id
     ) talking on talking.connection_id = c.id
     left join (
       select s.connection_id, count(distinct s.lead_id) as count from sync_logs s
       where s.sync_type = 'initial_contact' and s.lead_id is not null and s.connection_id = any($1::uuid[])
         and not exists (
           select from conversations v where v.lead_id = s.lead_id and v.connection_id = s.connection_id
         )
       group by s.connection_id
     ) silent on silent.connection_id = c.id
     where c.id = any($1::uuid[])`,
    [arrayLiteral(connectionIds)],
  );
  return new Map(
    rows.map((row) => [
      textOf(row, 'id'),
      { conversations: integerOf(row, 'conversations'), leads: integerOf(row, 'leads') },
    ]),
  );
}

export async function countTickets(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<{ connectionId: string; status: TicketStatus; count: number }[]> {
  const rows = await sql.query(
    `select c.connection_id, t.status, count(*) as count
     from tickets t join conversations c on c.id = t.conversation_id
     where c.connection_id = any($1::uuid[]) group by 1, 2`,
    [arrayLiteral(connectionIds)],
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    status: wordOf(row, 'status', TICKET_STATUSES),
    count: integerOf(row, 'count'),
  }));
}

export interface PendingFactGroup {
  connectionId: string;
  count: number;
  /** Those stored before the given moment, and when the first and the last of them were. */
  old: { count: number; firstAt: number | null; lastAt: number | null };
}

export async function readPendingFactGroups(sql: Sql, oldBefore: number): Promise<PendingFactGroup[]> {
  const rows = await sql.query(
    `select connection_id, count(*) as count,
       count(*) filter (where created_at < $1::timestamptz) as old, min(created_at) as first_at,
       max(created_at) filter (where created_at < $1::timestamptz) as last_at
     from pending_facts group by connection_id`,
    [new Date(oldBefore).toISOString()],
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    count: integerOf(row, 'count'),
    old: {
      count: integerOf(row, 'old'),
      firstAt: timeOrNull(row, 'first_at'),
      lastAt: timeOrNull(row, 'last_at'),
    },
  }));
}

const CREATED_BY_RUN = columns({
  runId: uuid,
  connectionId: orNull(uuid),
  created: integer,
});

/** How many messages a run created: per connection, or in total for a run killed before its end. */
export type CreatedByRun = RowOf<typeof CREATED_BY_RUN>;

/**
 * Messages recorded as created by every run. Each batch writes the total in its transaction; the per-connection parts
 * are written at the end of the run, so a killed run has none.
 */
export async function readCreatedByRuns(sql: Sql): Promise<CreatedByRun[]> {
  const rows = await sql.query(
    `with parts as (
       select run_id, connection_id, sum((counters ->> 'created')::bigint)::bigint as created
       from sync_logs
       where lead_id is null and sync_type <> 'initial_contact' and jsonb_typeof(counters -> 'created') = 'number'
       group by run_id, connection_id
     )
     select run_id, connection_id, created from parts
     union all
     select r.id, null, (r.counters -> 'messages' ->> 'created')::bigint
     from sync_runs r
     where jsonb_typeof(r.counters -> 'messages' -> 'created') = 'number' and not exists (select from parts p where p.run_id = r.id)`,
  );
  return rowsOf(CREATED_BY_RUN, rows);
}

/** Messages removed and journaled (merged by dedupe), per connection. */
export async function countJournaledRemovals(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select before ->> 'connection_id' as connection_id, count(*) as count
     from change_journal
     where table_name = 'messages' and before ? 'connection_id' and after is null
     group by 1`,
  );
  return new Map(
    rows.flatMap((row): [string, number][] => {
      const id = textOrNull(row, 'connection_id');
      return id === null ? [] : [[id, integerOf(row, 'count')]];
    }),
  );
}

/** Messages of one connection between two of the given moments. */
export interface TrafficSlice {
  connectionId: string;
  /** Index of the moment at which the slice begins; it ends before the next one. */
  slice: number;
  count: number;
}

/**
 * Counts messages between consecutive moments; excludes those before the first or not before the last.
 *
 * @param bounds ms since 1970, ascending
 */
export async function readTraffic(
  sql: Sql,
  connectionIds: readonly string[],
  bounds: readonly number[],
): Promise<TrafficSlice[]> {
  const [first, last] = [bounds[0], bounds.at(-1)];
  if (first === undefined || last === undefined) return [];
  const rows = await groupingByHash(sql, () =>
    sql.query(
      `select connection_id, width_bucket(timestamp, $2::timestamptz[]) - 1 as slice, count(*) as count
       from messages
       where connection_id = any($1::uuid[]) and timestamp >= $3::timestamptz and timestamp < $4::timestamptz
       group by 1, 2`,
      [
        arrayLiteral(connectionIds),
        arrayLiteral(bounds.map((bound) => new Date(bound))),
        new Date(first).toISOString(),
        new Date(last).toISOString(),
      ],
    ),
  );
  return rowsOf(TRAFFIC_SLICE, rows);
}

const TRAFFIC_SLICE = columns({ connectionId: uuid, slice: integer, count: integer });
