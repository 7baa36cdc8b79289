/** Kinds of duplicates, in merge order: leads and conversations first, because they bring messages together. */
export const DUPLICATE_CLASSES = ['lead', 'conversation', 'same_id', 'same_message', 'no_id'] as const;
export type DuplicateClass = (typeof DUPLICATE_CLASSES)[number];

/** The caller holds the run lock while `dedupe` runs: exclusive with `apply`; a plan needs none. */
export interface DedupeOptions {
  /** Name of the only connection to look at. */
  connection?: string | undefined;
  classes: ReadonlySet<DuplicateClass>;
  /** Of rows without an id, only those whose raw entry is in the log. */
  loggedOnly?: boolean;
  /** Without it, nothing changes. */
  apply: boolean;
  /** Rows per transaction. */
  batchSize: number;
  /** Merge even if this deletes more than 5 % of a connection's messages. */
  force: boolean;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

/**
 * One group of duplicates, with its proof. Ids are those of the table's rows (messages, conversations, tickets, leads).
 */
export interface DuplicateSample {
  connection: string | null;
  survivor: string;
  /** The deleted rows. */
  goes: string[];
  /** Sentences for people: `both have the id wamid.…`, `times 1 s apart`. No message bodies. */
  evidence: string[];
}

export interface DuplicateCounts {
  class: DuplicateClass;
  groups: number;
  /** Rows deleted, or to delete. */
  rows: number;
  samples: DuplicateSample[];
}

/** Rows that look like duplicates but are not, or that no rule can decide: kept, and listed. */
export interface LookAlike {
  connection: string;
  externalId: string | null;
  rows: string[];
  why: 'other_conversation' | 'other_content' | 'no_twin';
}

/** The JSON of `dedupe`, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface DedupeResult {
  schemaVersion: 1;
  command: 'dedupe';
  /** Null for a plan: nothing changed, so nothing to undo. */
  runId: string | null;
  status: 'completed' | 'partial' | 'interrupted';
  applied: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  classes: DuplicateCounts[];
  /** One id, several messages (M9): never merged. `found` counts groups. */
  collisions: { found: number; samples: LookAlike[] };
  /** Rows without an id and without an identified copy: reported; no id is invented for them. */
  withoutId: { found: number; samples: LookAlike[] };
  connections: { name: string; messages: number; doubled: number; share: number }[];
  /** Rows that the run changed (survivors, references), excluding deleted ones. */
  changed: number;
  /** Raw entries that a merge of leads set back to pending; `replay` processes them. */
  requeued: number;
  resumedFrom?: { runId: string };
  database: string;
}

/** Deleting more than this share of a connection's messages is more likely a mistake (a restored dump apart). */
export const LARGEST_SHARE = 0.05;

/** Whether a share of a connection's messages is deleted only with `--force`. */
export function isTooLarge(share: number): boolean {
  return share > LARGEST_SHARE;
}

/** Whether a plan is refused without `--force`. */
export function needsForce({ connections }: Pick<DedupeResult, 'connections'>): boolean {
  return connections.some(({ share }) => isTooLarge(share));
}
