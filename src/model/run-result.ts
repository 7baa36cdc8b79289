import { amount } from './amount.js';
import type { HistorySyncStatus } from './enumerations.js';

/** Counts by reason, e.g. `{ group: 3 }`; reasons that did not occur are absent. */
export type ReasonCounts = Record<string, number>;

export interface EntryCounts {
  read: number;
  stored: number;
  /** Already in webhook_log before, in this run or an earlier one. */
  duplicate: number;
  processed: number;
  partial: number;
  failed: number;
  unrecognized: number;
  ignored: number;
  pending: number;
}

/** `seen = created + updated + unchanged + Σ skipped + Σ rejected`, always; a run that does not balance fails loudly. */
export interface MessageCounts {
  seen: number;
  created: number;
  updated: number;
  unchanged: number;
  skipped: ReasonCounts;
  rejected: ReasonCounts;
}

/** `seen = applied + unchanged + pending + Σ skipped + Σ rejected`, always. `pending`: the message is not stored yet. */
export interface AmendmentCounts {
  seen: number;
  applied: number;
  unchanged: number;
  pending: number;
  skipped: ReasonCounts;
  rejected: ReasonCounts;
}

export interface HistorySyncState {
  status: HistorySyncStatus;
  phase: number | null;
  chunkOrder: number | null;
  progress: number | null;
  /** `phase/chunk_order` of every gap in the ledger. */
  missingChunks: string[];
  /** Files that the phone of a linked device has announced and that did not arrive. */
  missingFiles?: number;
  error?: string;
}

export interface ConnectionResult {
  id: string;
  name: string;
  /** True when this run registered it. */
  registered: boolean;
  historySync: HistorySyncState;
  messages: MessageCounts;
}

/** Bodies by what their signatures say; see src/rules/signatures.ts. */
export interface SignatureCounts {
  valid: number;
  bad: number;
  uncheckable: number;
  sha1: number;
  unsigned: number;
}

/** `120 valid, 3 bad`; what is zero is left out. */
export function signatureWords({ valid, bad, uncheckable, sha1, unsigned }: SignatureCounts): string {
  const parts: [number, string][] = [
    [bad, 'bad'],
    [valid, 'valid'],
    [uncheckable, 'not checkable (the log has the body written anew)'],
    [sha1, 'with the SHA-1 signature only, which is not checked'],
    [unsigned, 'unsigned'],
  ];
  return parts
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count.toLocaleString('en-US')} ${words}`)
    .join(', ');
}

/** Rows that a run took back. */
export interface RemovedRows {
  leads: number;
  conversations: number;
  messages: number;
  tickets: number;
}

/** `1 lead, 1 conversation and 2 messages of the own number removed`; null if nothing was. */
export function ownNumberWords(removed: RemovedRows, verb = 'removed'): string | null {
  const parts = [
    amount(removed.leads, 'lead'),
    amount(removed.conversations, 'conversation'),
    amount(removed.messages, 'message'),
    amount(removed.tickets, 'ticket'),
  ].filter((part) => !part.startsWith('0 '));
  const last = parts.pop();
  if (last === undefined) return null;
  return `${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`} of the own number ${verb}`;
}

/** A part of an entry that could not be used. */
export interface BadItem {
  /** JSON path inside the raw entry; `$` for the whole. */
  path: string;
  reason: string;
  /** How it begins. */
  excerpt: string;
}

/** One problem with its place. At most 100 are listed; the counters count all. */
export interface Problem extends BadItem {
  /** `file:line`, or `log:<id>`. */
  origin: string;
}

/** A WABA that pending entries name, and that is not of the connections they may be of. */
export interface UnclaimedWaba {
  wabaId: string;
  /** The first such entry. */
  entryId: string;
  /**
   * What can end it. edit: a connection gets this WABA. decide: none of them can, because other entries name only the WABA it
   * has. discard: it is no id that a connection can have.
   */
  end: 'edit' | 'decide' | 'discard';
}

/** The connections that entries without a number may be of, by name. */
export interface Nameless {
  candidates: readonly string[];
  waba?: UnclaimedWaba;
}

/** The JSON of a run, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface RunResult {
  schemaVersion: 1;
  command: string;
  runId: string;
  status: 'completed' | 'partial' | 'failed' | 'interrupted';
  dryRun: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  entries: EntryCounts;
  messages: MessageCounts;
  statuses: AmendmentCounts;
  edits: AmendmentCounts;
  revokes: AmendmentCounts;
  reactions: AmendmentCounts;
  /** Address-book items (state sync): read, and skipped or rejected by reason. */
  contacts: { seen: number; skipped: ReasonCounts; rejected: ReasonCounts };
  leads: { created: number; updated: number; merged: number };
  conversations: { created: number };
  tickets: { opened: number; refreshed: number };
  /** Removed: it was about a connection's own number, which became known only later (I4). */
  ownNumberRemoved: RemovedRows;
  /** Events without rows, by name (H3): `account_update.PARTNER_REMOVED`, … */
  events: ReasonCounts;
  connections: ConnectionResult[];
  problems: Problem[];
  /** Problems found, listed or not. */
  problemCount: number;
  /** Lines of console logs that hold no JSON. */
  chatterLines: number;
  /** Connections that the pending entries may be of which name none; absent where there are no such entries. */
  candidates?: string[];
  /** Set if they name a WABA that none of these connections can have as they are. */
  waba?: UnclaimedWaba;
  /** Only where the app's secret was given. */
  signatures?: SignatureCounts;
  /** Set when the run resumed where a killed or interrupted one had stopped. */
  resumedFrom?: {
    runId: string;
    entriesSkipped: number;
    /** Problems in the part that the earlier run had done; its own result lists them. */
    problems: number;
    origin: string;
  };
  /** Where the data is, without secrets: a directory, or `postgresql://host:port/database`. */
  database: string;
  error?: string;
}
