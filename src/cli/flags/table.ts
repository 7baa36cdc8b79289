import type { Command } from 'commander';
import { ConfigError } from '../../model/errors.js';
import { localTimeZone } from '../../model/time.js';
import { lookUp, type Environment } from '../environment.js';
import type { Io } from '../io.js';
import { environmentName, flagName, type Flag, type FlagOption } from './flag.js';

/** The flags of a command by their keys: `batchSize` is `--batch-size` and WA_RECONCILE_BATCH_SIZE. */
export type Table = Readonly<Record<string, Flag<unknown, unknown>>>;

type ValueOf<F> = F extends Flag<infer Value, infer Absent> ? Value | Absent : never;

export type Values<T extends Table> = { readonly [Key in keyof T]: ValueOf<T[Key]> };

/** Flags as they were typed, by key (`batchSize`, `noColor`): `true`, a count, a text, or the texts of a repeated flag. */
export type GivenFlags = ReadonlyMap<string, unknown>;

/** What flags are read from. */
export interface Line {
  given: GivenFlags;
  environment: Environment;
  io: Pick<Io, 'clock'>;
}

export interface Origin {
  from: 'flag' | 'environment' | '.env' | 'default';
  /** `--batch-size`, `WA_RECONCILE_BATCH_SIZE`, `WA_RECONCILE_BATCH_SIZE in /srv/.env`, `default`. */
  place: string;
}

/** For sync_runs.options: what differs from saying nothing. */
export type Recorded = Record<string, string | number | boolean | string[]>;

/** The parsed flags of one call. */
export interface Reading<T extends Table> {
  values: Values<T>;
  /** Where the value of a flag was found. */
  origin: (key: keyof T & string) => Origin;
  /** The text given for a flag; undefined if omitted. */
  typed: (key: keyof T & string) => string | undefined;
  recorded: Recorded;
}

const DEFAULT_ORIGIN: Origin = { from: 'default', place: 'default' };

/** Puts flags under one heading of the help. A flag that several commands share has one heading in all of them. */
export function group<T extends Table>(heading: string, flags: T): T {
  for (const [key, { spec }] of Object.entries(flags)) {
    if (spec.heading !== undefined && spec.heading !== heading)
      throw new Error(`${flagName(key)} stands under '${spec.heading}' already, and not under '${heading}'`);
    spec.heading = heading;
  }
  return flags;
}

/** The flags as commander takes them. */
export function optionsOf(table: Table): FlagOption[] {
  return Object.entries(table).flatMap(([key, flag]) => flag.options(key));
}

/**
 * The one reader: the line beats the environment, which beats `./.env`, which beats the default, and a value means the
 * same everywhere. Throws a ConfigError that names the source of the first wrong value.
 */
export function readFlags<T extends Table>(table: T, { given, environment, io }: Line): Reading<T> {
  const found = new Map<string, Found>();
  for (const [key, flag] of Object.entries(table)) {
    const one = find(key, flag, given, environment);
    if (one !== undefined) found.set(key, one);
  }
  const frame = { now: io.clock(), timeZone: localTimeZone() };
  const values: Record<string, unknown> = {};
  const recorded: Recorded = {};
  // The zone first: other flags need it to read dates.
  for (const [key, flag] of Object.entries(table).sort(
    ([a], [b]) => Number(b === 'tz') - Number(a === 'tz'),
  )) {
    const one = found.get(key);
    const place = one?.origin.place ?? DEFAULT_ORIGIN.place;
    const value =
      one === undefined ? flag.spec.absent({ ...frame, place }) : flag.value(one.raw, { ...frame, place });
    values[key] = value;
    if (key === 'tz' && typeof value === 'string') frame.timeZone = value;
    const said = one === undefined ? undefined : recordable(flag.spec.recordsTyped ? one.raw : value);
    if (said !== undefined) recorded[key] = said;
  }
  if (!isWhole(values, table)) throw new Error('a flag was left out of its reading');
  return {
    values,
    origin: (key) => found.get(key)?.origin ?? DEFAULT_ORIGIN,
    typed: (key) => {
      const raw = found.get(key)?.raw;
      return typeof raw === 'string' ? raw : undefined;
    },
    recorded,
  };
}

