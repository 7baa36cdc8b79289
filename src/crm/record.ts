import type { JsonObject, JsonValue } from '../model/json.js';
import { instantOf } from '../model/time.js';
import { cleanText } from '../decode/read.js';
import type { CrmRecord } from './crm.js';

/**
 * Readers of a CRM's columns, alike for a database (which gives text, numbers, booleans and parsed JSON) and for an
 * export (which gives text for all of them). An invalid value reads as none: a CRM's rows are evidence, and one odd
 * cell must not end a comparison.
 */
export function textIn(record: CrmRecord, column: string): string | null {
  const value = record[column];
  if (typeof value === 'string') return cleanText(value);
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : null;
}

/** The same, with an empty text as none. */
export function wordIn(record: CrmRecord, column: string): string | null {
  const text = textIn(record, column);
  return text === null || text === '' ? null : text;
}

export function numberIn(record: CrmRecord, column: string): number | null {
  const text = wordIn(record, column);
  const value = text === null ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

const TRUE = new Set(['t', 'true', '1']);

export function flagIn(record: CrmRecord, column: string): boolean {
  const value = record[column];
  if (typeof value === 'boolean') return value;
  return TRUE.has(textIn(record, column)?.toLowerCase() ?? '');
}

/** A column with seconds since 1970, in ms. */
export function secondsIn(record: CrmRecord, column: string): number | null {
  const seconds = numberIn(record, column);
  return seconds === null || seconds <= 0 ? null : seconds * 1000;
}

/** Seconds since 1970 under a key of an object, in ms: a number, text, or what JSON makes of a protobuf's Long. */
export function secondsAt(object: JsonObject | null, key: string): number | null {
  const value = object?.[key];
  const long = isObject(value) ? value : null;
  const seconds =
    typeof long?.low === 'number' ? (numberIn(long, 'high') ?? 0) * 2 ** 32 + (long.low >>> 0) : value;
  return secondsIn({ seconds }, 'seconds');
}

/** A date and time, in ms since 1970; one without a zone is UTC, as these CRMs store it. */
export function momentIn(record: CrmRecord, column: string): number | null {
  const text = wordIn(record, column);
  return text === null ? null : (instantOf(text) ?? null);
}

/** A JSON column. Ruby on Rails may have written it twice: as a JSON text that holds JSON. */
export function jsonIn(record: CrmRecord, column: string): JsonObject | null {
  let value = record[column];
  for (let layer = 0; layer < 2 && typeof value === 'string'; layer += 1) value = parsedJson(value);
  return isObject(value) ? value : null;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The object under a key of another one. */
export function objectAt(object: JsonObject | null, key: string): JsonObject | null {
  const value = object?.[key];
  return isObject(value) ? value : null;
}

export function stringAt(object: JsonObject | null, key: string): string | null {
  const value = object?.[key];
  return typeof value === 'string' && value !== '' ? cleanText(value) : null;
}

/** The texts of an array column. */
export function textsIn(record: CrmRecord, column: string): string[] | null {
  const value = record[column];
  return Array.isArray(value) ? value.map(String) : null;
}

/** What a database driver or JSON.parse gives as an object is JSON by construction. */
function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
