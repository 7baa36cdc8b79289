import type { IncludableChat } from '../../model/enumerations.js';
import type { Source } from '../../model/raw-entry.js';

/** Which stored entries a replay without a path takes (half-open [since, until), ms since 1970). */
export interface LogSelection {
  /** pending: not finished yet; failed: pending and failed; all: everything. */
  which: 'pending' | 'failed' | 'all';
  since?: number;
  until?: number;
  field?: string;
  /** Any form of a contact: phone, JID, LID, BSUID, lead id. */
  contact?: string;
}

export interface ReplayOptions {
  /** Files and stdin already opened, or a selection of webhook_log. */
  input:
    | {
        kind: 'source';
        source: Source;
        /** what identifies the inputs, for resuming; absent for stdin */ fingerprint?: string;
      }
    | ({ kind: 'log' } & LogSelection);
  /** Name of the connection: of Baileys events and bodies that name none; others are left pending. */
  connection?: string;
  /** Create connections that entries name and the database does not know (H1). */
  register: boolean;
  tickets: 'auto' | 'none';
  include: ReadonlySet<IncludableChat>;
  dryRun: boolean;
  /** Stop at the first reject, failed or unrecognized entry. */
  strict: boolean;
  /** Stop when more problems than this were found. */
  maxErrors?: number;
  /** Messages per transaction. */
  batchSize: number;
  /** Go on where an interrupted run with the same inputs stopped. */
  resume: boolean;
  /** How long to wait for a lock, in ms; 0 fails at once. */
  lockWaitMs: number;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | readonly string[]>;
}
