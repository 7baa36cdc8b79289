import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject, ownValue } from '../read.js';
import type { Allowance } from './allowance.js';
import { joinParts } from './split-entries.js';

/** A value that represents another one, and the name of the notation. */
export interface Revealed {
  value: JsonValue;
  step: 'bytes' | 'bytes.gzip' | 'flatted' | 'split';
}

/**
 * What a value stands for: bytes in one of their JSON forms are a text; the flat array of the `flatted` library is the object
 * that was flattened; the parts of an entry are the entry. undefined for a value that is only itself.
 */
export function reveal(value: JsonValue, allowance: Allowance): Revealed | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const bytes = bytesOf(value);
  if (bytes !== undefined) {
    const plain = allowance.unpackAny(bytes);
    return plain === undefined
      ? { value: bytes.toString('utf8'), step: 'bytes' }
      : { value: plain.toString('utf8'), step: 'bytes.gzip' };
  }
  if (!Array.isArray(value)) return undefined;
  const parts = joinParts(value);
  if (parts?.kind === 'whole') return { value: parts.value, step: 'split' };
  const whole = unflatten(value);
  return whole === undefined ? undefined : { value: withoutExtended(withoutTypes(whole)), step: 'flatted' };
}

/** No webhook is shorter. */
const MIN_BYTES = 16;

/** `[123,34]`, `{"0":123,"1":34}`, `{"type":"Buffer","data":[123,34]}`, and the last with base64 as Baileys writes it. */
function bytesOf(value: JsonObject | JsonValue[]): Buffer | undefined {
  if (Array.isArray(value)) return bufferOf(value);
  if (value.type === 'Buffer' && value.data !== undefined) {
    const { data } = value;
    if (typeof data === 'string') return Buffer.from(data, 'base64');
    return typeof data === 'object' && data !== null ? bytesOf(data) : undefined;
  }
  if (typeof value['0'] !== 'number' || !Object.hasOwn(value, String(MIN_BYTES - 1))) return undefined;
  const keys = Object.keys(value);
  return keys.every((key, i) => key === String(i)) ? bufferOf(Object.values(value)) : undefined;
}

function bufferOf(bytes: JsonValue[]): Buffer | undefined {
  if (bytes.length < MIN_BYTES) return undefined;
  const buffer = Buffer.alloc(bytes.length);
  for (const [i, byte] of bytes.entries()) {
    if (typeof byte !== 'number' || !Number.isInteger(byte) || byte < -128 || byte > 255) return undefined;
    // Java prints its bytes with a sign.
    buffer[i] = byte & 0xff;
  }
  return buffer;
}

/** A small flat array can stand for a value without end; real executions have some 100,000 parts. */
const MAX_PARTS = 2_000_000;
/** Deeper values would exhaust the reader's stack. */
const MAX_DEPTH = 200;

/**
 * The value that `flatted` wrote (n8n's table `execution_data`): `[0]` is the root, and in objects and arrays every text is
 * the index of an element. A part that occurs twice is one object here, too. undefined for any other array, for a value
 * that contains itself, and for one that is too large when written out.
 */
function unflatten(flat: JsonValue[]): JsonValue | undefined {
  if (flat.length < 2 || asObject(flat[0]) === undefined) return undefined;
  for (const part of flat) {
    if (typeof part !== 'object' || part === null) {
      if (typeof part !== 'string') return undefined;
      continue;
    }
    for (const each of Object.values(part)) if (typeof each === 'object' && each !== null) return undefined;
    for (const each of Object.values(part)) {
      if (typeof each === 'string' && !(/^\d{1,9}$/.test(each) && Number(each) < flat.length))
        return undefined;
    }
  }
  const built = new Map<number, { value: JsonValue; parts: number }>();
  const open = new Set<number>();
  const build = (index: number): { value: JsonValue; parts: number } | undefined => {
    const known = built.get(index);
    if (known !== undefined) return known;
    const part = flat[index] ?? null;
    if (typeof part !== 'object' || part === null) return { value: part, parts: 1 };
    if (open.has(index) || open.size > MAX_DEPTH) return undefined;
    open.add(index);
    let parts = 1;
    const entries: [string, JsonValue][] = [];
    for (const [key, each] of Object.entries(part)) {
      const child = typeof each === 'string' ? build(Number(each)) : { value: each, parts: 1 };
      if (child === undefined) return undefined;
      parts += child.parts;
      if (parts > MAX_PARTS) return undefined;
      entries.push([key, child.value]);
    }
    open.delete(index);
    const value = Array.isArray(part) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
    const whole = { value, parts };
    built.set(index, whole);
    return whole;
  };
  return build(0)?.value;
}

