import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import type { Scope } from './unwrap.js';

/** Columns in which a log row says when the webhook came; from the most telling to the least. */
const COLUMNS = [
  'received_at',
  'receivedAt',
  'created_at',
  'createdAt',
  'inserted_at',
  'insertedAt',
  'ts',
  'timestamp',
  '@timestamp',
  'time',
] as const;

/** When the row says that it came: ms since 1970. Only asked of objects that wrap a body, never of a body itself. */
export function receivedAtOf(row: JsonObject): number | undefined {
  for (const column of COLUMNS) {
    const value = row[column];
    if (value === undefined || value === null) continue;
    const instant = parseInstant(value);
    if (instant !== undefined) return instant;
  }
  // API Gateway's two formats.
  const request = asObject(row.requestContext);
  return parseTimestamp(request?.timeEpoch) ?? parseTimestamp(request?.requestTimeEpoch);
}

/** The scope inside a row: its time stands in for what has none (rule M7), unless the caller knows better. */
export function withRowTime(scope: Scope, rowTime: number | undefined): Scope {
  if (rowTime === undefined || scope.timeIsGiven) return scope;
  return { ...scope, options: { ...scope.options, receivedAt: rowTime } };
}

const ISO =
  /^\s*(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(?:(Z|UTC)|([+-])(\d\d):?(\d\d)?)?\s*$/i;

/**
 * An epoch number, ISO 8601, or PostgreSQL's text form (`2025-09-16 05:33:20.123+00`). A time without a zone is UTC: that
 * is what databases store, and it must not depend on the zone of the machine that replays the log.
 */
function parseInstant(value: JsonValue): number | undefined {
  const match = typeof value === 'string' && value.length <= 64 ? ISO.exec(value) : null;
  if (match === null) return parseTimestamp(value);
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHours, zoneMinutes] = match;
  const utc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute));
  const seconds = Number(second ?? 0) + Number(`0.${fraction ?? 0}`);
  const zone = (Number(zoneHours ?? 0) * 60 + Number(zoneMinutes ?? 0)) * (sign === '-' ? -1 : 1);
  return parseTimestamp(Math.floor(utc + seconds * 1000) - zone * 60_000);
}
