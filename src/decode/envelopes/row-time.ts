import type { JsonObject, JsonValue } from '../../model/json.js';
import { instantOf } from '../../model/time.js';
import { clockOf, epochOf } from './clock.js';
import { timeNameOf } from './time-names.js';
import { asObject } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import type { Scope } from './bodies.js';
import { isMessageLike, mayHold } from './wrappers.js';

/** Members beside a body that have its time: SQS, RabbitMQ, Event Hubs, Elasticsearch. */
const BESIDE = [
  ['Attributes', 'SentTimestamp'],
  ['attributes', 'SentTimestamp'],
  ['properties', 'timestamp'],
  ['SystemProperties', 'EnqueuedTimeUtc'],
  ['fields', '@timestamp'],
] as const;

/**
 * When a row was received, ms since 1970, by its members or columns: what a listed name says, or else its only time that no name says is
 * another. Of two such times nothing says which it is. JSON, CSV and dumps of databases ask the same one.
 */
export class RowTime {
  #rank = Infinity;
  #listed: number | undefined;
  #only: number | undefined;
  #isDoubtful = false;

  /** What a listed name says. */
  get listed(): number | undefined {
    return this.#listed;
  }

  /** The only time under a name that nobody listed. */
  get only(): number | undefined {
    return this.#isDoubtful ? undefined : this.#only;
  }

