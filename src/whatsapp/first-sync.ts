import { type BaileysEventMap, getHistoryMsg, proto } from '@whiskeysockets/baileys';
import { SYNC_QUIET_MS, SYNC_STALL_MS } from './assumptions.js';
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
  /** What the phone says, 0 to 100; null until it says something. */
  percent: number | null;
}

export interface SyncPatience {
  /** A sync that is complete is over after this long without another chunk. */
  quietMs?: number | undefined;
  /** A sync that is not complete is given up after this long without another chunk. */
  stallMs?: number | undefined;
}

const LOOK_MS = 50;

/** Watches what the phone sends by itself to a device that was just linked, until it has settled. */
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
    // A device that logs in again is sent nothing by itself.
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

  /** The phone has told of a chunk; from now on it is waited for. */
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

  /** Counts a chunk that came in the end, on another way. */
  recover(messages: number): void {
    this.progress.received = Math.min(this.progress.received + 1, this.progress.announced);
    this.progress.messages += messages;
  }

  /** Whether all that was announced has come, and the phone has said that it was all. */
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
