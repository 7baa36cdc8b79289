import type { ProvenBefore } from './proof.js';
import type { CheckName, VerifiedItem } from './result.js';

/** The caller holds the run lock (exclusive) with `enforce`; without it `verify` only reads. */
export interface VerifyOptions {
  checks: ReadonlySet<CheckName>;
  /** Name of the only connection to look at. */
  connection?: string | undefined;
  /** Only what was received or sent since, ms since 1970. */
  since?: number | undefined;
  /** Of the raw log, only what has changed since an earlier verification; everything, if that cannot be told. */
  provenBefore?: ProvenBefore | undefined;
  /** Find out what can be remembered as proven; see `Verified`. */
  remember?: true | undefined;
  /** Create the unique indexes that are missing or not valid, and set derived values that are wrong (see `Recomputed`). */
  enforce: boolean;
  /** With `enforce`, for sync_runs.options: what the user asked for, without secrets. */
  recordedOptions?: Record<string, string | number | boolean | string[]> | undefined;
  /** Receives every item, for `--items`. */
  onItem?: ((item: VerifiedItem) => Promise<void> | void) | undefined;
}
