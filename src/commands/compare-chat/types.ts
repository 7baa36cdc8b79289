import type { DateOrder } from '../../inputs/exports/chat-dates.js';
import type { ChatPlatform } from '../../inputs/exports/chat-text.js';
import type { Direction } from '../../model/enumerations.js';
import type { Doubt } from '../../rules/chat-content.js';

export interface CompareChatOptions {
  /** The .zip or .txt that the phone has exported. */
  file: string;
  cwd: string;
  /** Whose chat it is; where it is not given, a number in the file's name or in the chat tells. */
  contact?: string | undefined;
  /** How the chat names the business. */
  me?: string | undefined;
  /** The zone of the phone's clock; found by what both sides have where it is not given. */
  timeZone?: string | undefined;
  connection?: string | undefined;
  /** For a chat whose dates can be read in two ways. */
  dateOrder?: DateOrder | undefined;
  /** Puts the first words of texts into the result. */
  bodies?: boolean | undefined;
  /** `--adopt`: stores the messages that only the phone has; the caller holds the run lock (shared). */
  adopt?: { dryRun: boolean } | undefined;
  /** Called for every line of the chat, and for every message that it does not show. */
  onItem?: ((item: ComparedItem) => Promise<void> | void) | undefined;
}

/** `=` both sides have it, `+` only the phone, `-` only the database, `!` cannot be told. */
export interface ComparedItem {
  sign: '=' | '+' | '-' | '!';
  /** 1-based line of the chat; null for what only the database has. */
  line: number | null;
  /** RFC 3339; by the phone's clock and without a zone where that is not known. */
  at: string;
  direction: Direction;
  kind: string;
  /** The provider's id of the stored message. */
  externalId: string | null;
  detail: string;
}

/** A line of the chat that the database lacks, or about which nobody can tell. */
export interface ChatFinding {
  /** 1-based line of the chat. */
  line: number;
  /** RFC 3339; null where the phone's clock is not known. */
  at: string | null;
  /** As the phone writes it: `2026-09-21T08:13`. */
  localTime: string;
  direction: Direction;
  kind: string;
  /** Its first words, only where they were asked for. */
  text?: string;
}

export interface LostFinding extends ChatFinding {
  /** Lines that may be missing in place of this one: the same was said several times. How many are missing is certain. */
  orLines: number[];
}

export interface AmbiguousFinding extends ChatFinding {
  doubt: Doubt;
  /** Ids of the messages that it may be. */
  candidates: (string | null)[];
}

export interface CompareChatResult {
  schemaVersion: 1;
  command: 'compare chat-export';
  /** `partial`: no line could be held against a message. */
  status: 'completed' | 'partial' | 'interrupted';
  database: string;
  file: string;
  platform: ChatPlatform;
  contact: { leadId: string; organization: string; name: string | null; phone: string | null };
  connection: string;
  /** What was said in the chat; the sum of matched, lost and ambiguous. */
  lines: number;
  counts: { matched: number; lost: number; ambiguous: number; onlyInDatabase: number };
  /** Of the lost ones, those that are older than everything that is stored of the conversation. */
  lostBeforeFirstStored: number;
  /** Lines in which WhatsApp says something, and nobody a message. */
  systemLines: number;
  /** Lines that look like messages and cannot be read. */
  unreadableLines: number;
  /** Messages before the chat's first line or after its last; they are not missing on the phone. */
  outsideCoverage: number;
  /** What `--adopt` stored; null without it. */
  adopted: AdoptChatResult | null;
  /** `loss` when messages are lost, and still are after `--adopt`. */
  severity: 'loss' | null;
  clock: {
    source: 'zone' | 'texts' | 'none';
    timeZone: string | null;
    /** `-03:00`, one after the other where clocks were changed. */
    offsets: string[];
    /** Texts that both sides have once, and how many of them this clock brings together. */
    anchors: number;
    agreeing: number;
  };
  /** From the first line of the chat to its last. */
  coverage: { from: string | null; to: string | null };
  /** The number of lines is that at which WhatsApp cuts an export: the phone may have more. */
  exportMayBeCut: boolean;
  firstStoredAt: string | null;
  /** The first of them; --items lists all. */
  lost: LostFinding[];
  ambiguous: AmbiguousFinding[];
  durationMs: number;
}

/**
 * Why a lost line is not adopted. `which_line`: how many are missing is certain, and not which. `time`: the phone's clock was changed
 * about then, or nothing tells its zone.
 */
export const LEFT_UNADOPTED = ['which_line', 'time'] as const;
export type LeftUnadopted = (typeof LEFT_UNADOPTED)[number];

/** What became of the messages that only the phone had. */
export interface AdoptChatResult {
  dryRun: boolean;
  /** Lines that were stored as raw entries. */
  entries: number;
  /** Messages created. */
  created: number;
  /** Lost lines that were not stored, by reason. */
  leftOut: Partial<Record<LeftUnadopted, number>>;
  /** The run; `undo RUN` takes it back. */
  runs: string[];
}
