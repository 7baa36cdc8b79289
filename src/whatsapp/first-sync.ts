import { type BaileysEventMap, getHistoryMsg, proto, type WASocket } from './baileys.js';
import { SYNC_QUIET_MS, SYNC_STALL_MS } from './assumptions.js';
import type { LogLine } from './baileys-log.js';
import { fileOf, HistoryInbox, type HistoryKeeper, isInline, notificationOf } from './history-keeper.js';
import { DOWNLOAD_TIMEOUT_MS } from './history-page.js';
import { isEvent, type EventTap } from './tap-events.js';
import { pause } from './wait.js';

const { HistorySyncType } = proto.Message;

/** How far the first sync is. */
export interface SyncProgress {
  /** Messages that have come so far. */
  messages: number;
  /** Chunks that were announced, now or in an earlier session, and those that could be read. */
  announced: number;
  received: number;
  /** The progress that the phone reports, 0 to 100; null until it does. */
  percent: number | null;
}

/** A chunk of history by its place in what the phone sends. */
export interface ChunkName {
  /** Baileys' word in small letters: `recent`, `full`, `push_name` …; null where the phone names none. */
  type: string | null;
  /** Its number among those of this type. */
  chunk: number | null;
}

/** A chunk that could not be downloaded or read, and why; it stays owed. */
export interface MissingChunk extends ChunkName {
  reason: string;
}

/** What the sync waits for, and the maximum time. */
export interface SyncWait {
  /** `files`: these chunks; `history`: the phone has not sent all; `settings`: its contacts and settings. */
  for: 'files' | 'history' | 'settings';
  chunks: ChunkName[];
  atMostMs: number;
}

export interface SyncPatience {
  /** A sync that is complete is over after this long without another chunk. */
  quietMs?: number | undefined;
  /** A sync that is not complete is given up after this long without another chunk. */
  stallMs?: number | undefined;
}

interface SyncListener {
  onProgress: (progress: SyncProgress) => void;
  onWaiting: (wait: SyncWait) => void;
}

const LOOK_MS = 50;
/** After this long without a chunk the user is informed what is pending, and again after the second. */
const WAIT_TOLD_MS = 4_000;
const WAIT_TOLD_AGAIN_MS = 30_000;
/** A chunk that Baileys could not read is downloaded again after a moment: the file may just have been stored. */
const AGAIN_MS = 1_000;
/** Baileys sets no download timeout: after this long a second one is tried in parallel. */
const LATE_MS = 20_000;

type Notification = proto.Message.IHistorySyncNotification;

/** A chunk that was announced and has not arrived. */
interface ExpectedChunk {
  id: string;
  notification: Notification;
  /** When it is downloaded here, as of `performance.now()`. */
  dueAt: number;
  state: { is: 'expected' } | { is: 'downloading'; until: number } | { is: 'failed'; reason: string };
}

/**
 * What the phone sends unasked to a device that was just linked, until it has settled. Baileys downloads it, and reports no
 * chunk that fails: each file is owed from its announcement until its event has arrived, and a chunk that Baileys could not
 * have is downloaded once more, as are the files that an earlier session could not have.
 */
export class FirstSync {
  private messages = 0;
  private announced = 0;
  private percent: number | null = null;
  private recentComplete = false;
  private lastSign = performance.now();
  private told: { at: number; words: string } = { at: Number.NEGATIVE_INFINITY, words: '' };
  private readonly expected: ExpectedChunk[];
  private readonly inbox: HistoryInbox;

  /**
   * `isAppStateSynced`: whether Baileys has counted a sync of contacts and settings. `owed`: files that an earlier session
   * could not have.
   */
  constructor(
    private readonly keeper: HistoryKeeper,
    owed: readonly Uint8Array[],
    private readonly isAppStateSynced: () => boolean,
    private readonly listener: SyncListener,
    private readonly patience: SyncPatience,
    log: LogLine,
  ) {
    this.inbox = new HistoryInbox(keeper, log, () => DOWNLOAD_TIMEOUT_MS);
    this.expected = owed.map(notificationOf).map((notification) => ({
      id: fileOf(notification, null).id,
      notification,
      dueAt: performance.now(),
      state: { is: 'expected' },
    }));
    this.announced = this.expected.length;
  }

