import { DIRECTIONS, MESSAGE_SOURCES, type Direction, type MessageSource } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import { uuid, integer, json, type RowOf, columns, rowsOf } from '../columns.js';
import { groupingByHash } from '../planner.js';
import { textOf, textOrNull, timeOf, integerOf, integerOrNull, wordOf, wordOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { errorsOf } from '../tables/messages.js';

/** Messages of one connection that agree in direction, source and day. */
export interface MessageGroup {
  connectionId: string;
  direction: Direction;
  source: MessageSource;
  /** Index of the last of the given moments that is not after the message: 0 is before the first, 1 from the first on. */
  day: number;
  count: number;
  /** Those of them that came from the raw log. */
  logged: number;
  firstAt: number;
  lastAt: number;
  owed: number;
  /** Of the owed: those sent before the moment given. */
  owedExpired: number;
}

/** How many rows of a connection a run has created that are still there. */
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
 * Everything that is counted about messages, in one pass over the table: two groupings, because each further scan of
 * millions of rows would cost as much as the first.
 *
 * @param days beginnings of days, ms since 1970, ascending
 * @param owed SQL: true for media that history announced and nobody has sent yet
 * @param expiredBefore owed media sent before this moment will not come any more
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
    const connectionId = textOf(row, 'connection_id');
    const direction = wordOrNull(row, 'direction', DIRECTIONS);
    if (direction === null) {
      const runId = textOrNull(row, 'run_id');
      if (runId !== null) runRows.push({ connectionId, runId, rows: integerOf(row, 'count') });
      continue;
    }
    groups.push({
      connectionId,
      direction,
      source: wordOf(row, 'source', MESSAGE_SOURCES),
      day: integerOf(row, 'day'),
      count: integerOf(row, 'count'),
      logged: integerOf(row, 'logged'),
      firstAt: timeOf(row, 'first_at'),
      lastAt: timeOf(row, 'last_at'),
      owed: integerOf(row, 'owed'),
      owedExpired: integerOf(row, 'owed_expired'),
    });
  }
  return { groups, runRows };
}

const FAILURE_GROUP = columns({
  connectionId: uuid,
  errors: json((row, name) => errorsOf(row[name]) ?? []),
  count: integer,
});

/** Messages of one connection that failed for the same errors. */
export type FailureGroup = RowOf<typeof FAILURE_GROUP>;

/** Failed messages by what WhatsApp says about them; only rows with errors are read. */
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

/** How live messages followed each other in the weeks before the last live event. */
export interface LiveRhythm {
  connectionId: string;
  /** Minutes in which a live message came. */
  minutes: number;
  firstAt: number;
  lastAt: number;
  /**
   * For each of the earlier weeks, the nearest first: how long after the same moment of the week (the weekday and time of
   * the last live event) the next message came, ms; null where the week holds none after it.
   */
  waits: (number | null)[];
}

/** How many weeks back a rhythm is learned from. */
export const RHYTHM_WEEKS = 4;

/**
 * What is usual for each connection, from its live messages and echoes of the {@link RHYTHM_WEEKS} weeks before its last live
 * event. By the minute: a burst of a hundred messages says no more about silence than one.
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

/** How many rows each connection has from entries that are still pending: of those, a part is in already. */
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
