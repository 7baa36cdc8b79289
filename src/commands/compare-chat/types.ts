import type { DateOrder } from '../../inputs/exports/chat-dates.js';
import type { ChatPlatform } from '../../inputs/exports/chat-text.js';
import type { Direction } from '../../model/enumerations.js';
import type { Doubt } from '../../rules/chat-content.js';

export interface CompareChatOptions {
  /** The .zip or .txt exported by the phone. */
  file: string;
  cwd: string;
  /** Whose chat it is; if absent, a number in the file name or in the chat decides. */
  contact?: string | undefined;
  /** The business's name in the chat. */
  me?: string | undefined;
  /** The time zone of the phone's clock; if absent, derived from texts that both sides have. */
  timeZone?: string | undefined;
  connection?: string | undefined;
  /** For a chat with ambiguous dates. */
  dateOrder?: DateOrder | undefined;
  /** Includes the first words of texts in the result. */
  bodies?: boolean | undefined;
  /** `--adopt`: stores the messages that only the phone has; the caller holds the run lock (shared). */
  adopt?: { dryRun: boolean } | undefined;
  /** Called for every line of the chat, and for every message missing from it. */
  onItem?: ((item: ComparedItem) => Promise<void> | void) | undefined;
}

/** `=` both sides have it, `+` only the phone, `-` only the database, `!` unclear. */
export interface ComparedItem {
  sign: '=' | '+' | '-' | '!';
  /** 1-based line of the chat; null for messages that only the database has. */
  line: number | null;
  /** RFC 3339; in the phone's local time without a zone if its clock is unknown. */
  at: string;
  direction: Direction;
  kind: string;
  /** The provider's id of the stored message. */
  externalId: string | null;
  detail: string;
}

/** A line that the database lacks, or that cannot be decided. */
export interface ChatFinding {
  /** 1-based line of the chat. */
  line: number;
  /** RFC 3339; null if the phone's clock is unknown. */
  at: string | null;
  /** As the phone writes it: `2026-09-21T08:13`. */
  localTime: string;
  direction: Direction;
  kind: string;
  /** Its first words, only on request. */
  text?: string;
}

export interface LostFinding extends ChatFinding {
  /**
   * Lines that may be missing instead of this one: the same text was sent several times. The number missing is certain.
   */
  orLines: number[];
}

export interface AmbiguousFinding extends ChatFinding {
  doubt: Doubt;
  /** Ids of the messages it may be. */
  candidates: (string | null)[];
}

export interface CompareChatResult {
  schemaVersion: 1;
  command: 'compare chat-export';
  /** `partial`: no line could be matched with a message. */
  status: 'completed' | 'partial' | 'interrupted';
  database: string;
  file: string;
  platform: ChatPlatform;
  contact: { leadId: string; organization: string; name: string | null; phone: string | null };
  connection: string;
  /** What was said in the chat; the sum of matched, lost and ambiguous. */
  lines: number;
  counts: { matched: number; lost: number; ambiguous: number; onlyInDatabase: number };
  /** Lost messages older than everything stored of the conversation. */
  lostBeforeFirstStored: number;
  /** Lines written by WhatsApp itself, not by a sender. */
  systemLines: number;
  /** Lines that look like messages but cannot be read. */
  unreadableLines: number;
  /** Messages before the chat's first line or after its last; not counted as missing from the phone. */
  outsideCoverage: number;
  /** What `--adopt` stored; null without it. */
  adopted: AdoptChatResult | null;
  /** `loss` when messages are lost and remain so after `--adopt`. */
  severity: 'loss' | null;
  clock: {
    source: 'zone' | 'texts' | 'none';
    timeZone: string | null;
    /** `-03:00`; several in sequence if the clock changed. */
    offsets: string[];
    /** Texts that each side has exactly once, and how many of them this clock matches. */
    anchors: number;
    agreeing: number;
  };
  /** From the first line of the chat to its last. */
  coverage: { from: string | null; to: string | null };
  /** The line count equals WhatsApp's export limit: the phone may have more. */
  exportMayBeCut: boolean;
  firstStoredAt: string | null;
  /** The first of them; --items lists all. */
  lost: LostFinding[];
  ambiguous: AmbiguousFinding[];
  durationMs: number;
}

/**
 * Why a lost line is not adopted. `which_line`: how many are missing is certain, but not which. `time`: the phone's
 * clock changed around then, or its zone is unknown.
 */
export const LEFT_UNADOPTED = ['which_line', 'time'] as const;
export type LeftUnadopted = (typeof LEFT_UNADOPTED)[number];

/** What became of the messages that only the phone had. */
export interface AdoptChatResult {
  dryRun: boolean;
  /** Lines stored as raw entries. */
  entries: number;
  /** Messages created. */
  created: number;
  /** Lost lines not stored, by reason. */
  leftOut: Partial<Record<LeftUnadopted, number>>;
  /** The run; `undo RUN` takes it back. */
  runs: string[];
}
