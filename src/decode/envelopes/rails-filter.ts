import type { JsonObject, JsonValue } from '../../model/json.js';
import { pathOfKey } from '../item-at.js';
import { asObject } from '../read.js';
import type { Trail } from './trail.js';

/** Rails' replacement in its log for a filtered parameter; Zammad's filter names `body`. */
export const FILTERED = '[FILTERED]';

/** Deeper values are not parameters. */
const MAX_DEPTH = 100;

/** Whether a body comes from a Rails log: elsewhere the word is a person's. */
export function isOfRails(trail: Trail | undefined): boolean {
  for (let layer = trail; layer !== undefined; layer = layer.outer) {
    if (layer.kind === 'object' && layer.key === 'params') return true;
    if (layer.kind === 'text' && layer.opened.steps.includes('ruby')) return true;
  }
  return false;
}

/** A body without filtered parameters, and where they were; undefined if there were none. */
export function withoutFiltered(
  body: JsonObject,
  path: string,
): { value: JsonObject; paths: string[] } | undefined {
  const paths: string[] = [];
  const copy = (value: JsonValue, at: string, depth: number): JsonValue => {
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
    if (Array.isArray(value)) return value.map((each, i) => copy(each, `${at}[${i}]`, depth + 1));
    const kept: [string, JsonValue][] = [];
    for (const [key, each] of Object.entries(value)) {
      if (each === FILTERED) paths.push(at + pathOfKey(key));
      else kept.push([key, copy(each, at + pathOfKey(key), depth + 1)]);
    }
    return Object.fromEntries(kept);
  };
  const value = asObject(copy(body, path, 0));
  return value === undefined || paths.length === 0 ? undefined : { value, paths };
}
