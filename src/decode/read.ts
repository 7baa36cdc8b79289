import type { JsonObject, JsonValue } from '../model/json.js';
import { cleanText } from './text.js';

/** Longest excerpt of an item in a report. */
const EXCERPT_LENGTH = 200;
/** Deeper than this, an excerpt says nothing more; also keeps hostile nesting off the call stack. */
const EXCERPT_DEPTH = 8;

export function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

export function asArray(value: JsonValue | undefined): JsonValue[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** A string that is not empty, as it came (not cleaned). */
export function asString(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Text where the documentation has a string but senders also write numbers (ids, phones); cleaned; undefined when empty. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : cleanText(value);
  return typeof value === 'number' ? String(value) : undefined;
}

/** A finite number, or the text of one (`"55"`): counters come in both forms. */
export function numberOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > 20 || !/^\s*-?\d+(?:\.\d+)?\s*$/.test(value))
    return undefined;
  return Number(value);
}

/** A value under a name that came from outside: only the object's own (`constructor`, `__proto__` are then just names). */
export function ownValue(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The item's JSON in at most 200 characters of clean text; never throws, and reads no more of the item than it shows. */
export function excerptOf(value: JsonValue | undefined): string {
  const json = writeExcerpt(value, EXCERPT_LENGTH, EXCERPT_DEPTH);
  return cleanText(json.length <= EXCERPT_LENGTH ? json : `${json.slice(0, EXCERPT_LENGTH - 1)}…`);
}

/** JSON of `value`, given up once it is longer than `room`. */
function writeExcerpt(value: JsonValue | undefined, room: number, depth: number): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room + 1));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const isArray = Array.isArray(value);
  if (depth === 0) return isArray ? '[…]' : '{…}';
  let json = isArray ? '[' : '{';
  let first = true;
  const add = (key: string | undefined, element: JsonValue | undefined): boolean => {
    if (!first) json += ',';
    first = false;
    if (key !== undefined) json += `${JSON.stringify(key.slice(0, room + 1))}:`;
    json += writeExcerpt(element, room - json.length, depth - 1);
    return json.length <= room;
  };
  if (isArray) {
    for (const element of value) if (!add(undefined, element)) return json;
    return `${json}]`;
  }
  for (const key in value) if (Object.hasOwn(value, key) && !add(key, value[key])) return json;
  return `${json}}`;
}
