import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject } from '../read.js';
import { hasMark } from './outer-values.js';

/** Which part of an entry one LogEntry of Google Cloud is: an entry over its size limit is several of one `uid`. */
export interface EntryPart {
  uid: string;
  /** From 0. */
  index: number;
  total: number;
}

/** More parts than any entry has. */
const MOST_PARTS = 1000;

/** What a LogEntry's `split` says; undefined for any other value, and for an entry of one part. */
export function partOf(value: JsonValue | undefined): EntryPart | undefined {
  const entry = asObject(value);
  const split = asObject(entry?.split);
  if (entry === undefined || split === undefined) return undefined;
  if (entry.logName === undefined && entry.insertId === undefined) return undefined;
  const { uid, totalSplits: total, index = 0 } = split;
  if (typeof uid !== 'string' || typeof index !== 'number' || typeof total !== 'number') return undefined;
  const isPart = Number.isInteger(index) && index >= 0 && index < total && total > 1 && total <= MOST_PARTS;
  return isPart ? { uid, index, total } : undefined;
}

/** Some parts of one entry: the entry, or which of its parts did not come. */
export type JoinedParts = { kind: 'whole'; value: JsonValue } | { kind: 'missing'; parts: string };

/** What parts of one entry say together; undefined for values that are none. Parts come in any order. */
export function joinParts(values: readonly JsonValue[]): JoinedParts | undefined {
  const first = partOf(values[0]);
  if (first === undefined) return undefined;
  const parts = new Map<number, JsonObject>();
  for (const value of values) {
    const part = partOf(value);
    const entry = asObject(value);
    if (entry === undefined || part?.uid !== first.uid || part.total !== first.total) return undefined;
    parts.set(part.index, entry);
  }
  const places = Array.from({ length: first.total }, (_, index) => index);
  const missing = places.filter((index) => !parts.has(index)).map((index) => String(index + 1));
  if (missing.length > 0) {
    // Whatever has its beginning and no word of a body in it is no webhook.
    const isOther = parts.has(0) && !values.some((value) => hasMark(JSON.stringify(value)));
    return isOther ? undefined : { kind: 'missing', parts: `${missing.join(', ')} of ${first.total}` };
  }
  const whole = joined(places.map((index) => parts.get(index) ?? {}));
  delete whole.split;
  return { kind: 'whole', value: whole };
}

/** An object of what several say: a text that is not the same in all of them was cut. */
function joined(objects: readonly JsonObject[]): JsonObject {
  const keys = new Set(objects.flatMap((object) => Object.keys(object)));
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      joinedMember(objects.flatMap((object) => (Object.hasOwn(object, key) ? [object[key] ?? null] : []))),
    ]),
  );
}

function joinedMember(values: readonly JsonValue[]): JsonValue {
  const [first = null] = values;
  const texts = values.filter((value) => typeof value === 'string');
  if (texts.length === values.length) return new Set(texts).size > 1 ? texts.join('') : first;
  const objects = values.map(asObject).filter((object) => object !== undefined);
  return objects.length === values.length ? joined(objects) : first;
}
