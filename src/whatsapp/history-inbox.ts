import type { proto, WASocket } from '@whiskeysockets/baileys';
import type { LogLine } from './baileys-logger.js';
import { type AnnouncedFile, type AskedFor, fileOf, type HistoryKeeper, isInline } from './history-keeper.js';
import { readPage, type ReadPage } from './history-page-reader.js';
import { pause } from './wait.js';

/** A chunk of history, or why it could not be had. */
type TakenChunk = { kind: 'read'; page: ReadPage } | { kind: 'failed'; reason: string };

const LOOK_MS = 25;

/**
 * Takes in what the phone sends, whoever asked for it and whatever has become of the request: Baileys has confirmed it to
 * WhatsApp by then. A file is owed from its announcement until what is in it is kept.
 */
export class HistoryInbox {
  private readonly cancelled = new AbortController();
  private running = 0;

  constructor(
    private readonly keeper: HistoryKeeper,
    private readonly log: LogLine,
  ) {}

  /** Chunks that are being read: nearly always files that are downloaded. */
  get reading(): number {
    return this.running;
  }

  /** Reads a chunk and keeps it. Never rejects: what cannot be had says why, and stays owed if it is a file. */
  async take(
    sock: WASocket,
    notification: proto.Message.IHistorySyncNotification,
    request: AskedFor | null,
  ): Promise<TakenChunk> {
    this.running += 1;
    let file: AnnouncedFile | null = null;
    try {
      file = fileOf(notification, request);
      const isOwed = !isInline(notification);
      if (isOwed) this.keeper.owe(file);
      const page = await readPage(sock, notification, this.cancelled.signal);
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
      this.running -= 1;
    }
  }

  /** Waits until everything that has arrived is read, at most so long; false when something is not. */
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
