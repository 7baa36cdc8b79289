import type { JsonObject, JsonValue } from '../../model/json.js';
import { instantOf } from '../../model/time.js';
import { clockOf } from './clock.js';
import { asObject } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import type { Scope } from './bodies.js';

/** Columns with the webhook's time in a log row, most reliable first. */
const COLUMNS = [
  'received_at',
  'receivedAt',
  'ReceivedAt',
  'received_on',
  'receivedOn',
  'ReceivedOn',
  'received',
  'created_at',
  'createdAt',
  'CreatedAt',
  'created_on',
  'createdOn',
  'CreatedOn',
  'inserted_at',
  'insertedAt',
  'ts',
  'timestamp',
  '@timestamp',
  'time',
  // Programs' and log systems' own: n8n, HAR, Hookdeck, GCP, Pub/Sub, Kinesis, Azure, Active Job, Debezium, nginx.
  'startedAt',
  'startTime',
  'startedDateTime',
  'ingested_at',
  'receiveTimestamp',
  'publishTime',
  'approximateArrivalTimestamp',
  'ApproximateArrivalTimestamp',
  'EnqueuedTimeUtc',
  'enqueuedTimeUtc',
  'eventTime',
  'enqueued_at',
  'ts_ms',
  'time_iso8601',
  'time_local',
  'msec',
  'failed_at',
  'logged_at',
  'datetime',
  'date',
  'created',
  'epoch',
  'when',
  'at',
  't',
  '__REALTIME_TIMESTAMP',
  '_SOURCE_REALTIME_TIMESTAMP',
] as const;

/** Members beside a body that have its time: SQS, RabbitMQ, Event Hubs, Elasticsearch. */
const BESIDE = [
  ['Attributes', 'SentTimestamp'],
  ['attributes', 'SentTimestamp'],
  ['properties', 'timestamp'],
  ['SystemProperties', 'EnqueuedTimeUtc'],
  ['fields', '@timestamp'],
] as const;

/** When the row was received, ms since 1970. For objects that wrap a body, never for a body itself. */
export function receivedAtOf(row: JsonObject): number | undefined {
  for (const column of COLUMNS) {
    const value = row[column];
    if (value === undefined || value === null) continue;
    const instant = parseInstant(value);
    if (instant !== undefined) return instant;
  }
  // API Gateway's two formats.
  const request = asObject(row.requestContext);
  const epoch = parseTimestamp(request?.timeEpoch) ?? parseTimestamp(request?.requestTimeEpoch);
  if (epoch !== undefined) return epoch;
  for (const [member, column] of BESIDE) {
    const instant = parseInstant(asObject(row[member])?.[column] ?? null);
    if (instant !== undefined) return instant;
  }
  return undefined;
}

/** Names of times at which a row was not received. */
const OTHER_TIMES =
  /expir|until|valid|next|due|dead|updat|modif|chang|delet|finish|end|stop|complet|birth|retry/i;
const DATE_AND_TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;

/**
 * When a row was received whose time has a name that nobody listed: its only date and time. Numbers are not sought, which may be anything;
 * of two times nothing says which it is.
 */
export function onlyTimeIn(row: JsonObject): number | undefined {
  let only: number | undefined;
  for (const name in row) {
    const value = row[name];
    if (typeof value !== 'string' || !DATE_AND_TIME.test(value) || OTHER_TIMES.test(name)) continue;
    const instant = parseInstant(value);
    if (instant === undefined) continue;
    if (only !== undefined) return undefined;
    only = instant;
  }
  return only;
}

/** The time of a row without names: Loki's `[nanoseconds, line]`. */
export function timeOfTuple(list: readonly JsonValue[]): number | undefined {
  const [time, line] = list;
  const isTuple = list.length <= 3 && typeof line === 'string' && typeof time === 'string';
  return isTuple && /^\d{16,19}$/.test(time) ? fromDigits(time) : undefined;
}

/** The scope inside a row: its time replaces missing ones (rule M7), unless the caller gave a time. */
export function withRowTime(scope: Scope, rowTime: number | undefined): Scope {
  if (rowTime === undefined || scope.timeIsGiven) return scope;
  // Member by member: for each row of a log, a spread takes as long as the rest of the search.
  const { options, timeIsGiven, field } = scope;
  return { options: { include: options.include, receivedAt: rowTime }, timeIsGiven, field };
}

/** An epoch number in seconds, milli-, micro- or nanoseconds, or a date and time. */
function parseInstant(value: JsonValue): number | undefined {
  if (typeof value === 'string' && value.length <= 64) {
    return /^\d{16,19}$/.test(value)
      ? fromDigits(value)
      : parseTimestamp(instantOf(value) ?? clockOf(value) ?? value);
  }
  // Elasticsearch's fields are lists.
  if (Array.isArray(value)) return value.length === 1 ? parseInstant(value[0] ?? null) : undefined;
  if (typeof value === 'number' && value >= 1e15) return fromDigits(String(Math.trunc(value)));
  return parseTimestamp(value);
}

/** Microseconds have 16 digits, nanoseconds 19. */
function fromDigits(digits: string): number | undefined {
  return parseTimestamp(digits.slice(0, 13));
}
