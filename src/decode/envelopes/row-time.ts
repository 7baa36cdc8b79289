import type { JsonObject, JsonValue } from '../../model/json.js';
import { instantOf } from '../../model/time.js';
import { asObject } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import type { Scope } from './unwrap.js';

/** Columns in which a log row has the time of the webhook, the most reliable first. */
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
  return parseTimestamp(request?.timeEpoch) ?? parseTimestamp(request?.requestTimeEpoch);
}

/** The scope inside a row: its time replaces missing ones (rule M7), unless the caller gave a time. */
export function withRowTime(scope: Scope, rowTime: number | undefined): Scope {
  if (rowTime === undefined || scope.timeIsGiven) return scope;
  return { ...scope, options: { ...scope.options, receivedAt: rowTime } };
}

/** An epoch number, or a date and time. */
function parseInstant(value: JsonValue): number | undefined {
  const instant = typeof value === 'string' && value.length <= 64 ? instantOf(value) : undefined;
  return parseTimestamp(instant ?? value);
}
