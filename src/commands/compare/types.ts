import type { CrmConnection, CrmName, NotKeptReason } from '../../crm/crm.js';
import type { CrmPlace } from '../../crm/open-crm.js';
import type { ComparisonClass, ComparisonCounts, Severity } from '../../model/enumerations.js';
import type { DoubledRow, LostMessage } from '../../crm/repair/repair.js';
import type { Remedy } from '../../model/remedy.js';

/** A field in which the CRM's row and the message differ. */
export const COMPARED_FIELDS = ['direction', 'body', 'timestamp'] as const;
export type ComparedField = (typeof COMPARED_FIELDS)[number];

/** Why a CRM lost or misplaced messages, where the pattern is a known one. */
export const LIKELY_CAUSES = [
  'first_of_batch_only',
  'media_without_storage',
  'lid_split',
  'filed_under_another_contact',
] as const;
export type LikelyCause = (typeof LIKELY_CAUSES)[number];

export interface CauseFound {
  cause: LikelyCause;
  /** How many messages it explains; of very many, at least so many. */
  messages: number;
  /** In words, with the CRM's own bug where one is known. */
  why: string;
}

/** One connection, held against one of the CRM's. */
export interface ComparedConnection {
  connection: string;
  /** The CRM's instance, inbox or number. */
  crm: string;
  /** Our messages in the window. */
  messages: number;
  /** The CRM's rows: all classes of its side, and those that are aside or outside the window. */
  rows: number;
  counts: ComparisonCounts;
  /** Of `differs`. A message can differ in several. */
  fields: Partial<Record<ComparedField, number>>;
  /** Of `not_kept_by_design`. */
  notKept: Partial<Record<NotKeptReason, number>>;
  /** Rows of the CRM's table that are no messages of a conversation, by reason. */
  aside: Record<string, number>;
  /** Rows outside the window, or of other contacts than the one asked for. */
  outside: number;
  causes: CauseFound[];
  /** People who have several contacts in the CRM, of which it shows each as a conversation of its own. */
  splitPeople: number;
}

/** A person with messages that are not as they should be. */
export interface AffectedPerson {
  connection: string;
  /** Phone, or another identity. */
  contact: string;
  lost: number;
  other_contact: number;
  differs: number;
  doubled: number;
}

/** The JSON of `compare`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface CompareResult {
  schemaVersion: 1;
  command: 'compare';
  crm: CrmName;
  /** Where the CRM's rows came from, without secrets. */
  source: string;
  status: 'completed' | 'interrupted';
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  connections: ComparedConnection[];
  /** Instances of the CRM that no connection is, and connections that no instance is. */
  unmatched: { crm: Pick<CrmConnection, 'key' | 'name'>[]; connections: string[] };
  /** Sums over the connections. */
  counts: ComparisonCounts;
  /** Those with most lost messages. */
  people: AffectedPerson[];
  /** The worst of what was found; null where nothing was. */
  severity: Severity | null;
  /** What became of the messages of `--verify-repair`; null without it. */
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

export interface CompareOptions {
  crm: CrmName;
  place: CrmPlace;
  /** `--map`: a connection's name, and the CRM's key or name for it. */
  map: readonly { connection: string; crm: string }[];
  /** Name of the only connection to compare. */
  connection?: string | undefined;
  contact?: string | undefined;
  /** Ms since 1970. */
  since?: number | undefined;
  /** Ms since 1970, not included. */
  until?: number | undefined;
  onItem?: ((item: ComparedItem) => Promise<void> | void) | undefined;
  /** `--verify-repair`: ids of messages that a repair put back; the result says what became of them. */
  repaired?: ReadonlySet<string> | undefined;
  /** `--adopt`: stores the messages that only the CRM has; the caller holds the run lock (shared). */
  adopt?: { dryRun: boolean } | undefined;
  /** `--prune-duplicates`: receives every duplicate row of the CRM. */
  onDoubled?: ((row: DoubledRow) => Promise<void> | void) | undefined;
  /** Receives every lost message that a repair can put back, oldest first, after the comparison. */
  repair?: RepairSink | undefined;
}

/** What became of the messages that only the CRM had. */
export interface AdoptResult {
  dryRun: boolean;
  /** Rows of messages that were stored as raw entries. */
  entries: number;
  /** Rows that give a person several names, stored likewise. */
  pairs: number;
  /** Messages created. */
  created: number;
  rejected: number;
  /** People who turned out to be another one. */
  merged: number;
  /** One run per connection; `undo RUN` takes it back. */
  runs: string[];
}

/** Takes the lost messages of a comparison. */
export interface RepairSink {
  /** Messages younger than this are left out. */
  minimumAgeMs: number;
  isStoredAsText: (message: LostMessage) => boolean;
  lost: (message: LostMessage) => Promise<void> | void;
}

/** What a repair holds of what is lost. */
export interface RepairSummary {
  messages: number;
  /** Lost messages that are not in it, by reason. */
  leftOut: Partial<Record<LeftOutReason, number>>;
  /** Of them, those that come back as a text that says what they were, by type: the CRM's own form cannot be written. */
  asText: Record<string, number>;
}

/** `recent`: the CRM may still be at work on it. `no_contact`: nothing names the person there. */
export const LEFT_OUT_REASONS = ['recent', 'no_contact', 'no_id'] as const;
export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];
