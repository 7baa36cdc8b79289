import type { ConnectionKind } from '../../model/enumerations.js';
import type { Remedy } from '../../model/remedy.js';
import type { MessageCounts, Problem, RunResult } from '../../model/run-result.js';

/** Where to look: stored entries, then the phone if those give nothing; or only one of them. */
export const IMPORT_PHASES = ['auto', 'cache', 'fetch'] as const;
type ImportPhase = (typeof IMPORT_PHASES)[number];

/** Page limit when a date, not a page count, ends the import. */
export const PAGES_UNTIL = 100;

/** How often one contact's phone may be asked, across all processes. */
export const THROTTLE_MS = 5 * 60_000;

/** How a contact's history is imported; the same for each of several. The caller holds the run lock (shared). */
export interface FetchOptions {
  /** Name, id or phone of the connection; absent: the one shared by the contact and a linked device. */
  connection?: string | undefined;
  phase: ImportPhase;
  /** Maximum number of pages. */
  pages: number;
  /** Messages per page. */
  count: number;
  /** How long one request waits for the phone, in ms. */
  timeoutMs: number;
  /** Goes back to messages of this time and no further, ms since 1970. */
  until?: number | undefined;
  /** Asks although the phone was asked less than five minutes ago. */
  force: boolean;
  /** Between two pages of one contact, in ms. */
  pagePauseMs: number;
  /** Messages per transaction. */
  batchSize: number;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

export interface ImportOptions extends FetchOptions {
  /** Any form of a contact: phone, JID, LID, BSUID, lead id. */
  contact: string;
  /** Writes nothing, opens no socket, and reports what would be requested. */
  dryRun: boolean;
}

/** One line of a list of contacts. */
export interface ListedContact {
  line: number;
  contact: string;
}

export interface ImportListOptions extends FetchOptions {
  contacts: readonly ListedContact[];
  /** Pause after this many contacts that required asking the phone. */
  listBatch: number;
  listPauseMs: number;
  /** Resumes a killed or interrupted run over the same list. */
  resume: boolean;
}

/**
 * How an import ended; one word each, in the JSON as in the exit code.
 * - cache: the raw log had what was missing (or everything was stored already); the phone was not asked.
 * - fetched: the phone sent messages, and may have more.
 * - end_of_history: the phone says that it has nothing older, and confirmed it.
 * - empty: nothing new: the raw log or the answer held no message of this contact.
 * - silent: no answer in time. The phone is offline, knows the chat by another address, or refuses; which of these is
 *   unknown.
 * - no_anchor: no stored message of this contact to go back from; WhatsApp needs one.
 * - throttled: the phone was asked for this contact less than five minutes ago.
 * - not_linked: no device of the tool is linked to the connection.
 * - conflict: another login took over the device's credentials.
 * - logged_out: WhatsApp says that the device is no longer linked.
 * - offline: no line to WhatsApp.
 * - download_failed: the answer came as a file that could not be downloaded, or is damaged.
 * - interrupted: stopped by the user.
 * - would_fetch: a dry run that would ask the phone.
 */
export const IMPORT_OUTCOMES = [
  'cache',
  'fetched',
  'end_of_history',
  'empty',
  'silent',
  'no_anchor',
  'throttled',
  'not_linked',
  'conflict',
  'logged_out',
  'offline',
  'download_failed',
  'interrupted',
  'would_fetch',
] as const;
export type ImportOutcome = (typeof IMPORT_OUTCOMES)[number];

/** One page that the phone sent. */
export interface FetchedPage {
  /** The address it was requested under. */
  address: string;
  /** Messages in the answer, from any chat. */
  received: number;
  /** Files or messages that it came in. */
  chunks: number;
  /** Those of this contact, and their outcomes. */
  messages: Pick<MessageCounts, 'created' | 'updated' | 'unchanged'>;
  /** Messages of other people, left for a replay. */
  ofOthers: number;
  endOfHistory: boolean;
  /** The phone says that it has older messages. */
  moreRemain: boolean;
}

/**
 * A part of the chat that an answer left out: between the message the phone was asked from and the newest one received.
 * - file: a file of the answer could not be downloaded. - chunk: a chunk between others never came.
 * - short: fewer came than requested, and the phone has more, or did not deny it.
 */
export interface FetchedGapView {
  reason: 'file' | 'chunk' | 'short';
  /** RFC 3339: the messages between these two are missing; `after` null: everything older. */
  after: string | null;
  before: string;
  /** The phone was asked again, and they have arrived. */
  filled: boolean;
}

/** The start of a request going back: a stored message, in WhatsApp Web's terms. */
export interface AnchorView {
  id: string;
  fromMe: boolean;
  /** The address used to ask the phone for the chat, and the other one, if known. */
  address: string;
  otherAddress: string | null;
  /** RFC 3339. */
  timestamp: string;
}

/** The JSON of an import of one contact, `schemaVersion` 1; fields are only ever added. Times are RFC 3339, UTC. */
export interface ImportResult {
  schemaVersion: 1;
  command: 'import';
  /** Null for a dry run. */
  runId: string | null;
  outcome: ImportOutcome;
  /** The reason from WhatsApp or the download, if any. */
  reason: string | null;
  status: RunResult['status'];
  dryRun: boolean;
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  contact: {
    typed: string;
    leadId: string | null;
    organization: string | null;
    name: string | null;
    phone: string | null;
  };
  /** Null if none could be chosen. */
  connection: { id: string; name: string; kind: ConnectionKind } | null;
  /** From the raw log and the phone together. */
  messages: MessageCounts;
  leads: RunResult['leads'];
  conversations: RunResult['conversations'];
  /** What the raw log gave, including late chunks and files of earlier requests that came besides the answers. */
  cache: { entries: number; created: number; updated: number };
  fetch: {
    /** Requests sent, including repeats under the other address. */
    requests: number;
    pages: FetchedPage[];
    /** Parts of the chat that answers left out; the next import asks for what is still missing. */
    gaps: FetchedGapView[];
    /** The phone says that it has nothing older than a message of this time, but did not confirm it when asked. */
    unconfirmedEnd: string | null;
    /** The anchor of the first request; null if none was found or needed. */
    anchor: AnchorView | null;
  };
  /** The oldest message now stored of this contact on this connection. */
  oldestMessageAt: string | null;
  /** When the phone may be asked again; null if it may be now. */
  nextAllowedAt: string | null;
  problems: Problem[];
  problemCount: number;
  /** Undownloaded files of the connection's history, which may hold messages of this contact. */
  owedFiles: number;
  /** Next steps, most useful first. */
  remedies: Remedy[];
  database: string;
}

/** One contact of a list, in brief. */
export interface ListedImport {
  line: number;
  contact: string;
  /** `invalid_contact`: the line is not a contact; `ambiguous_contact`: it matches several leads or connections. */
  outcome: ImportOutcome | 'invalid_contact' | 'ambiguous_contact';
  reason: string | null;
  connection: string | null;
  created: number;
  updated: number;
  pages: number;
  nextAllowedAt: string | null;
}

/** A failed contact of a list, in this run or in the one that it resumes. */
export interface ListedFailure extends Pick<
  ListedImport,
  'line' | 'contact' | 'outcome' | 'reason' | 'connection'
> {
  /** The failure comes from the run that this one resumes. */
  earlier: boolean;
  /** How to fix it; null if the line itself is wrong. */
  remedy: Remedy | null;
}

/** The JSON of an import of a list of contacts. */
export interface ImportListResult {
  schemaVersion: 1;
  command: 'import';
  runId: string;
  status: RunResult['status'];
  startedAt: string;
  finishedAt: string;
  durationMs: number;
  contacts: {
    listed: number;
    /** By this run, successful or not. */
    done: number;
    /** Done by the run that this one resumes. */
    doneBefore: number;
    /** Not reached: the same command resumes with them. */
    left: number;
    /** Of those done before, the failed ones; they count in the status. */
    failedBefore: number;
  };
  /** Number of contacts by outcome. */
  outcomes: Partial<Record<ListedImport['outcome'], number>>;
  messages: { created: number; updated: number };
  imports: ListedImport[];
  /** The failed contacts, those of the resumed run first; at most 100 of these. */
  failures: ListedFailure[];
  resumedFrom?: { runId: string };
  database: string;
  /** Why it ended before the end of the list. */
  stopped: ImportOutcome | null;
}
