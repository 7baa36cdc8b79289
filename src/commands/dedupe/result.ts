/** Kinds of doubles, in the order in which they are settled: leads and conversations first, they bring messages together. */
export const DUPLICATE_CLASSES = ['lead', 'conversation', 'same_id', 'same_message', 'no_id'] as const;
export type DuplicateClass = (typeof DUPLICATE_CLASSES)[number];

/** One group of doubles, with what proves it. Ids are those of the table's rows (messages, conversations, tickets, leads). */
export interface DuplicateSample {
  connection: string | null;
  survivor: string;
  goes: string[];
  /** Sentences for people: `both have the id wamid.…`, `times 1 s apart`. No message bodies. */
  evidence: string[];
}

export interface DuplicateCounts {
  class: DuplicateClass;
  groups: number;
  /** Rows that would go, or went. */
  rows: number;
  samples: DuplicateSample[];
}

/** Something that looks like a double and is none, or cannot be settled by a machine: kept, and listed. */
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
  /** Null for a plan: nothing was changed, so there is nothing to undo. */
  runId: string | null;
  status: 'completed' | 'partial' | 'interrupted';
  applied: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  classes: DuplicateCounts[];
  /** One id, several messages (M9): never merged. `found` counts groups. */
  collisions: { found: number; samples: LookAlike[] };
  /** Rows without an id and without an identified twin: reported, and nothing invented for them. */
  withoutId: { found: number; samples: LookAlike[] };
  connections: { name: string; messages: number; doubled: number; share: number }[];
  /** Rows that the run changed besides those that went (survivors, references). */
  changed: number;
  /** Raw entries that a merge of leads made due again; `replay` takes them up. */
  requeued: number;
  resumedFrom?: { runId: string };
  database: string;
}
