import type { Remedy } from '../../model/remedy.js';
import type { Severity } from '../../model/enumerations.js';
import type { ProvenBefore } from './proof.js';

/** The checks of `verify`, in the order they run and are shown. */
export const CHECK_NAMES = [
  'unique_index',
  'duplicate_ids',
  'missing_ids',
  'collisions',
  'raw_log',
  'raw_entry',
  'raw_bodies',
  'rejects',
  'signatures',
  'wamid_phone',
  'pending_facts',
  'one_conversation',
  'one_open_ticket',
  'ticket_rules',
  'conversation_times',
  'lead_values',
  'history_ledger',
  'media_owed',
  'media_files',
  'consistency',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

/** The caller holds the run lock (exclusive) with `enforce`; otherwise `verify` only reads. */
export interface VerifyOptions {
  checks: ReadonlySet<CheckName>;
  /** Name of the only connection to check. */
  connection?: string | undefined;
  /** Only what was received or sent since, ms since 1970. */
  since?: number | undefined;
  /** Of the raw log, only what is new since an earlier verification; everything, if that is unknown or anything else has changed. */
  provenBefore?: ProvenBefore | undefined;
  /** Determine what can be remembered as proved; see `Verified`. */
  remember?: true | undefined;
  /** Create missing or invalid unique indexes, and correct derived values (see `Recomputed`). */
  enforce: boolean;
  /** How long the answer to a request of history may take, as in the alerts of `report`; an hour unless told. */
  historyMinutes?: number | undefined;
  /** With `enforce`, for sync_runs.options: what the user asked for, without secrets. */
  recordedOptions?: Record<string, string | number | boolean | string[]> | undefined;
  /** Receives every item, for `--items`. */
  onItem?: ((item: VerifiedItem) => Promise<void> | void) | undefined;
}

/** `=` correct, `+` in the raw log but not in the database, `-` in the database only, `*` differs, `!` undetermined. */
export type ItemSign = '=' | '+' | '-' | '*' | '!';

/** The subject of a finding. */
export interface Finding {
  connection: string | null;
  /** An externalId, a row's id, `phase/chunk`. */
  subject: string;
  /** Its origin (`file:line`, `log:<id>`), or what is wrong with it. */
  detail: string;
}

/** One item of `--items`: a line `SIGN CHECK CONNECTION SUBJECT DETAIL`. No message bodies. */
export interface VerifiedItem extends Finding {
  sign: ItemSign;
  check: CheckName;
}

export interface CheckResult {
  check: CheckName;
  /** `note`: worth knowing, nothing to fix (messages without a raw entry, outstanding media); does not count as a finding. */
  status: 'ok' | 'note' | 'findings';
  /** Severity of its findings; null if it found nothing, or everything noted is acknowledged. */
  severity: Severity | null;
  /** Number of checked items. */
  checked: number;
  /** Unacknowledged findings, or noted items. */
  found: number;
  /** Only for `raw_log` and `rejects`, whose findings differ in severity: those with the severity `loss`. */
  lost?: number;
  /** Acknowledged findings; absent if there are none. */
  acknowledged?: number;
  /** The number of notes besides its findings: one per connection and matter, as in `report`. Absent if there are none. */
  notes?: number;
  /** A digest of findings and notes: stable while they are the same. An acknowledgement holds until it changes. */
  state?: string;
  /** The first few. */
  samples: Finding[];
  /** One sentence. */
  summary: string;
  /**
   * The command that fixes it, or, if only a person can decide, `wa-reconcile explain …`, which shows the evidence;
   * null if there is nothing to fix, or no command does.
   */
  remedy: Remedy | null;
  /** Only for `raw_log`: messages in the raw log, not in the database, and on no record; its `+`. */
  missing?: number;
  /**
   * Only for `raw_log`: everything that differs from the log, each row once; its `+`, `*` and `-`, altered entries, and history
   * chunks and names of contacts that are not stored.
   */
  unaccounted?: number;
  /** Only for `raw_log`: those that a replay of the raw log restores. */
  restorable?: number;
  /** Only for `missing_ids`: rows without an id that are duplicates of messages with one. */
  copies?: number;
}

/** What `--enforce` did to a unique index. */
export interface EnforcedIndex {
  index: string;
  outcome: 'present' | 'created' | 'recreated' | 'blocked';
  /** What blocks it. */
  reason?: string;
  /** The command that unblocks it; null if a person must. Only with `blocked` by rows. */
  remedy?: Remedy | null;
}

/** Rows whose derived values `--enforce` corrected, for the selected checks. */
export interface Recomputed {
  /** Rows that their raw entry did not hold; they no longer name one. */
  messages: number;
  /** First and last message, and the source of the first. */
  conversations: number;
  /** Last message, phone, source, first-seen time, names. */
  leads: number;
  /** Opening and last message, window, origin. */
  tickets: number;
  /** Rows that held a value that cannot be read: it is empty now. */
  malformed: number;
}

/** The JSON of `verify`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface VerifyResult {
  schemaVersion: 1;
  command: 'verify';
  /** The recorded run of `--enforce`; null without it, since nothing changed. */
  runId: string | null;
  status: 'completed' | 'interrupted';
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  checks: CheckResult[];
  /** Number of verified connections; with none, no verdict is possible. */
  connections: number;
  /** Sum over the checks with findings; 0 means clean. */
  findings: number;
  /** Acknowledged findings: not part of `findings`, and without effect on the verdict. */
  acknowledged: number;
  /** The worst finding; null if there is none. */
  severity: Severity | null;
  /** Message items of the raw log compared with the database. Null if `raw_log` did not run. */
  messages: number | null;
  /** Message items in the raw log, not in the database, and on no record: `raw_log`'s `+`. Null if it did not run. */
  missing: number | null;
  /** Duplicate rows, by `duplicate_ids`, and without an id by `missing_ids`. Null if `duplicate_ids` did not run. */
  doubled: number | null;
  enforced: EnforcedIndex[];
  /** All 0 without `--enforce`. */
  recomputed: Recomputed;
  database: string;
}
