import type { JsonObject, JsonValue } from '../model/json.js';
import { stableJson } from './stable-json.js';

/**
 * What two tellings say together: key by key, down to the values; where both have one, the longer one, of equally long ones
 * the larger. Commutative, associative and idempotent, so any order of any number of tellings gives the same.
 */
export function mergeJson(a: JsonObject, b: JsonObject): JsonObject {
  const merged = new Map(Object.entries(a));
  for (const [key, value] of Object.entries(b)) {
    const known = merged.get(key);
    merged.set(key, known === undefined ? value : richer(known, value));
  }
  // Not by assignment: a key `__proto__` would replace the object's prototype instead of being kept.
  return Object.fromEntries(merged);
}

/** Whether `whole` says all that `part` says, word for word. */
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

/** A list says more than a text, a text more than a number; null says nothing. */
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