  get progress(): SyncProgress {
    const { messages, announced, percent } = this;
    return { messages, announced, received: announced - this.expected.length, percent };
  }

  /** The chunks that failed. */
  get missing(): MissingChunk[] {
    return this.expected.map(({ notification, state }) => ({
      ...nameOf(notification),
      reason: state.is === 'failed' ? state.reason : 'not downloaded',
    }));
  }

  /** Receives every event before Baileys' buffer, with whether it was stored: an unstored file stays owed. */
  readonly tap = (...[event, data, isKept]: [...Parameters<EventTap>, boolean]): void => {
    if (isEvent('messages.upsert', event, data))
      for (const { key, message } of data.messages) {
        if (key.fromMe !== true || message === null || message === undefined) continue;
        const notification = historyIn(message);
        if (notification !== undefined) this.announce(notification);
      }
    if (isEvent('messaging-history.set', event, data)) this.receive(data, isKept);
  };

  /** Baileys could not handle a message: what it was reading will not arrive on its own. */
  readonly mayHaveFailed = (): void => {
    const soon = performance.now() + AGAIN_MS;
    for (const chunk of this.expected) chunk.dueAt = Math.min(chunk.dueAt, soon);
  };

  /**
   * `complete`, `stalled` when the phone stopped in between or a chunk could not be had, or `interrupted`; ends early with
   * `closed`.
   */
  async settle(
    sock: WASocket,
    signal: AbortSignal | undefined,
    isClosed: () => boolean,
  ): Promise<'complete' | 'stalled' | 'interrupted' | 'closed'> {
    const { quietMs = SYNC_QUIET_MS, stallMs = SYNC_STALL_MS } = this.patience;
    this.lastSign = performance.now();
    // A device that logs in again is sent nothing unasked.
    const isNew = !this.isAppStateSynced();
    for (;;) {
      if (isClosed()) return 'closed';
      const now = performance.now();
      for (const chunk of this.expected)
        if (chunk.state.is === 'expected' && chunk.dueAt <= now) this.download(sock, chunk);
      const quiet = now - this.lastSign;
      const waitsFor = this.waitsFor(isNew);
      if (waitsFor === null && quiet >= quietMs) return this.expected.length === 0 ? 'complete' : 'stalled';
      if (quiet >= stallMs) return this.isComplete() ? 'complete' : 'stalled';
      if (waitsFor !== null && quiet >= WAIT_TOLD_MS) this.tellWait(waitsFor, stallMs - quiet);
      if (!(await pause(LOOK_MS, signal))) return 'interrupted';
    }
  }

  /** Waits, at most so long, until everything that was announced is read. */
  async drain(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (this.expected.length > 0 && performance.now() < deadline) await pause(LOOK_MS);
  }

  /** Downloads what was not tried yet, as far as the time allows. The rest stays owed. */
  async takeMissing(sock: WASocket, ms: number): Promise<void> {
    for (const chunk of this.expected) if (chunk.state.is === 'expected') this.download(sock, chunk);
    await this.inbox.settle(ms);
  }

  /** Gives up what is still being downloaded; it stays owed. */
  async close(): Promise<void> {
    await this.inbox.cancel();
  }

  /** Whether everything announced has arrived, and the phone has reported the end. */
  isComplete(): boolean {
    return this.expected.length === 0 && this.recentComplete;
  }

  private waitsFor(isNew: boolean): SyncWait['for'] | null {
    if (this.expected.some(({ state }) => state.is !== 'failed')) return 'files';
    if (isNew && !this.recentComplete) return 'history';
    return this.isAppStateSynced() ? null : 'settings';
  }

