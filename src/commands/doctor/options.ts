import type { UserError } from '../../model/errors.js';
import type { DatabaseConfig } from '../database.js';

/** A setting that was given somewhere, fit to be shown: without secrets. */
export interface GivenSetting {
  /** `database`, `lock-wait`. */
  name: string;
  value: string;
  /** `--home`, `WA_RECONCILE_LOCK_WAIT`, `DATABASE_URL in /srv/.env`, `default`. */
  origin: string;
}

/** What the doctor is told of the installation; it finds out the rest. */
export interface DoctorOptions {
  /** `v24.1.0`. */
  nodeVersion: string;
  host: string;
  pid: number;
  /** When this process began, ms since 1970. */
  processStartedAt?: number;
  /** Milliseconds since 1970. */
  clock: () => number;
  signal: AbortSignal;
  settings: readonly GivenSetting[];
  /** Variables that look like settings and are none: `WA_RECONCILE_HOMR`, with what may have been meant. */
  unknownSettings: readonly { place: string; similar?: string }[];
  /** Files that hold a password or may: `.env`, the database URL's. */
  secretFiles: readonly string[];
  /** Which database, or why that cannot be told. */
  database: DatabaseConfig | UserError;
  /** Where a database could have been named, in order, and what was found there. */
  looked: readonly string[];
}
