import type { NoConnection } from './connect-device.js';

/** A message as WhatsApp Web names it, and when it was sent (ms since 1970). */
export interface HistoryAnchor {
  id: string;
  fromMe: boolean;
  /** As it is stored: the phone answers under one of a chat's two addresses only. */
  remoteJid: string;
  timestampMs: number;
}

/** What to ask the phone for: up to `count` messages directly before the anchor. */
export interface PageRequest {
  chatJid: string;
  /** The chat's other address (phone or LID); an answer under it counts, too. */
  otherJid?: string;
  anchor: HistoryAnchor;
  count: number;
  /** From now until the phone's answer has arrived; a download that has begun by then has its own time. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** Told what is going on. */
  onProgress?: (step: 'asked' | 'reconnecting' | 'answered') => void;
}

/** Why part of an answer is missing: a file could not be had, or a chunk that must be between others never came. */
export type MissingPart = 'file' | 'chunk';

/** The phone's answer to one request: everything that came of it, which may be several chunks. */
export interface HistoryPage {
  kind: 'page';
  /** The chunks, each a whole `messaging-history.set` as JSON; all of them are kept already. */
  chunks: readonly Uint8Array[];
  /** Messages in them, of whatever chat. */
  messages: number;
  /** This chat's messages in them, the newest first. */
  own: readonly HistoryAnchor[];
  /** The phone says that it has nothing older. Its absence says nothing. */
  endOfHistory: boolean;
  /** Null: nothing is known to be missing. */
  missing: MissingPart | null;
}

/** How a request ended. `silent`: the phone is offline, has the chat under its other address, or refuses; nobody can tell. */
export type PageOutcome =
  HistoryPage | { kind: 'silent' } | { kind: 'download_failed'; reason: string } | NoConnection;
