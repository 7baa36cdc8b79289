import type { z } from 'zod';
import { ConfigError } from '../../model/errors.js';
import { lookUp, type Environment } from './environment.js';

/** Flags as they were typed, by key (`batchSize`, `noColor`): `true`, a count, a text, or the texts of a repeated flag. */
export type GivenFlags = ReadonlyMap<string, unknown>;

export interface Origin {
  from: 'flag' | 'environment' | '.env' | 'default';
  /** `--batch-size`, `WA_RECONCILE_BATCH_SIZE`, `WA_RECONCILE_BATCH_SIZE in /srv/.env`, `default`. */
  place: string;
}

export interface Resolved<T> {
  values: T;
  /** Where the value of each key was found. */
  origin: (key: keyof T & string) => Origin;
}

const DEFAULT_ORIGIN: Origin = { from: 'default', place: 'default' };

/** `batchSize` -> `--batch-size`. */
export function flagName(key: string): string {
  return `--${words(key).join('-')}`;
}

/** `batchSize` -> `WA_RECONCILE_BATCH_SIZE`. */
export function environmentName(key: string): string {
  return `WA_RECONCILE_${words(key).join('_').toUpperCase()}`;
}

/**
 * The one resolver: flags > environment > `./.env` > defaults, one schema for all of them, so a value means the same
 * wherever it stands. Throws a ConfigError that names the place of the first wrong value.
 */
export function resolveSettings<Shape extends z.core.$ZodShape>(
  schema: z.ZodObject<Shape>,
  given: GivenFlags,
  environment: Environment,
): Resolved<z.output<z.ZodObject<Shape>>> {
  const raw: Record<string, unknown> = {};
  const origins = new Map<string, Origin>();
  for (const key of Object.keys(schema.shape)) {
    const flag = given.get(key);
    if (flag !== undefined) {
      raw[key] = flag;
      origins.set(key, { from: 'flag', place: flagName(key) });
      continue;
    }
    const found = lookUp(environmentName(key), environment);
    if (found !== undefined) {
      raw[key] = found.value;
      origins.set(key, { from: found.from, place: found.place });
    }
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw wrongValue(parsed.error.issues, raw, origins);
  return { values: parsed.data, origin: (key) => origins.get(key) ?? DEFAULT_ORIGIN };
}

/** What was asked for, for sync_runs: what differs from saying nothing. */
export function saidOf<T extends object>(values: T): { [key: string]: Exclude<T[keyof T], undefined> } {
  return Object.fromEntries(
    Object.entries(values).filter(
      ([, value]: [string, unknown]) =>
        value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function wrongValue(
  issues: readonly z.core.$ZodIssue[],
  raw: Readonly<Record<string, unknown>>,
  origins: ReadonlyMap<string, Origin>,
): ConfigError {
  const issue = issues[0];
  const key = String(issue?.path[0] ?? '');
  const place = origins.get(key)?.place ?? flagName(key);
  const given = raw[key];
  const value = Array.isArray(given) ? given.join(',') : given;
  const shown = typeof value === 'string' || typeof value === 'number' ? ` '${value}'` : '';
  return new ConfigError(`${place}:${shown} is not ${issue?.message ?? 'valid'}.`, {
    remedy: `Correct it, or leave it out to use the default.`,
  });
}

function words(key: string): string[] {
  return key.split(/(?=[A-Z])/).map((word) => word.toLowerCase());
}
