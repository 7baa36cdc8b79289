import type { Readable } from 'node:stream';
import type { IncludableChat } from '../../model/enumerations.js';
import type { RawEntry } from '../../model/raw-entry.js';
import type { FileSourceOptions } from '../../inputs/file-source.js';
import type { ResolvedInput } from '../../inputs/resolve-inputs.js';

/** The stored entries that a replay without a path takes. */
export interface LogSelection {
  /** pending: not finished yet; failed: pending and failed; all: everything. */
  which: 'pending' | 'failed' | 'all';
  /** Half-open [since, until), ms since 1970, by when the entry was received (else stored). */
  since?: number | undefined;
  until?: number | undefined;
  /** Leaves out entries that had failed before then, ms since 1970. */
  failedSince?: number | undefined;
  /** Webhook field or Baileys event. */
  field?: string | undefined;
  /** Just these entries. */
  ids?: readonly string[] | undefined;
  /** Any form of a contact: phone, JID, LID, BSUID, lead id. */
  contact?: string | undefined;
}

export type ReplayInput =
  /** Entries made by another command; they cannot be read twice. */
  | { kind: 'rows'; entries: AsyncIterable<RawEntry> }
  | {
      kind: 'paths';
      inputs: readonly ResolvedInput[];
      stdin: Readable;
      maxEntryBytes: number;
      /** Told the files of an archive that are no logs. */
      onPassedOver?: FileSourceOptions['onPassedOver'];
    }
  | ({ kind: 'log' } & LogSelection);

/** The caller holds the run lock (shared) while `replay` runs. */
export interface ReplayOptions {
  input: ReplayInput;
  /** Name of the connection for Baileys events and for bodies that name none; entries of others stay pending. */
  connection?: string | undefined;
  /** Create unknown connections that entries name (H1). */
  register: boolean;
  tickets: 'auto' | 'none';
  include: ReadonlySet<IncludableChat>;
  dryRun: boolean;
  /** Stop at the first problem. */
  strict: boolean;
  /** Stop when more problems than this were found. */
  maxErrors?: number | undefined;
  /** Messages per transaction; absent: 1000 at first, and more while nobody else writes. */
  batchSize?: number | undefined;
  /** Resume an interrupted run with the same inputs. */
  resume: boolean;
  /** Whether `undo` can revert the run (default false): see ApplySettings. */
  isUndoable?: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}
