import { proto, type WASocket } from './baileys.js';
import { createHash } from 'node:crypto';
import { startDeadline, type Deadline } from '../model/deadline.js';
import type { LogLine } from './baileys-log.js';
import { type HistoryAnchor, readPage, type ReadPage } from './history-page.js';
import { pause } from './wait.js';

/** What the phone was asked for. */
export interface AskedFor {
  chatJid: string;
  anchor: HistoryAnchor;
}

/** A file of history that the phone has announced. */
export interface AnnouncedFile {
  /** The digest of the encrypted file. */
  id: string;
  /** The phone's notification: where the file is, and its key. Enough to download it again later. */
  notification: Uint8Array;
  /** The request that it answers, as far as that is known. */
  request: AskedFor | null;
}

/**
 * Stores history the moment it is confirmed to WhatsApp, because it never comes again. Must not throw; storage failures
 * are reported when the device is closed.
 */
export interface HistoryKeeper {
  /** Stores a chunk as it came: a whole event, as JSON. */
  keep: (raw: Uint8Array) => void;
  /** The phone has announced a file; it is owed until it is settled. */
  owe: (file: AnnouncedFile) => void;
  /** The file has come, and what was in it is kept. */
  settle: (fileId: string) => void;
  /** The file could not be downloaded; it stays owed. */
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

/** A chunk of history, or why it could not be downloaded or read. */
type TakenChunk = { kind: 'read'; page: ReadPage } | { kind: 'failed'; reason: string };

const LOOK_MS = 25;

/**
 * Stores what the phone sends, requested or not, whatever the request's state: Baileys has already confirmed it to
 * WhatsApp. A file is owed from its announcement until its content is kept.
 */
export class HistoryInbox {
  private readonly cancelled = new AbortController();
  private running = 0;

  constructor(
    private readonly keeper: HistoryKeeper,
    private readonly log: LogLine,
    /** How long a file that is announced now may take. */
    private readonly downloadMs: () => number,
  ) {}

  /** Chunks that are being read: nearly always files that are downloaded. */
  get reading(): number {
    return this.running;
  }

  /** Reads a chunk and keeps it. Never rejects: a failure says why, and a file stays owed. */
  async take(
    sock: WASocket,
    notification: proto.Message.IHistorySyncNotification,
    request: AskedFor | null,
  ): Promise<TakenChunk> {
    this.running += 1;
    let file: AnnouncedFile | null = null;
    let deadline: Deadline | undefined;
    try {
      file = fileOf(notification, request);
      const isOwed = !isInline(notification);
      if (isOwed) this.keeper.owe(file);
      deadline = startDeadline(isOwed ? this.downloadMs() : Infinity, this.cancelled.signal);
      const page = await readPage(sock, notification, deadline.signal);
      this.keeper.keep(page.raw);
      if (isOwed) this.keeper.settle(file.id);
      return { kind: 'read', page };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.log('whatsapp: a chunk of history could not be downloaded or read');
      if (file !== null) {
        // History that came inside the message, and cannot be read, is kept the same way: another version may read it.
        if (isInline(notification)) this.keeper.owe(file);
        this.keeper.fail(file.id, reason);
      }
      return { kind: 'failed', reason };
    } finally {
      deadline?.clear();
      this.running -= 1;
    }
  }

  /** Waits until everything received is read, up to a limit; false if something is not. */
  async settle(ms: number, signal?: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (this.running > 0 && performance.now() < deadline) if (!(await pause(LOOK_MS, signal))) break;
    return this.running === 0;
  }

  /** Gives up what is still being downloaded; it stays owed. */
  async cancel(): Promise<void> {
    this.cancelled.abort(new Error('the session has ended'));
    await this.settle(CANCEL_MS);
  }
}

/** A download that was cancelled ends at once; one that does not is left alone. */
const CANCEL_MS = 1_000;
