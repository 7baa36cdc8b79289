import type { Remedy } from '../../model/remedy.js';
import type { Severity } from '../../model/enumerations.js';
import type { ProvenBefore } from './proof.js';

/** What `verify` can check, in the order in which it runs and is shown. */
export const CHECK_NAMES = [
  'unique_index',
  'duplicate_ids',
  'missing_ids',
  'collisions',
  'raw_log',
  'raw_entry',
  'rejects',
  'signatures',
  'wamid_phone',
  'pending_facts',
  'one_conversation',
  'one_open_ticket',
  'ticket_rules',
  'conversation_times',
  'history_ledger',
  'media_owed',
  'consistency',
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

/** The caller holds the run lock (exclusive) with `enforce`; without it `verify` only reads. */
export interface VerifyOptions {
  checks: ReadonlySet<CheckName>;
  /** Name of the only connection to check. */
  connection?: string | undefined;
  /** Only what was received or sent since, ms since 1970. */
  since?: number | undefined;
  /** Of the raw log, only what has changed since an earlier verification; everything, if that cannot be determined. */
  provenBefore?: ProvenBefore | undefined;
  /** Find out what can be remembered as proven; see `Verified`. */
  remember?: true | undefined;
  /** Create missing or invalid unique indexes, and correct derived values (see `Recomputed`). */
  enforce: boolean;
  /** With `enforce`, for sync_runs.options: what the user asked for, without secrets. */
  recordedOptions?: Record<string, string | number | boolean | string[]> | undefined;
  /** Receives every item, for `--items`. */
  onItem?: ((item: VerifiedItem) => Promise<void> | void) | undefined;
}

/** `=` correct, `+` in the raw log but not in the database, `-` in the database only, `*` differs, `!` cannot be determined. */
export type ItemSign = '=' | '+' | '-' | '*' | '!';

/** What a finding is about. */
export interface Finding {
  connection: string | null;
  /** An externalId, a row's id, `phase/chunk`. */
  subject: string;
  /** Where it comes from (`file:line`, `log:<id>`), or what is wrong with it. */
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
  /** How bad what it found is; null where it found nothing, or somebody has acknowledged what it noted. */
  severity: Severity | null;
  /** How many items it checked. */
  checked: number;
  /** Findings that nobody has acknowledged, or noted items. */
  found: number;
  /** Findings that somebody has acknowledged; absent where there are none. */
  acknowledged?: number;
  /** As how many notes it counts, besides its findings: one per connection and matter, as in `report`. Absent for none. */
  notes?: number;
  /** Of findings and notes: the same for as long as the same is found. An acknowledgement holds until then. */
  state?: string;
  /** The first few. */
  samples: Finding[];
  /** One sentence. */
  summary: string;
  /**
   * The command that fixes it, or, where only a person can decide, `wa-reconcile explain …`, which shows what is known;
   * null where there is nothing to fix, or no command that does.
   */
  remedy: Remedy | null;
  /** Only of `raw_log`: messages of the raw log that are not in the database and on no record; its `+`. */
  missing?: number;
  /** Only of `raw_log`: all that is not as the log says, each row once; its `+`, `*` and `-`, and altered entries. */
  unaccounted?: number;
  /** Only of `raw_log`: those of them that a replay of the raw log brings back. */
  restorable?: number;
  /** Only of `missing_ids`: rows without an id that are duplicates of messages with one. */
  copies?: number;
}

/** What `--enforce` did about a unique index. */
export interface EnforcedIndex {
  index: string;
  outcome: 'present' | 'created' | 'recreated' | 'blocked';
  /** What is in the way. */
  reason?: string;
  /** The command that clears the way; null where a person has to. Only with `blocked` by rows. */
  remedy?: Remedy | null;
}

/** Rows whose derived values `--enforce` corrected; of the selected checks. */
export interface Recomputed {
  /** Whose raw entry did not hold them, and that name none any more. */
  messages: number;
  /** First and last message, and the source of the first. */
  conversations: number;
  /** Last message. */
  leads: number;
  /** Opening and last message, window, origin. */
  tickets: number;
}

/** The JSON of `verify`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface VerifyResult {
  schemaVersion: 1;
  command: 'verify';
  /** The run that `--enforce` is recorded as; null without it, since nothing was changed. */
  runId: string | null;
  status: 'completed' | 'interrupted';
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  checks: CheckResult[];
  /** How many connections were verified; with none there is nothing to judge. */
  connections: number;
  /** Sum over the checks with findings; 0 means clean. */
  findings: number;
  /** Findings that somebody has acknowledged: they are not among `findings`, and decide nothing. */
  acknowledged: number;
  /** The worst of what was found; null where nothing was. */
  severity: Severity | null;
  /** Message items of the raw log that were compared with the database. Null if `raw_log` did not run. */
  messages: number | null;
  /** Message items of the raw log that are not in the database and on no record: `raw_log`'s `+`. Null if it did not run. */
  missing: number | null;
  /** Duplicate rows, by `duplicate_ids`, and without an id by `missing_ids`. Null if `duplicate_ids` did not run. */
  doubled: number | null;
  enforced: EnforcedIndex[];
  /** All 0 without `--enforce`. */
  recomputed: Recomputed;
  database: string;
}
