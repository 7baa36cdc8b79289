import { createHash } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import type { HistoryAnchor } from './history-page.js';

/** What the phone was asked for. */
export interface AskedFor {
  chatJid: string;
  anchor: HistoryAnchor;
}

/** A file of history that the phone has announced. */
export interface AnnouncedFile {
  /** The digest of the encrypted file. */
  id: string;
  /** What the phone says about it: where it is, and its key. Enough to download it again later. */
  notification: Uint8Array;
  /** The request that it answers, as far as that is known. */
  request: AskedFor | null;
}

/**
 * Where history goes the moment that it is confirmed to WhatsApp: it never comes again. Nothing here may throw; what cannot
 * be stored is told when the device is closed.
 */
export interface HistoryKeeper {
  /** Stores a chunk as it came: a whole event, as JSON. */
  keep: (raw: Uint8Array) => void;
  /** The phone has announced a file; it is owed until it is settled. */
  owe: (file: AnnouncedFile) => void;
  /** The file has come, and what was in it is kept. */
  settle: (fileId: string) => void;
  /** The file could not be had; it stays owed. */
  fail: (fileId: string, reason: string) => void;
}

/** Whether the history is inside the notification itself, and not in a file. */
export function isInline({
  initialHistBootstrapInlinePayload: inline,
}: proto.Message.IHistorySyncNotification): boolean {
  return inline !== null && inline !== undefined && inline.length > 0;
}

/** What a notification announces, as a file that can be owed. */
export function fileOf(
  notification: proto.Message.IHistorySyncNotification,
  request: AskedFor | null,
): AnnouncedFile {
  const { fileEncSha256: digest, directPath, initialHistBootstrapInlinePayload: inline } = notification;
  const bytes = proto.Message.HistorySyncNotification.encode(notification).finish();
  const isDigest = digest !== null && digest !== undefined && digest.length > 0;
  const id = isDigest
    ? Buffer.from(digest).toString('hex')
    : createHash('sha256')
        .update(directPath ?? inline ?? '')
        .digest('hex');
  return { id, notification: bytes, request };
}

/** The notification of a file that was announced earlier. Throws for bytes that are none. */
export function notificationOf(bytes: Uint8Array): proto.Message.IHistorySyncNotification {
  return proto.Message.HistorySyncNotification.decode(bytes);
}
