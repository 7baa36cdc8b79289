import type { CrmConnection, CrmName, NotKeptReason } from '../../crm/crm.js';
import type { CrmPlace } from '../../crm/open-crm.js';
import type { ComparisonClass, ComparisonCounts, Severity } from '../../model/enumerations.js';
import type { DoubledRow, LostMessage } from '../../crm/repair/repair.js';
import type { Remedy } from '../../model/remedy.js';

/** A field in which the CRM's row and the message differ. */
export const COMPARED_FIELDS = ['direction', 'type', 'body', 'timestamp'] as const;
export type ComparedField = (typeof COMPARED_FIELDS)[number];

/** Why a CRM lost or misplaced messages, if the pattern is known. */
export const LIKELY_CAUSES = [
  'connection_gone',
  'first_of_batch_only',
  'media_without_storage',
  'lid_split',
  'filed_under_another_contact',
] as const;
export type LikelyCause = (typeof LIKELY_CAUSES)[number];

export interface CauseFound {
  cause: LikelyCause;
  /** How many messages it explains; a lower bound for very many. */
  messages: number;
  /** In words, with the CRM's own bug if known. */
  why: string;
}

/** One connection compared with one of the CRM's. */
export interface ComparedConnection {
  connection: string;
  connectionId: string;
  /** The CRM's instance, inbox or number; empty if it is gone from the CRM. */
  crm: string;
  /** Our messages in the window. */
  messages: number;
  /** The CRM's rows: all classes of its side, plus those aside or outside the window. */
  rows: number;
  counts: ComparisonCounts;
  /** By field, for `differs`. A message can differ in several. */
  fields: Partial<Record<ComparedField, number>>;
  /** By field, for `not_kept_by_design`. */
  notKept: Partial<Record<NotKeptReason, number>>;
  /** Rows of the CRM's table that are not conversation messages, by reason. */
  aside: Record<string, number>;
  /** Rows outside the window, or of other contacts than requested. */
  outside: number;
  /** Messages that are the same but for words that the CRM has by an edit from after the end of the log. */
  editedLater: number;
  causes: CauseFound[];
  /** People with several contacts in the CRM, which shows each as its own conversation. */
  splitPeople: number;
  /** Phones, or other identities, of some of them. */
  splitContacts: string[];
}

/** A person with messages that are wrong or missing. */
export interface AffectedPerson {
  connection: string;
  /** Phone, or another identity. */
  contact: string;
  lost: number;
  other_contact: number;
  differs: number;
  doubled: number;
}

/** A connection that was not compared, because the CRM has nothing that matches it. */
export interface AbsentConnection {
  connection: string;
  messages: number;
}

/** The JSON of `compare`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface CompareResult {
  schemaVersion: 1;
  command: 'compare';
  crm: CrmName;
  /** Source of the CRM's rows, without secrets. */
  source: string;
  status: 'completed' | 'interrupted';
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  connections: ComparedConnection[];
  /** CRM instances without a connection, and connections without an instance. */
  unmatched: { crm: Pick<CrmConnection, 'key' | 'name'>[]; connections: string[] };
  /** Connections that have messages in the window, of which the CRM has nothing, and is not known to have had anything. */
  absent: AbsentConnection[];
  /** Tables that were not given, without which no message can be found under another contact. */
  missingContacts: string[];
  /** Files of the CRM's tables that were not read: no comparison needs them. */
  passedOver: string[];
  /** Sums over the connections. */
  counts: ComparisonCounts;
  /** Those with the most lost messages. */
  people: AffectedPerson[];
  /** The worst finding; null if there is none. */
  severity: Severity | null;
  /** Outcome of the `--verify-repair` messages; null without the flag. */
  repaired: (Partial<ComparisonCounts> & { messages: number }) | null;
  /** What `--adopt` stored; null without it. */
  adopted: AdoptResult | null;
  /** What `--repair` wrote; null without it. */
  repair: RepairSummary | null;
  next: Remedy[];
  database: string;
}