/** Whether a text of JSON can hold MongoDB's extended notation: a key that begins with `$`. */
function mayBeExtended(json: string): boolean {
  // The dollar first: it is rare, and quotes are everywhere.
  return json.includes('$') && json.includes('"$');
}

/**
 * MongoDB's extended JSON (canonical and relaxed) as plain JSON: `{"$numberInt":"5"}` is 5, `{"$date":…}` and `{"$oid":…}` are
 * texts. The same value where it has none of it, or where it is too deep for a document.
 */
function withoutExtended(value: JsonValue, depth = 0): JsonValue {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) {
    // There, what looks like a number is the index of a text.
    if (unflatten(value) !== undefined) return value;
    let copy: JsonValue[] | undefined;
    for (const [i, each] of value.entries()) {
      const plain = withoutExtended(each, depth + 1);
      if (plain !== each) (copy ??= [...value])[i] = plain;
    }
    return copy ?? value;
  }
  const scalar = extendedScalar(value);
  if (scalar !== undefined) return scalar;
  let changed: Map<string, JsonValue> | undefined;
  for (const [key, each] of Object.entries(value)) {
    const plain = withoutExtended(each, depth + 1);
    if (plain !== each) (changed ??= new Map()).set(key, plain);
  }
  if (changed === undefined) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, changed.has(key) ? (changed.get(key) ?? null) : each]),
  );
}

/** Whether a text of JSON can hold DynamoDB's typed notation: a webhook in it is text, bytes or a map. */
function mayBeTyped(json: string): boolean {
  // Without the first quote to begin with: quotes are everywhere.
  return TYPES.some((end) => json.includes(end) && json.includes(`"${end}`));
}

const TYPES = ['S":', 'M":', 'B":'];

/**
 * The value without the notations in which databases write JSON, and their names: DynamoDB's, which can hold MongoDB's. `written`: its
 * text. `isJson`: as other languages print values, their quotes are others.
 */
export function withoutNotations(
  value: JsonValue,
  written: string,
  isJson: boolean,
): { value: JsonValue; steps: readonly string[] } {
  const untyped = (isJson ? mayBeTyped(written) : /\b[SMB]\b/.test(written)) ? withoutTypes(value) : value;
  const mayHoldDollars = isJson ? mayBeExtended(written) : written.includes('$');
  const plain = mayHoldDollars ? withoutExtended(untyped) : untyped;
  if (plain === value) return { value, steps: NO_STEPS };
  const steps = untyped === value ? [] : ['dynamodb'];
  return { value: plain, steps: plain === untyped ? steps : [...steps, 'mongodb'] };
}

const NO_STEPS: readonly string[] = [];

/**
 * DynamoDB's typed JSON as plain JSON, in an item of it: `{"payload":{"M":{"n":{"N":"5"}}}}` is `{"payload":{"n":5}}`. The same
 * value where it has none. An item is one only if every member has a type: no webhook has.
 */
function withoutTypes(value: JsonValue, depth = 0): JsonValue {
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return value;
  if (Array.isArray(value)) {
    let copy: JsonValue[] | undefined;
    for (const [i, each] of value.entries()) {
      const plain = withoutTypes(each, depth + 1);
      if (plain !== each) (copy ??= [...value])[i] = plain;
    }
    return copy ?? value;
  }
  const item = itemIn(value, depth);
  // One item may hold another.
  if (item !== undefined) return withoutTypes(item, depth + 1);
  let isChanged = false;
  const entries: [string, JsonValue][] = [];
  for (const [key, each] of Object.entries(value)) {
    const plain = withoutTypes(each, depth + 1);
    if (plain !== each) isChanged = true;
    entries.push([key, plain]);
  }
  return isChanged ? Object.fromEntries(entries) : value;
}

