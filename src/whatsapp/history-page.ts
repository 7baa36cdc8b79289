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

export interface HistoryPage {
  kind: 'page';
  /** The whole `messaging-history.set` as JSON, to be stored and replayed. */
  raw: Uint8Array;
  /** Messages in it, of whatever chat. */
  messages: number;
  /** The phone says that it has nothing older. Its absence says nothing. */
  endOfHistory: boolean;
  /** The oldest message of this chat in the page: where the next page begins. Absent when there is none. */
  anchorOfNext?: HistoryAnchor;
}

/** How a request ended. `silent`: the phone is offline, has the chat under its other address, or refuses; nobody can tell. */
export type PageOutcome =
  HistoryPage | { kind: 'silent' } | { kind: 'download_failed'; reason: string } | NoConnection;
