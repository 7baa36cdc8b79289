import { type BaileysEventMap, getHistoryMsg, proto, type WASocket } from '@whiskeysockets/baileys';
import { SYNC_QUIET_MS, SYNC_STALL_MS } from './assumptions.js';
import type { LogLine } from './baileys-log.js';
import { HistoryInbox, fileOf, type HistoryKeeper, isInline, notificationOf } from './history-keeper.js';
import { DOWNLOAD_TIMEOUT_MS, type ReadPage } from './history-page.js';
import { isEvent, type EventTap } from './tap-events.js';
import { pause } from './wait.js';

const { RECENT } = proto.Message.HistorySyncType;

/** How far the first sync is. */
export interface SyncProgress {
  /** Messages that have come so far. */
  messages: number;
  /** Chunks that were announced, and those that could be read. */
  announced: number;
  received: number;
  /** The progress that the phone reports, 0 to 100; null until it does. */
  percent: number | null;
}

export interface SyncPatience {
  /** A sync that is complete is over after this long without another chunk. */
  quietMs?: number | undefined;
  /** A sync that is not complete is given up after this long without another chunk. */
  stallMs?: number | undefined;
}

const LOOK_MS = 50;

/** Watches what the phone sends unasked to a device that was just linked, until it has settled. */
export class FirstSync {
  readonly progress: SyncProgress = { messages: 0, announced: 0, received: 0, percent: null };
  private recentComplete = false;
  private lastSign = performance.now();

  /** `isAppStateSynced`: whether Baileys has counted a sync of contacts and settings. */
  constructor(
    private readonly isAppStateSynced: () => boolean,
    private readonly onProgress: (progress: SyncProgress) => void,
    private readonly patience: SyncPatience,
  ) {}

  /** To be given every event before Baileys' buffer. */
  readonly tap: EventTap = (event, data) => {
    if (isEvent('messages.upsert', event, data))
      for (const { key, message } of data.messages) {
        if (key.fromMe !== true || message === null || message === undefined) continue;
        const notification = historyIn(message);
        if (notification !== undefined) this.announce(notification);
      }
    if (isEvent('messaging-history.set', event, data)) this.receive(data);
  };

  /** `complete`, `stalled` when the phone stopped in between, or `interrupted`; ends early with `closed`. */
  async settle(
    signal: AbortSignal | undefined,
    isClosed: () => boolean,
  ): Promise<'complete' | 'stalled' | 'interrupted' | 'closed'> {
    const { quietMs = SYNC_QUIET_MS, stallMs = SYNC_STALL_MS } = this.patience;
    this.lastSign = performance.now();
    // A device that logs in again is sent nothing unasked.
    const isNew = !this.isAppStateSynced();
    for (;;) {
      if (isClosed()) return 'closed';
      const quiet = performance.now() - this.lastSign;
      const { announced, received } = this.progress;
      const isDone = received >= announced && this.isAppStateSynced() && (this.recentComplete || !isNew);
      if (isDone && quiet >= quietMs) return 'complete';
      if (quiet >= stallMs) return 'stalled';
      if (!(await pause(LOOK_MS, signal))) return 'interrupted';
    }
  }

  /** The phone has announced a chunk; the sync waits for it from now on. */
  announce(notification: proto.Message.IHistorySyncNotification): void {
    this.progress.announced += 1;
    if (notification.syncType === RECENT && notification.progress === 100) this.recentComplete = true;
    this.sign();
  }

  /** Waits, at most so long, until everything that was announced is read. */
  async drain(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (this.progress.received < this.progress.announced && performance.now() < deadline)
      await pause(LOOK_MS);
  }

  /** Counts a chunk that arrived late, by a second download. */
  recover(messages: number): void {
    this.progress.received = Math.min(this.progress.received + 1, this.progress.announced);
    this.progress.messages += messages;
  }

  /** Whether everything announced has arrived, and the phone has reported the end. */
  isComplete(): boolean {
    return this.progress.received >= this.progress.announced && this.recentComplete;
  }

  private receive({ messages, progress }: BaileysEventMap['messaging-history.set']): void {
    this.progress.received += 1;
    this.progress.messages += messages.length;
    if (typeof progress === 'number') this.progress.percent = Math.max(this.progress.percent ?? 0, progress);
    this.sign();
  }

  private sign(): void {
    this.lastSign = performance.now();
    this.onProgress({ ...this.progress });
  }
}

/**
 * Baileys' own type leaves out that most messages announce nothing: of a protocol message about something else (a key share, a
 * revoke, an edit) it gives `null`, of any other message `undefined`.
 */
const readNotification: (
  message: proto.IMessage,
) => proto.Message.IHistorySyncNotification | null | undefined = getHistoryMsg;

/** The history that a message announces; undefined for nearly every message. */
export function historyIn(message: proto.IMessage): proto.Message.IHistorySyncNotification | undefined {
  return readNotification(message) ?? undefined;
}

type Notification = proto.Message.IHistorySyncNotification;

/**
 * The files of the first sync. Baileys downloads them, and does not report one that fails: each is owed from its
 * announcement until its event has arrived, and what is missing at the end is downloaded once more.
 */
export class FirstSyncFiles {
  private readonly waiting: { id: string; notification: Notification }[];
  private readonly inbox: HistoryInbox;

  /** `owed`: what an earlier session could not have. */
  constructor(
    private readonly keeper: HistoryKeeper,
    owed: readonly Uint8Array[],
    log: LogLine,
  ) {
    this.inbox = new HistoryInbox(keeper, log, DOWNLOAD_TIMEOUT_MS);
    this.waiting = owed.map(notificationOf).map((notification) => ({
      id: fileOf(notification, null).id,
      notification,
    }));
  }

  /** To be given every event before Baileys' buffer, and after it was kept. */
  readonly tap: EventTap = (event, data) => {
    if (isEvent('messages.upsert', event, data))
      for (const { key, message } of data.messages) {
        if (key.fromMe !== true || message === null || message === undefined) continue;
        const notification = historyIn(message);
        if (notification !== undefined && !isInline(notification)) this.announce(notification);
      }
    if (isEvent('messaging-history.set', event, data)) {
      const { syncType, chunkOrder } = data;
      const at = this.waiting.findIndex(
        ({ notification }) =>
          notification.syncType === syncType && (notification.chunkOrder ?? null) === (chunkOrder ?? null),
      );
      for (const { id } of at < 0 ? [] : this.waiting.splice(at, 1)) this.keeper.settle(id);
    }
  };

  /** Downloads what is missing, as far as the time allows; gives what came. The rest stays owed. */
  async takeMissing(sock: WASocket, ms: number, signal?: AbortSignal): Promise<ReadPage[]> {
    const pages: ReadPage[] = [];
    for (const { notification } of this.waiting.splice(0)) {
      void this.inbox.take(sock, notification, null).then((taken) => {
        if (taken.kind === 'read') pages.push(taken.page);
      });
    }
    await this.inbox.settle(ms, signal);
    await this.inbox.cancel();
    return pages;
  }

  private announce(notification: Notification): void {
    const file = fileOf(notification, null);
    if (this.waiting.some(({ id }) => id === file.id)) return;
    this.waiting.push({ id: file.id, notification });
    this.keeper.owe(file);
  }
}
