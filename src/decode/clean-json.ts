import type { JsonValue } from '../model/json.js';
import { excerptOf } from './read.js';
import { cleanText } from './text.js';

/** An object that Meta sends (referral, order, flow reply) has a few dozen values in three or four levels. */
const MAX_DEPTH = 16;
const MAX_VALUES = 1000;

/**
 * A copy that jsonb stores: keys and texts are clean (rule M8), and depth and number of values are bounded, so that a
 * hostile object can exhaust neither our stack nor PostgreSQL's. What is cut off is replaced by an excerpt; the raw entry
 * still holds all of it.
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
  // Not by assignment: a key `__proto__` would replace the copy's prototype instead of being kept.
  return Object.fromEntries(entries);
}
