import type { MessageError } from '../model/facts.js';
import type { JsonObject, JsonValue } from '../model/json.js';

/**
 * Merges two objects key by key, down to the values; if both have a value, the longer one wins, and of equal lengths
 * the larger. Commutative, associative and idempotent, so any order of any number of objects gives the same result.
 */
export function mergeJson(a: JsonObject, b: JsonObject): JsonObject {
  const merged = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const known = merged.get(key);
    merged.set(key, known === undefined ? value : richer(known, value));
  }
  // Not by assignment: a key `__proto__` would replace the object's prototype.
  return Object.fromEntries(merged);
}

/** Whether `whole` has every value of `part`, unchanged. */
export function containsJson(whole: JsonValue, part: JsonValue): boolean {
  const inner = asObject(part);
  const outer = asObject(whole);
  if (inner === null || outer === null) return stableJson(whole) === stableJson(part);
  const known = new Map(Object.entries(outer));
  return Object.entries(inner).every(([key, value]) => {
    const found = known.get(key);
    return found !== undefined && containsJson(found, value);
  });
}

function richer(a: JsonValue, b: JsonValue): JsonValue {
  const left = asObject(a);
  const right = asObject(b);
  if (left !== null && right !== null) return mergeJson(left, right);
  if (left !== null || right !== null) return left ?? right ?? null;
  return compareDetail(a, b) >= 0 ? a : b;
}

function compareDetail(a: JsonValue, b: JsonValue): number {
  if (kindOf(a) !== kindOf(b)) return kindOf(a) - kindOf(b);
  const left = stableJson(a);
  const right = stableJson(b);
  if (left.length !== right.length) return left.length - right.length;
  return left === right ? 0 : left < right ? -1 : 1;
}

/** A list outranks a text, a text a number; null is the least. */
function kindOf(value: JsonValue): number {
  if (Array.isArray(value)) return 4;
  switch (typeof value) {
    case 'string':
      return 3;
    case 'number':
      return 2;
    case 'boolean':
      return 1;
    default:
      return 0;
  }
}

function asObject(value: JsonValue): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
}

/** JSON with sorted keys: jsonb does not keep the order of keys, and equal values need equal texts. */
export function stableJson(value: JsonValue | undefined): string {
  if (value === undefined) return 'null';
  if (Array.isArray(value)) return `[${value.map(stableJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const parts = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${stableJson(value[key])}`);
    return `{${parts.join(',')}}`;
  }
  return JSON.stringify(value);
}

/** The one later in `ladder`, which goes from least to most; null is less than any. */
export function higher<T extends string>(ladder: readonly T[], a: T, b: T | null): T;
export function higher<T extends string>(ladder: readonly T[], a: T | null, b: T | null): T | null;
export function higher<T extends string>(ladder: readonly T[], a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b;
  return ladder.indexOf(b) > ladder.indexOf(a) ? b : a;
}

/** The smaller of two numbers; null is unknown. */
export function smaller(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.min(a, b);
}

/** The larger of two numbers; null is unknown. */
export function larger(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : Math.max(a, b);
}

type Errors = readonly MessageError[] | null;

/**
 * Merges two lists of failure reasons: one error per code, each with the longer title and details. Commutative,
 * associative and idempotent; returns `mine` itself if `theirs` adds nothing.
 */
export function mergeErrors(mine: Errors, theirs: Errors): Errors {
  if (theirs === null) return mine;
  const merged = new Map<string, MessageError>();
  for (const error of [...(mine ?? []), ...theirs]) {
    const key = keyOf(error);
    const known = merged.get(key);
    merged.set(key, known === undefined ? error : joined(known, error));
  }
  const all = [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, error]) => ordered(error));
  return textOfErrors(all) === textOfErrors(mine) ? mine : all;
}

/** The same text for the same errors. */
export function textOfErrors(errors: Errors): string {
  return errors === null ? '' : JSON.stringify(errors.map(ordered));
}

/** Without a code, only the title distinguishes errors. */
function keyOf({ code, title }: MessageError): string {
  return code === undefined ? `~${title ?? ''}` : String(code).padStart(16, '0');
}

function joined(a: MessageError, b: MessageError): MessageError {
  return {
    ...(a.code === undefined ? {} : { code: a.code }),
    ...longer('title', a.title, b.title),
    ...longer('details', a.details, b.details),
  };
}

/** The longer text; of equal lengths the larger, so that order does not matter. */
function longer<K extends string>(
  key: K,
  a: string | undefined,
  b: string | undefined,
): Partial<Record<K, string>> {
  const left = a ?? '';
  const right = b ?? '';
  const first = left.length === right.length ? left > right : left.length > right.length;
  const text = first ? left : right;
  const found: Partial<Record<K, string>> = {};
  if (text !== '') found[key] = text;
  return found;
}

function ordered({ code, title, details }: MessageError): MessageError {
  return {
    ...(code === undefined ? {} : { code }),
    ...(title === undefined ? {} : { title }),
    ...(details === undefined ? {} : { details }),
  };
}
