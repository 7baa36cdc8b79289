import type { Remedy } from '../../model/remedy.js';
import type { Severity } from '../../model/enumerations.js';

/** What `verify` can check, in the order in which it is shown. */
export const CHECK_NAMES = [
  'unique_index',
  'duplicate_ids',
  'missing_ids',
  'collisions',
  'raw_log',
  'raw_entry',
  'rejects',
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

/** `=` as it should be, `+` in the raw log but not in the database, `-` in the database only, `*` differs, `!` cannot be told. */
export type ItemSign = '=' | '+' | '-' | '*' | '!';

/** One item of `--items`: a line `SIGN CHECK CONNECTION SUBJECT DETAIL`. No message bodies. */
export interface VerifiedItem {
  sign: ItemSign;
  check: CheckName;
  connection: string | null;
  /** What it is about: an externalId, a row's id, `phase/chunk`. */
  subject: string;
  /** Where it comes from (`file:line`, `log:<id>`), or what is wrong with it. */
  detail: string;
}

export interface Finding {
  connection: string | null;
  subject: string;
  detail: string;
}

export interface CheckResult {
  check: CheckName;
  /** `note`: worth knowing, nothing to mend (rows from elsewhere, media still owed); does not count as a finding. */
  status: 'ok' | 'note' | 'findings';
  /** How bad what it found is; null where it found nothing. */
  severity: Severity | null;
  /** How many items it looked at. */
  checked: number;
  /** Findings, or noted items. */
  found: number;
  /** The first few. */
  samples: Finding[];
  /** One sentence. */
  summary: string;
  /**
   * The command that mends it, or, where only a person can, `wa-reconcile explain …`, which shows what to decide by; null where
   * there is nothing to mend, or no command that does.
   */
  remedy: Remedy | null;
  /** Only of `raw_log`: messages of the raw log that are not in the database and on no record; its `+`. */
  missing?: number;
  /** Only of `raw_log`: items of the log that the database does not hold as the log tells them; its `+` and `*`. */
  unaccounted?: number;
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

/** Rows whose derived values `--enforce` set to what they follow from; of the checks that were asked for. */
export interface Recomputed {
  /** First and last message, and where the first came from. */
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
  /** Sum over the checks with findings; 0 means clean. */
  findings: number;
  /** The worst of what was found; null where nothing was. */
  severity: Severity | null;
  /** Message items of the raw log that were compared with the database. Null if `raw_log` did not run. */
  messages: number | null;
  /** Message items of the raw log that are not in the database and on no record: `raw_log`'s `+`. Null if it did not run. */
  missing: number | null;
  /** Rows too many: duplicate ids. Null if it did not run. */
  doubled: number | null;
  enforced: EnforcedIndex[];
  /** All 0 without `--enforce`. */
  recomputed: Recomputed;
  database: string;
}
