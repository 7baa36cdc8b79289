import type { JsonObject, JsonValue } from '../model/json.js';

declare global {
  // In every supported Node (V8 11), but only in TypeScript's es2024 library.
  interface String {
    isWellFormed(): boolean;
    toWellFormed(): string;
  }
}

/**
 * A text that every database can store and give back (rule M8): NUL and lone surrogates become U+FFFD, because either aborts a whole
 * batch; byte order marks at its begin go, because the embedded database reads a value without them. Everything else stays, control
 * characters included; a clean text comes back as the same string.
 */
export function cleanText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  const whole = wellFormed.startsWith('\uFEFF') ? wellFormed.replace(/^\uFEFF+/, '') : wellFormed;
  return whole.includes('\0') ? whole.replaceAll('\0', '\uFFFD') : whole;
}

/** The first `length` characters; a surrogate pair that the cut would halve becomes U+FFFD. */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).toWellFormed();
}

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

/** Clean text of a string, or of a number that a sender wrote where the documentation has a string (ids, phones). */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return cleanText(value) || undefined;
  return typeof value === 'number' ? String(value) : undefined;
}

/** A finite number, or the text of one (`"55"`): counters come in both forms. */
export function numberOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > 20 || !/^\s*-?\d+(?:\.\d+)?\s*$/.test(value))
    return undefined;
  return Number(value);
}

/** The object's own value under a name that came from outside: `constructor` and `__proto__` are names like any other. */
export function ownValue(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Longest excerpt of an item in a report. */
const EXCERPT_LENGTH = 200;
/** Deeper levels add nothing to an excerpt, and hostile nesting must not exhaust the stack. */
const EXCERPT_DEPTH = 8;

/** The item's JSON in at most 200 characters of clean text. Never throws, and reads no more of the item than it shows. */
export function excerptOf(value: JsonValue | undefined): string {
  const json = writeExcerpt(value, EXCERPT_LENGTH, EXCERPT_DEPTH);
  return cleanText(json.length <= EXCERPT_LENGTH ? json : `${json.slice(0, EXCERPT_LENGTH - 1)}…`);
}

/** JSON of `value`, cut off once it is longer than `room`. */
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

/** WhatsApp's ids are far shorter; a longer one would not fit a unique index and would fail a whole batch. */
const LONGEST_ID = 512;

/** An id as clean text; undefined if missing or too long to be one (rule M7). */
export function externalIdOf(value: JsonValue | undefined): string | undefined {
  const id = textOf(value);
  return id === undefined || id.length > LONGEST_ID ? undefined : id;
}

/** The id of a WABA; `0`, which Meta's test webhooks and some senders write, and the empty word are none. */
export function wabaIdOf(value: JsonValue | undefined): string | undefined {
  const id = externalIdOf(value);
  return id === undefined || /^[0 ]*$/.test(id) ? undefined : id;
}

/**
 * The id by which an object names a message. Gupshup (v3) forwards Meta's bodies with its own id in `id` and Meta's in
 * `meta_msg_id`; with Gupshup's id, statuses and replies would name messages that do not exist.
 */
export function messageIdOf(object: JsonObject): string | undefined {
  return externalIdOf(object.meta_msg_id) ?? externalIdOf(object.id);
}

/** The longest emoji (a family) has about 35 code units; longer texts would not fit the keys that hold it. */
const LONGEST_EMOJI = 64;

/** The emoji of a reaction; null for an empty or absent one, which removes the reaction (rule M5). */
export function emojiOf(value: JsonValue | undefined): string | null {
  const emoji = textOf(value);
  return emoji === undefined ? null : cutText(emoji, LONGEST_EMOJI);
}

/** Meta's objects (referral, order, flow reply) have a few dozen values in three or four levels. */
const MAX_DEPTH = 16;
const MAX_VALUES = 1000;

/**
 * A copy that jsonb can store: keys and texts are clean (rule M8), and depth and number of values are bounded, so that a
 * hostile object exhausts neither this process's stack nor PostgreSQL's. An excerpt replaces what is cut off; the raw entry
 * still has all of it.
 */
export function cleanJson(value: JsonValue): JsonValue {
  return copy(value, MAX_DEPTH, { left: MAX_VALUES });
}

function copy(value: JsonValue, depth: number, budget: { left: number }): JsonValue {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0 || budget.left <= 0) return excerptOf(value);
  if (Array.isArray(value)) {
    const elements: JsonValue[] = [];
    for (const element of value) {
      if (budget.left-- <= 0) break;
      elements.push(copy(element, depth - 1, budget));
    }
    return elements;
  }
  const entries: [string, JsonValue][] = [];
  for (const [key, element] of Object.entries(value)) {
    if (budget.left-- <= 0) break;
    entries.push([cleanText(key), copy(element, depth - 1, budget)]);
  }
  // Not by assignment: a key `__proto__` would replace the copy's prototype.
  return Object.fromEntries(entries);
}
