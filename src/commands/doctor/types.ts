import type { UserError } from '../../model/errors.js';
import type { Advices } from '../../model/remedy.js';
import type { DatabaseConfig } from '../database.js';
import type { SecretKey } from '../devices/secret-key.js';

/** A setting that was given somewhere, safe to show: without secrets. */
export interface GivenSetting {
  /** `database`, `lock-wait`. */
  name: string;
  value: string;
  /** `--home`, `WA_RECONCILE_LOCK_WAIT`, `DATABASE_URL in /srv/.env`, `default`. */
  origin: string;
}

/** The caller's knowledge of the installation; the doctor finds out the rest. */
export interface DoctorOptions {
  /** `v24.1.0`. */
  nodeVersion: string;
  host: string;
  pid: number;
  /** When this process started, ms since 1970. */
  processStartedAt?: number;
  /** Milliseconds since 1970. */
  clock: () => number;
  signal: AbortSignal;
  settings: readonly GivenSetting[];
  /** Variables that look like settings but are not: `WA_RECONCILE_HOMR`, with what may have been meant. */
  unknownSettings: readonly { place: string; similar?: string }[];
  /** Files that hold or may hold a password: `.env`, the database URL's. */
  secretFiles: readonly string[];
  /** The secret key, or why what was given is none; null if none was given. */
  secretKey: SecretKey | UserError | null;
  /** Which database, or why that is unknown. */
  database: DatabaseConfig | UserError;
  /** Where a database could have been named, in order, and what was found there. */
  looked: readonly string[];
}

export const DOCTOR_CHECKS = [
  'node',
  'configuration',
  'database',
  'server',
  'pooler',
  'migrations',
  'rights',
  'indexes',
  'lock',
  'disk',
  'clock',
  'runs',
  'secrets',
  'graph',
] as const;
export type DoctorCheckName = (typeof DOCTOR_CHECKS)[number];

/** `warn`: it works, but needs attention. `fail`: commands fail, or data is in danger. */
export type DoctorStatus = 'ok' | 'warn' | 'fail';

export interface DoctorCheck {
  name: DoctorCheckName;
  status: DoctorStatus;
  /** The state, in a sentence. */
  message: string;
  /** What to type or change; only with `warn` and `fail`. */
  remedy?: Advices;
}

export interface DoctorResult {
  schemaVersion: 1;
  command: 'doctor';
  /** The worst of the checks. */
  status: DoctorStatus;
  /** In a fixed order; excludes those that an earlier failure makes impossible. */
  checks: DoctorCheck[];
  /** What was given, and where; a missing setting has its default. */
  settings: GivenSetting[];
}

/** What a check found; the doctor adds its name. */
export type Found = Omit<DoctorCheck, 'name'>;

export const ok = (message: string): Found => ({ status: 'ok', message });

/** It works, but needs attention. */
export function warn(message: string, remedy?: Advices): Found {
  return { status: 'warn', message, ...(remedy === undefined ? {} : { remedy }) };
}

/** Commands fail, or data is in danger. */
export function fail(message: string, remedy?: Advices): Found {
  return { ...warn(message, remedy), status: 'fail' };
}

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