  /** Takes what is under a name. */
  add(name: string, value: JsonValue): void {
    if (!mayBeTime(value)) return;
    const { kind, rank } = timeNameOf(name);
    if (kind === 'other') return;
    if (kind === 'listed') {
      const at = rank < this.#rank ? parseInstant(value) : undefined;
      if (at === undefined) return;
      this.#rank = rank;
      this.#listed = at;
      return;
    }
    if (this.#isDoubtful) return;
    const at = unlistedInstant(value, kind === 'time');
    if (at === undefined) return;
    this.#isDoubtful = this.#only !== undefined && this.#only !== at;
    this.#only = at;
  }

  /** Takes the cell of a table. Of columns without names, the first date and time stands for the row. */
  addCell(name: string | undefined, cell: Buffer): void {
    if (cell.length > LONGEST_TIME || !begins(cell[0] ?? 0)) return;
    const text = cell.toString('latin1');
    if (name !== undefined) this.add(name, text);
    else this.#only ??= unlistedInstant(text, false);
  }

  /** When a row of a table was received. */
  get at(): number | undefined {
    return this.#listed ?? this.only;
  }
}

/**
 * When the row was received, ms since 1970. For objects that wrap a body, never for a body itself. `isKnown`: whether something around it
 * has said so; a time under a name of its own must not replace that.
 */
export function receivedAtOf(row: JsonObject, isKnown = false): number | undefined {
  const time = new RowTime();
  for (const name in row) time.add(name, row[name] ?? null);
  if (time.listed !== undefined) return time.listed;
  // API Gateway's two formats.
  const request = asObject(row.requestContext);
  const epoch = parseTimestamp(request?.timeEpoch) ?? parseTimestamp(request?.requestTimeEpoch);
  if (epoch !== undefined) return epoch;
  for (const [member, column] of BESIDE) {
    const instant = parseInstant(asObject(row[member])?.[column] ?? null);
    if (instant !== undefined) return instant;
  }
  return isKnown ? undefined : (time.only ?? timeBeside(row));
}

/**
 * What the small objects beside a body say, where nothing else does: their only time, else when the request was sent. No object that may
 * hold a body itself, nor one about somebody.
 */
function timeBeside(row: JsonObject): number | undefined {
  const times = new Set<number>();
  let sentAt: number | undefined;
  for (const name in row) {
    const object = asObject(row[name]);
    if (object === undefined || !isSmallAndFlat(object)) continue;
    if (/headers?$/i.test(name)) {
      sentAt ??= dateHeaderOf(object);
      continue;
    }
    if (isAboutSomebody(object)) continue;
    const time = new RowTime();
    for (const member in object) time.add(member, object[member] ?? null);
    if (time.at !== undefined) times.add(time.at);
    if (times.size > 1) return undefined;
  }
  const [only] = times;
  return only ?? sentAt;
}

function dateHeaderOf(headers: JsonObject): number | undefined {
  const name = Object.keys(headers).find((key) => key.toLowerCase() === 'date');
  return name === undefined ? undefined : parseInstant(headers[name] ?? null);
}

const MOST_MEMBERS = 64;

/** Whether nothing in an object can be or hold a body. */
function isSmallAndFlat(object: JsonObject): boolean {
  const values = Object.values(object);
  return (
    values.length <= MOST_MEMBERS &&
    values.every((value) => {
      const one = Array.isArray(value) && value.length === 1 ? value[0] : value;
      return typeof one === 'string'
        ? !mayHold(one)
        : typeof one !== 'object' || one === null || mayBeTime(one);
    })
  );
}

/** A user's or an account's times are its own. */
function isAboutSomebody(object: JsonObject): boolean {
  return isMessageLike(object) || Object.keys(object).some((key) => OF_SOMEBODY.test(key));
}

const OF_SOMEBODY = /(?:^|[_-])(?:name|nome|nombre|email|username|title)$/i;

/** The time of a row without names: Loki's `[nanoseconds, line]`. */
export function timeOfTuple(list: readonly JsonValue[]): number | undefined {
  const [time, line] = list;
  const isTuple = list.length <= 3 && typeof line === 'string' && typeof time === 'string';
  return isTuple && /^\d{16,19}$/.test(time) ? epochOf(time) : undefined;
}

/** The scope inside a row: its time replaces missing ones (rule M7), unless the caller gave a time. */
export function withRowTime(scope: Scope, rowTime: number | undefined): Scope {
  if (rowTime === undefined || scope.timeIsGiven) return scope;
  // Member by member: for each row of a log, a spread takes as long as the rest of the search.
  const { options, timeIsGiven, field } = scope;
  return { options: { include: options.include, receivedAt: rowTime }, timeIsGiven, field };
}

/** No form of a time is longer. */
const LONGEST_TIME = 64;
/** Seconds since 1970 have so many digits since 2001. */
const LEAST_EPOCH = 1e9;
/** Until 2038, seconds since 1970 have 31 bits: larger numbers of ten digits are phones and ids. */
const END_OF_EPOCHS = 2 ** 31 * 1000;

/** A quick look: most members of a row are no times. */
function mayBeTime(value: JsonValue): boolean {
  if (typeof value === 'string') return value.length <= LONGEST_TIME && begins(value.charCodeAt(0));
  if (typeof value === 'number') return value >= LEAST_EPOCH;
  if (typeof value !== 'object' || value === null) return false;
  return Array.isArray(value)
    ? value.length === 1
    : 'seconds' in value || '_seconds' in value || 'low' in value;
}

/** Whether a time can begin so: with a digit, a weekday, a bracket, a blank. */
function begins(character: number): boolean {
  const isDigit = character >= 0x30 && character <= 0x39;
  return isDigit || WEEKDAYS.has(character) || character === 0x5b || character === 0x20;
}

/** M, T, W, F, S. */
const WEEKDAYS: ReadonlySet<number> = new Set([0x4d, 0x54, 0x57, 0x46, 0x53]);

/** A number is a time only where its name says so. */
function unlistedInstant(value: JsonValue, saysTime: boolean): number | undefined {
  if (typeof value === 'string' && !/^[\d.\s]+$/.test(value)) return parseInstant(value);
  // A list of a row is anything.
  if (!saysTime || Array.isArray(value)) return undefined;
  const at = parseInstant(value);
  return at !== undefined && at < END_OF_EPOCHS ? at : undefined;
}

/** An epoch in seconds, milli-, micro- or nanoseconds, as a number or a text, or a date and time. */
function parseInstant(value: JsonValue): number | undefined {
  if (typeof value === 'string') {
    if (value.length > LONGEST_TIME) return undefined;
    return epochOf(value) ?? parseTimestamp(instantOf(value) ?? clockOf(value));
  }
  if (typeof value === 'number')
    return value >= 1e15 ? epochOf(String(Math.trunc(value))) : parseTimestamp(value);
  if (typeof value !== 'object' || value === null) return undefined;
  // Elasticsearch's fields are lists.
  if (Array.isArray(value)) return value.length === 1 ? parseInstant(value[0] ?? null) : undefined;
  // Firestore's timestamps, and protobuf's.
  const seconds = parseTimestamp(value._seconds ?? value.seconds);
  if (seconds === undefined) return parseTimestamp(value);
  const nanoseconds = value._nanoseconds ?? value.nanoseconds ?? value.nanos;
  return seconds + (typeof nanoseconds === 'number' ? Math.trunc(nanoseconds / 1e6) : 0);
}