/** The plain object of an item, or of a map in one. */
function itemIn(object: JsonObject, depth: number): JsonObject | undefined {
  const entries: [string, JsonValue][] = [];
  for (const [key, each] of Object.entries(object)) {
    const plain = plainOf(each, depth);
    if (plain === undefined) return undefined;
    entries.push([key, plain]);
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The value that an object with one member says the type of. */
function plainOf(typed: JsonValue, depth: number): JsonValue | undefined {
  const object = asObject(typed);
  if (object === undefined || depth > MAX_DEPTH) return undefined;
  const [key, ...more] = Object.keys(object);
  if (key === undefined || more.length > 0) return undefined;
  const held = ownValue(object, key) ?? null;
  switch (key) {
    case 'S':
    case 'B':
      return typeof held === 'string' ? held : undefined;
    case 'N':
      return typeof held === 'string' && isNumber(held) ? exactNumber(held) : undefined;
    case 'BOOL':
      return typeof held === 'boolean' ? held : undefined;
    case 'NULL':
      return held === true ? null : undefined;
    case 'M': {
      const map = asObject(held);
      if (map === undefined) return undefined;
      return Object.keys(map).length === 0 ? map : itemIn(map, depth + 1);
    }
    case 'L':
      return Array.isArray(held) ? allOf(held, (each) => plainOf(each, depth + 1)) : undefined;
    case 'SS':
    case 'BS':
      return Array.isArray(held)
        ? allOf(held, (each) => (typeof each === 'string' ? each : undefined))
        : undefined;
    case 'NS':
      return Array.isArray(held)
        ? allOf(held, (each) => (typeof each === 'string' && isNumber(each) ? exactNumber(each) : undefined))
        : undefined;
    default:
      return undefined;
  }
}

function allOf(
  list: readonly JsonValue[],
  read: (each: JsonValue) => JsonValue | undefined,
): JsonValue[] | undefined {
  const all: JsonValue[] = [];
  for (const each of list) {
    const plain = read(each);
    if (plain === undefined) return undefined;
    all.push(plain);
  }
  return all;
}

function isNumber(text: string): boolean {
  return typeof numberIn(text) === 'number';
}

/** The plain value of `{"$type": …}`; undefined for any other object. */
function extendedScalar(object: JsonObject): JsonValue | undefined {
  const [key, ...more] = Object.keys(object);
  if (key === undefined || more.length > 1 || !key.startsWith('$')) return undefined;
  const held = ownValue(object, key) ?? null;
  if (key === '$binary') return asObject(held)?.base64 ?? held;
  if (more.length > 0) return undefined;
  switch (key) {
    case '$numberInt':
    case '$numberDouble':
      return numberIn(held);
    case '$numberLong':
    case '$numberDecimal':
      return exactNumber(held);
    case '$date': {
      const inner = asObject(held);
      const ms = inner === undefined ? held : numberIn(inner.$numberLong ?? null);
      return typeof ms === 'number' && Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : ms;
    }
    case '$oid':
    case '$uuid':
    case '$symbol':
      return held;
    case '$undefined':
      return null;
    default:
      return undefined;
  }
}

/** The number, or its digits: ids have more of them than a number of JavaScript keeps. */
function exactNumber(held: JsonValue): JsonValue {
  const number = numberIn(held);
  return typeof number === 'number' && !Number.isSafeInteger(number) && Number.isInteger(number)
    ? held
    : number;
}

function numberIn(held: JsonValue): JsonValue {
  if (typeof held !== 'string' || held.length > 40) return held;
  const number = Number(held);
  return held.trim() !== '' && Number.isFinite(number) ? number : held;
}