/** `=` same, `+` in the log but not in the CRM, `-` in the CRM only, `*` differs, `!` unclear. */
export type ComparedSign = '=' | '+' | '-' | '*' | '!';

/** One line of `--items`: sign, class, connection, the message's id, the CRM's row, what is wrong. No bodies. */
export interface ComparedItem {
  sign: ComparedSign;
  class: ComparisonClass;
  connection: string;
  externalId: string | null;
  rowId: string | null;
  detail: string;
}

export { CRM_NAMES, type CrmName } from '../../crm/crm.js';
export type { CrmPlace } from '../../crm/open-crm.js';
export type { DoubledRow, LostMessage } from '../../crm/repair/repair.js';

/** In place of an ID in `--map NAME=ID`: the CRM never had this connection. */
export const NOT_IN_CRM = '-';

export interface CompareOptions {
  crm: CrmName;
  place: CrmPlace;
  /** `--map`: a connection's name, and the CRM's key or name for it; `-`: the CRM never had it. */
  map: readonly { connection: string; crm: string }[];
  /** Ids of connections that an earlier run of this comparison matched: one that matches nothing now has lost its messages. */
  matchedBefore?: readonly string[] | undefined;
  /** Name of the only connection to compare. */
  connection?: string | undefined;
  contact?: string | undefined;
  /** Ms since 1970. */
  since?: number | undefined;
  /** Ms since 1970, not included. */
  until?: number | undefined;
  onItem?: ((item: ComparedItem) => Promise<void> | void) | undefined;
  /** `--verify-repair`: ids of messages that a repair restored; the result reports their state. */
  repaired?: ReadonlySet<string> | undefined;
  /** `--adopt`: stores the messages that only the CRM has; the caller holds the run lock (shared). */
  adopt?: { dryRun: boolean } | undefined;
  /** `--prune-duplicates`: receives every duplicate row of the CRM. */
  onDoubled?: ((row: DoubledRow) => Promise<void> | void) | undefined;
  /** Receives every lost message that a repair can put back, oldest first, after the comparison. */
  repair?: RepairSink | undefined;
}

/** The outcome of messages that only the CRM had. */
export interface AdoptResult {
  dryRun: boolean;
  /** Rows of messages that were stored as raw entries. */
  entries: number;
  /** Rows that give a person several names, stored the same way. */
  pairs: number;
  /** Messages created. */
  created: number;
  rejected: number;
  /** Of these rows, those of people who were erased: nothing of them is stored. */
  erased: number;
  /** People found to be the same as another lead. */
  merged: number;
  /** One run per connection; `undo RUN` takes it back. */
  runs: string[];
}

/** Receives the lost messages of a comparison. */
export interface RepairSink {
  /** Messages younger than this are left out. */
  minimumAgeMs: number;
  /** Whether it can hold only messages of connections that the CRM still has. */
  needsInstance: boolean;
  isStoredAsText: (message: LostMessage) => boolean;
  lost: (message: LostMessage) => Promise<void> | void;
}

/** What a repair contains of the lost messages. */
export interface RepairSummary {
  messages: number;
  /** Lost messages left out of it, by reason. */
  leftOut: Partial<Record<LeftOutReason, number>>;
  /** How many of them are restored as a text describing the original, by type: the CRM's own form cannot be written. */
  asText: Record<string, number>;
}

/**
 * `recent`: the CRM may still be processing it. `no_contact`: nothing identifies the person in the CRM. `no_id`: it has no id, as a
 * line of an exported chat. `cut_id`: only the beginning of its id is known. `row_without_id`: a row of the CRM without an id may be
 * it. `no_instance`: the CRM no longer has the connection, and nothing in a row could name it.
 */
export const LEFT_OUT_REASONS = [
  'recent',
  'no_contact',
  'no_id',
  'cut_id',
  'row_without_id',
  'no_instance',
] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];