interface Found {
  raw: unknown;
  origin: Origin;
}

/** Under its own name or an older one, on the line before the environment. */
function find(
  key: string,
  { spec }: Flag<unknown, unknown>,
  given: GivenFlags,
  environment: Environment,
): Found | undefined {
  const keys = [key, ...spec.aliases];
  for (const name of keys) {
    const raw = given.get(name);
    if (raw !== undefined) return { raw, origin: { from: 'flag', place: flagName(name) } };
  }
  if (!spec.inEnvironment) return undefined;
  for (const name of keys) {
    const set = lookUp(environmentName(name), environment);
    if (set !== undefined) return { raw: set.value, origin: { from: set.from, place: set.place } };
  }
  return undefined;
}

function recordable(value: unknown): Recorded[string] | undefined {
  if (value instanceof Set) return [...value].map(String);
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map(String);
  if (value === true || typeof value === 'string' || typeof value === 'number') return value;
  return undefined;
}

function isWhole<T extends Table>(values: unknown, table: T): values is Values<T> {
  return typeof values === 'object' && values !== null && Object.keys(table).every((key) => key in values);
}

/** The flags that were typed for `command`, before or after its name. */
export function givenFlags(command: Command): GivenFlags {
  const given = new Map<string, unknown>();
  for (let level: Command | null = command; level !== null; level = level.parent) {
    for (const option of level.options) {
      const name = option.attributeName();
      if (level.getOptionValueSource(name) !== 'cli') continue;
      const last: unknown = level.getOptionValue(name);
      // Of a flag and its negation, which share a value, the last one was meant.
      if (option.negate !== (last === false)) continue;
      const value: unknown = option.negate ? true : last;
      const key = option.negate ? `no${name.charAt(0).toUpperCase()}${name.slice(1)}` : name;
      const other = given.get(key);
      // `-v replay -nv`: the first stands on the program, the second on the command.
      if (typeof other === 'number' && typeof value === 'number') given.set(key, other + value);
      else if (other === undefined) given.set(key, value);
    }
  }
  return given;
}

/** Throws commander's error for a flag of the command above (`compare`) that this one (`compare chat-export`) does not have. */
export function rejectFlagsOfParents(command: Command): void {
  const own = new Set(command.options.map((option) => option.attributeName()));
  for (let level = command.parent; level?.parent; level = level.parent) {
    for (const option of level.options) {
      const name = option.attributeName();
      if (own.has(name) || level.getOptionValueSource(name) !== 'cli') continue;
      command.error(`error: unknown option '${option.long ?? option.flags}'`, {
        code: 'commander.unknownOption',
      });
    }
  }
}

/** Two flags that cannot both be meant. */
export function contradiction(message: string, remedy: string): ConfigError {
  return new ConfigError(message, { remedy, code: 'contradiction' });
}

/** Throws ConfigError for a window that ends before it begins: from the first (included) to the second (not included). */
export function rejectEmptyWindow<T extends Table>(
  { values, origin }: Reading<T>,
  from: keyof T & string,
  to: keyof T & string,
): void {
  const [first, last]: unknown[] = [values[from], values[to]];
  if (typeof first !== 'number' || typeof last !== 'number' || first < last) return;
  throw contradiction(
    `${origin(from).place} is not before ${origin(to).place}: nothing would be in between.`,
    `Times are half-open: from since (included) to until (not included). Read as ${instant(first)} to ${instant(last)}.`,
  );
}

/** Throws ConfigError if the item list (a file name, or `-`) and the result would go to the same place. */
export function rejectSamePlace(
  items: string | undefined,
  output: string | undefined,
  { place }: Origin,
): void {
  if (items === '-' && (output === undefined || output === '-')) {
    throw contradiction(
      `${place} -: stdout is taken by the result.`,
      'Send the result elsewhere with -o FILE, or name a file for the items.',
    );
  }
  if (items !== undefined && items !== '-' && items === output) {
    throw contradiction(`${place} and -o name the same file.`, 'Name two.');
  }
}

/** `2026-11-03T03:00:00Z`, without milliseconds where there are none. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
