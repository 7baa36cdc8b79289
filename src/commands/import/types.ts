import type { ConnectionKind } from '../../model/enumerations.js';
import type { Remedy } from '../../model/remedy.js';
import type { MessageCounts, Problem, RunResult } from '../../model/run-result.js';

/** What to look at: what is stored already, and the phone if that gives nothing; or one of them alone. */
export const IMPORT_PHASES = ['auto', 'cache', 'fetch'] as const;
type ImportPhase = (typeof IMPORT_PHASES)[number];

/** Pages to ask for where a date ends the import, not their number. */
export const PAGES_UNTIL = 100;

/** How often one contact's phone may be asked, however many processes do so. */
export const THROTTLE_MS = 5 * 60_000;

/** How a contact's history is brought in; the same for each of several. The caller holds the run lock (shared). */
export interface FetchOptions {
  /** Name, id or phone of the connection; without it, the one that the contact and a linked device share. */
  connection?: string | undefined;
  phase: ImportPhase;
  /** At most so many pages. */
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
  /** After so many contacts that the phone was asked about there is a pause. */
  listBatch: number;
  listPauseMs: number;
  /** Goes on where a killed or interrupted run over the same list stopped. */
  resume: boolean;
}

/**
 * How an import ended; one word each, in the JSON as in the exit code.
 * - cache: the raw log had what was missing (or all that was asked for was there already); the phone was not asked.
 * - fetched: the phone sent messages, and may have more.
 * - end_of_history: the phone says that it has nothing older, and confirmed it.
 * - empty: nothing new: the raw log or the answer held no message of this contact.
 * - silent: no answer in time. The phone is offline, knows the chat by another address, or refuses; which of these is unknown.
 * - no_anchor: no message of this contact is stored from which to go back; WhatsApp wants one.
 * - throttled: the phone was asked for this contact less than five minutes ago.
 * - not_linked: no device of the tool is linked to the connection.
 * - conflict: another login with the device's credentials took over.
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
  /** The address under which it was asked for. */
  address: string;
  /** Messages in the answer, of whatever chat. */
  received: number;
  /** Files or messages that it came in. */
  chunks: number;
  /** Those of this contact, and what became of them. */
  messages: Pick<MessageCounts, 'created' | 'updated' | 'unchanged'>;
  /** Messages of other people, left for a replay. */
  ofOthers: number;
  endOfHistory: boolean;
  /** The phone says that it has older messages. */
  moreRemain: boolean;
}

/**
 * A part of the chat that an answer left out: between the message that the phone was asked from and the newest one that came.
 * - file: a file of the answer could not be downloaded. - chunk: a chunk between others never came.
 * - short: fewer came than were asked for, and the phone has more, or did not say that it has not.
 */
export interface FetchedGapView {
  reason: 'file' | 'chunk' | 'short';
  /** RFC 3339: the messages between these two are missing; `after` null: whatever is older. */
  after: string | null;
  before: string;
  /** The phone was asked again, and now they are here. */
  filled: boolean;
}

/** Where a request goes back from: a stored message, as WhatsApp Web names it. */
export interface AnchorView {
  id: string;
  fromMe: boolean;
  /** The address under which the phone is asked for the chat, and the other one, where it is known. */
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
  /** The reason that WhatsApp or the download gave, if any. */
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
  /** Null where none could be chosen. */
  connection: { id: string; name: string; kind: ConnectionKind } | null;
  /** From both, the raw log and the phone. */
  messages: MessageCounts;
  leads: RunResult['leads'];
  conversations: RunResult['conversations'];
  /** What the raw log gave, late chunks and files of earlier requests that came beside the answers among it. */
  cache: { entries: number; created: number; updated: number };
  fetch: {
    /** Requests that went out, repetitions under the other address included. */
    requests: number;
    pages: FetchedPage[];
    /** Parts of the chat that answers left out; the next import asks for what is not filled. */
    gaps: FetchedGapView[];
    /** The phone says that it has nothing older than a message of this time, and did not confirm it when it was asked. */
    unconfirmedEnd: string | null;
    /** The anchor of the first request; null where none was found or needed. */
    anchor: AnchorView | null;
  };
  /** The oldest message that is stored of this contact on this connection now. */
  oldestMessageAt: string | null;
  /** When the phone may be asked again; null where nothing is in the way. */
  nextAllowedAt: string | null;
  problems: Problem[];
  problemCount: number;
  /** Files of the connection's history that have not been downloaded: messages of this contact may be in them. */
  owedFiles: number;
  /** What to do next, the most useful first. */
  remedies: Remedy[];
  database: string;
}

/** One contact of a list, in short. */
export interface ListedImport {
  line: number;
  contact: string;
  /** `invalid_contact`: the line is no contact; `ambiguous_contact`: several leads or connections could be meant. */
  outcome: ImportOutcome | 'invalid_contact' | 'ambiguous_contact';
  reason: string | null;
  connection: string | null;
  created: number;
  updated: number;
  pages: number;
  nextAllowedAt: string | null;
}

/** A contact of a list that went wrong, in this run or in the one that it resumes. */
export interface ListedFailure extends Pick<
  ListedImport,
  'line' | 'contact' | 'outcome' | 'reason' | 'connection'
> {
  /** The run that this one resumes had it. */
  earlier: boolean;
  /** What to do about it; null where the line itself is wrong. */
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
    /** By this run, well or not. */
    done: number;
    /** Done by the run that this one resumes. */
    doneBefore: number;
    /** Not reached: the same command resumes with them. */
    left: number;
    /** Of those done before, the ones that went wrong; they count in the status. */
    failedBefore: number;
  };
  /** How many contacts ended how. */
  outcomes: Partial<Record<ListedImport['outcome'], number>>;
  messages: { created: number; updated: number };
  imports: ListedImport[];
  /** The contacts that went wrong, those of the run that this one resumes first; at most 100 of these. */
  failures: ListedFailure[];
  resumedFrom?: { runId: string };
  database: string;
  /** Why it ended before the list did. */
  stopped: ImportOutcome | null;
}