  private announce(notification: Notification): void {
    const file = fileOf(notification, null);
    // WhatsApp repeats what was not confirmed before a line was lost.
    if (!this.expected.some(({ id }) => id === file.id)) {
      this.announced += 1;
      const dueAt = performance.now() + LATE_MS;
      this.expected.push({ id: file.id, notification, dueAt, state: { is: 'expected' } });
      if (!isInline(notification)) this.keeper.owe(file);
    }
    if (notification.syncType === HistorySyncType.RECENT && notification.progress === 100)
      this.recentComplete = true;
    this.sign();
  }

  private receive(set: BaileysEventMap['messaging-history.set'], isKept: boolean): void {
    const { messages, progress, syncType, chunkOrder } = set;
    const at = this.expected.findIndex(
      ({ notification }) =>
        notification.syncType === syncType && (notification.chunkOrder ?? null) === (chunkOrder ?? null),
    );
    // One that was downloaded here meanwhile is counted already.
    const [chunk] = at < 0 ? [] : this.expected.splice(at, 1);
    if (chunk === undefined) return;
    if (isKept && !isInline(chunk.notification)) this.keeper.settle(chunk.id);
    this.messages += messages.length;
    if (typeof progress === 'number') this.percent = Math.max(this.percent ?? 0, progress);
    this.sign();
  }

  private download(sock: WASocket, chunk: ExpectedChunk): void {
    chunk.state = { is: 'downloading', until: performance.now() + DOWNLOAD_TIMEOUT_MS };
    void this.inbox.take(sock, chunk.notification, null).then((taken) => {
      if (taken.kind === 'failed') chunk.state = { is: 'failed', reason: taken.reason };
      const at = this.expected.indexOf(chunk);
      if (at < 0) return;
      if (taken.kind === 'read') {
        this.expected.splice(at, 1);
        this.messages += taken.page.messages;
      }
      this.sign();
    });
  }

  private tellWait(kind: SyncWait['for'], stallsInMs: number): void {
    const now = performance.now();
    const open = this.expected.filter(({ state }) => state.is !== 'failed');
    const ends = open.map(({ state, dueAt }) =>
      state.is === 'downloading' ? state.until : dueAt + DOWNLOAD_TIMEOUT_MS,
    );
    const lastMs = kind === 'files' ? Math.max(...ends) - now : stallsInMs;
    const chunks = open.map(({ notification }) => nameOf(notification));
    const words = JSON.stringify([kind, chunks]);
    if (words === this.told.words && now - this.told.at < WAIT_TOLD_AGAIN_MS) return;
    this.told = { at: now, words };
    this.listener.onWaiting({ for: kind, chunks, atMostMs: Math.max(0, Math.min(lastMs, stallsInMs)) });
  }

  private sign(): void {
    this.lastSign = performance.now();
    this.listener.onProgress(this.progress);
  }
}

function nameOf({ syncType, chunkOrder }: Notification): ChunkName {
  const name = syncType === null || syncType === undefined ? undefined : HistorySyncType[syncType];
  return { type: name?.toLowerCase() ?? null, chunk: chunkOrder ?? null };
}

/**
 * Baileys' own type leaves out that most messages announce nothing: of a protocol message about something else (a key share, a
 * revoke, an edit) it gives `null`, of any other message `undefined`.
 */
const readNotification: (
  message: proto.IMessage,
) => proto.Message.IHistorySyncNotification | null | undefined = getHistoryMsg;

/**
 * The history that a message announces; undefined for nearly every message, and for a notification unasked for that names no file and
 * holds nothing itself (`NO_HISTORY`): of it nothing can be owed.
 */
export function historyIn(message: proto.IMessage): proto.Message.IHistorySyncNotification | undefined {
  const notification = readNotification(message) ?? undefined;
  if (notification === undefined || notification.syncType === HistorySyncType.ON_DEMAND) return notification;
  const { directPath, fileEncSha256: digest } = notification;
  const isFile = (directPath ?? '') !== '' || (digest?.length ?? 0) > 0;
  return isFile || isInline(notification) ? notification : undefined;
}
