import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject, numberOf, ownValue, textOf } from '../read.js';

/** Hashes and keys have 32 bytes; longer values are neither, and stay out of the row. */
const MAX_BYTES = 1024;
const MAX_BASE64 = Math.ceil(MAX_BYTES / 3) * 4;

/**
 * A protobuf integer in any of its JSON forms: number, text (`toJSON`), or a Long (`{low, high, unsigned}`). Timestamps
 * go through parseTimestamp instead, which also checks that they are plausible.
 */
export function integerOf(value: JsonValue | undefined): number | undefined {
  const plain = numberOf(value);
  if (plain !== undefined) return plain;
  const long = asObject(value);
  if (long === undefined || typeof long.low !== 'number' || typeof long.high !== 'number') return undefined;
  return long.high * 2 ** 32 + (long.low >>> 0);
}

/** A protobuf enum: its number (`toObject`) or its name (`toJSON`). */
export function enumOf(
  value: JsonValue | undefined,
  names: Readonly<Record<string, number>>,
): number | undefined {
  if (typeof value === 'string' && Object.hasOwn(names, value)) return names[value];
  return integerOf(value);
}

/**
 * Bytes as base64, from any of their JSON forms: base64 already (`toJSON`), `{type: 'Buffer', data: base64}` (Baileys'
 * own replacer), `{type: 'Buffer', data: [1, 2]}` (none), `{"0": 1, "1": 2}` (a plain Uint8Array), or `[1, 2]`.
 */
export function base64Of(value: JsonValue | undefined): string | undefined {
  const object = asObject(value);
  const bytes = object?.type === 'Buffer' ? object.data : value;
  if (typeof bytes === 'string') return bytes.length <= MAX_BASE64 ? textOf(bytes) : undefined;
  if (Array.isArray(bytes)) return encode(bytes);
  const map = asObject(bytes);
  return map === undefined ? undefined : encode(bytesOfMap(map));
}

function encode(bytes: JsonValue[] | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0 || bytes.length > MAX_BYTES) return undefined;
  const numbers: number[] = [];
  for (const byte of bytes) {
    if (typeof byte !== 'number' || !Number.isInteger(byte) || byte < 0 || byte > 255) return undefined;
    numbers.push(byte);
  }
  return Buffer.from(numbers).toString('base64');
}

function bytesOfMap(object: JsonObject): JsonValue[] | undefined {
  const size = Object.keys(object).length;
  if (size > MAX_BYTES) return undefined;
  const bytes: JsonValue[] = [];
  for (let i = 0; i < size; i++) {
    const byte = ownValue(object, String(i));
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

/** Longest text kept of a field that is not the message's own text (vCards, parameters of a flow). */
const MAX_META_TEXT = 4096;

/**
 * The short, plain fields of an object that has no column of its own. Thumbnails, contexts and nested objects stay in
 * raw_body only: message rows are read far more often than raw entries.
 */
export function smallFieldsOf(object: JsonObject): JsonObject {
  const small: JsonObject = {};
  let left = 20;
  for (const key of Object.keys(object)) {
    if (key === '__proto__' || key.length > 64 || /thumbnail/i.test(key)) continue;
    const value = object[key];
    const kept = typeof value === 'string' ? (value.length <= 256 ? textOf(value) : undefined) : value;
    const plain = typeof kept === 'object' ? integerOf(kept) : kept;
    if (plain === undefined) continue;
    small[textOf(key) ?? ''] = plain;
    if (--left === 0) break;
  }
  return small;
}

export function shortText(value: JsonValue | undefined): string | undefined {
  const text = textOf(value);
  return text === undefined || text.length <= MAX_META_TEXT ? text : undefined;
}

/** A JSON object without the absent fields. */
export function withoutAbsent(fields: Record<string, JsonValue | undefined>): JsonObject {
  const present: JsonObject = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) present[key] = value;
  return present;
}
