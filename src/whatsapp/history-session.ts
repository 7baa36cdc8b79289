import { isLidUser, jidNormalizedUser, proto, type WASocket } from './baileys.js';
import { EXIT, UserError } from '../model/errors.js';
import { remedy } from '../model/remedy.js';
import { ANCHOR_TIME_UNIT_MS, ASK_AGAIN_MS } from './assumptions.js';
import { DeviceAuth, type DeviceStorage } from './auth-state.js';
import { connectDevice, type NoConnection } from './connect-device.js';
import { FilePatience } from './file-patience.js';
import { historyIn } from './first-sync.js';
import { HistoryInbox, type AskedFor, type HistoryKeeper, notificationOf } from './history-keeper.js';
import { DOWNLOAD_TIMEOUT_MS, type PageOutcome, type PageRequest, PendingAnswer } from './history-page.js';
import { type DeviceSocket, openSocket, type ServiceOptions } from './open-socket.js';
import { type EventTap, isEvent, rawEvent } from './tap-events.js';
import { pause, waitFor } from './wait.js';

export type { HistoryAnchor, HistoryPage, PageOutcome, PageRequest } from './history-page.js';

const { ON_DEMAND } = proto.Message.HistorySyncType;
const CONNECT_TIMEOUT_MS = 16_000;
/** After a failed first login, a request tries once more, but only this long: the caller gets the error soon. */
const SECOND_LOGIN_MS = 2_500;
/** How long WhatsApp's directory may take to say by which LID it knows a number. */
const DIRECTORY_MS = 5_000;
/** A line that can carry no request closes in this time, or is given up. */
const GONE_MS = 1_000;
/** How long a request may take to be encrypted and sent. */
const ASK_MS = 5_000;
/** How often the end of a session looks whether all is quiet. */
const LOOK_MS = 20;
/** How long a session that ends waits for what WhatsApp has kept for the device. */
const KEPT_MS = 3_000;
/** The same for all that still waits once the user has said stop: the run has to be on record before it is killed. */
const STOPPED = { keptMs: 500, allMs: 3_000 } as const;
/** What is on its way to the device is here after so long without anything. */
const QUIET_MS = 400;
/** How long all the files may take that an earlier session could not download. */
const OWED_MS = 20_000;

export interface HistorySessionOptions extends ServiceOptions {
  storage: DeviceStorage;
  /** Gets all history that comes, asked for or not, in time or too late. */
  keeper: HistoryKeeper;
  /** How long the first login may take, with its repetitions (default 16 s). */
  connectTimeoutMs?: number;
  signal?: AbortSignal;
  /** How long the files of one answer may take, all together (default 60 s). */
  downloadTimeoutMs?: number;
  /** Called with the number of files that are waited for, and at most how long, when that takes a while. */
  onWaiting?: (files: number, ms: number) => void;
}

/** The tool's own device, online, to ask the phone for history. */
export interface HistorySession {
  /** Why it is not connected; null while it is. */
  readonly problem: NoConnection | null;
  /** Asks for one page. One request at a time. Rejects only when the device's keys cannot be stored, or on a bug. */
  fetchPage(request: PageRequest): Promise<PageOutcome>;
  /**
   * The other address of a person's chat: a number's LID, a LID's number. From the device's own memory, else (a number's LID
   * only) from WhatsApp's directory; no contact is notified. Null if neither knows, or the connection is gone.
   */
  otherAddress(jid: string): Promise<string | null>;
  /** Downloads files again that failed in an earlier session, as far as the time allows. */
  retry(notifications: readonly Uint8Array[]): Promise<void>;
  /** Waits, for a limited time, until the keeper has everything received. */
  settle(): Promise<void>;
  /** Closes the socket once the keeper has everything received, and waits until all keys are stored. */
  end(): Promise<void>;
}

/**
 * Logs the stored device in. Settles when it is online, or cannot be: then `problem` and every page give the reason.
 * Throws UserError `not_linked` (exit 6) when no device is stored, and what the storage throws.
 */
export async function openHistorySession(options: HistorySessionOptions): Promise<HistorySession> {
  const auth = await DeviceAuth.load(options.storage);
  if (auth === null) {
    throw new UserError('No WhatsApp device is linked to this connection.', {
      code: 'not_linked',
      exitCode: EXIT.notLinked,
      remedy: remedy('link', ['--connection', 'NAME'], 'links one'),
    });
  }
  const session = new Session(options, auth);
  await session.connect(performance.now() + (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS), options.signal);
  return session;
}

class Session implements HistorySession {
  problem: NoConnection | null = { kind: 'offline', reason: 'timeout' };
  private socket: DeviceSocket | null = null;
  private pending: PendingAnswer | null = null;
  /** The requests of this session that have ended: what comes of them now is late, and no answer to another one. */
  private readonly ended = new Set<string>();
  private readonly inbox: HistoryInbox;
  private readonly patience: FilePatience;
  private lastSign = 0;
  private wasOnline = false;
  /** When it no longer waits for anything, as of `performance.now()`; null until the user says stop. */
  private stopsAt: number | null = null;

  constructor(
    private readonly options: HistorySessionOptions,
    private readonly auth: DeviceAuth,
  ) {
    this.patience = new FilePatience(options.downloadTimeoutMs ?? DOWNLOAD_TIMEOUT_MS);
    this.inbox = new HistoryInbox(options.keeper, (line) => this.options.log?.(line), this.patience.forFile);
  }

  async connect(deadline: number, signal: AbortSignal | undefined): Promise<NoConnection | null> {
    const connected = await connectDevice(() => this.open(), deadline, signal);
    if (connected.kind !== 'open') {
      this.problem = moreTelling(connected, this.problem);
      return this.problem;
    }
    const { socket } = connected;
    this.socket = socket;
    this.wasOnline = true;
    this.problem = null;
    void socket.closed.then((reason) => {
      if (this.socket !== socket) return;
      this.socket = null;
      // A conflict is final: reconnecting would kick out the other login.
      this.problem =
        reason.kind === 'conflict' || reason.kind === 'logged_out'
          ? { kind: reason.kind }
          : { kind: 'offline', reason: reason.kind === 'lost' ? reason.reason : reason.kind };
    });
    return null;
  }

  async fetchPage(request: PageRequest): Promise<PageOutcome> {
    const pending = new PendingAnswer(request);
    this.pending = pending;
    this.patience.ask(request.isFurther === true);
    try {
      const failed = await this.askUntilAnswered(pending, performance.now() + request.timeoutMs);
      // Whatever ended the wait, what was received is the answer.
      return pending.take() ?? failed ?? { kind: 'silent' };
    } finally {
      this.pending = null;
      for (const id of pending.ids) this.ended.add(id);
      await this.auth.flush();
    }
  }

  async otherAddress(jid: string): Promise<string | null> {
    const mapping = this.socket?.sock.signalRepository.lidMapping;
    if (mapping === undefined) return null;
    const asked = isLidUser(jid) === true ? mapping.getPNForLID(jid) : mapping.getLIDForPN(jid);
    const found = await waitFor(
      // What the directory does not say, or not in time, is not known; the import goes on without it.
      asked.catch(() => null),
      DIRECTORY_MS,
      this.options.signal,
    );
    return found.kind === 'settled' && found.value !== null ? jidNormalizedUser(found.value) : null;
  }

  async retry(notifications: readonly Uint8Array[]): Promise<void> {
    const { socket } = this;
    if (socket === null) return;
    for (const bytes of notifications) {
      // Not attributed to a request: the one that asked for it has ended.
      void this.take(socket.sock, notificationOf(bytes), null);
    }
    await this.inbox.settle(OWED_MS, this.options.signal);
  }

  async settle(): Promise<void> {
    const { signal } = this.options;
    if (!isStopped(signal)) {
      await this.takeWhatIsKept(KEPT_MS, signal);
      const { reading } = this.inbox;
      const isLong = reading > 0 && !(await this.inbox.settle(QUIET_MS, signal));
      if (isLong && !isStopped(signal)) this.tellWait(reading);
      await this.inbox.settle(this.patience.forFile(), signal);
    }
    if (isStopped(signal)) await this.settleStopped();
  }

  /** Says how long the wait for files may still take, in whole seconds. */
  private tellWait(files: number): void {
    this.options.onWaiting?.(files, Math.ceil(this.patience.forFile() / 1000) * 1000);
  }

  /** After Ctrl-C there is still a moment for what is nearly complete: one for all, however often somebody waits. */
  private async settleStopped(): Promise<void> {
    this.stopsAt ??= performance.now() + STOPPED.allMs;
    const left = (): number => Math.max(0, (this.stopsAt ?? 0) - performance.now());
    await this.takeWhatIsKept(Math.min(STOPPED.keptMs, left()), undefined);
    await this.inbox.settle(left());
  }

  async end(): Promise<void> {
    const { socket } = this;
    if (socket !== null) await this.settle();
    this.socket = null;
    this.problem = { kind: 'offline', reason: 'ended' };
    await Promise.all([socket?.end(), this.inbox.cancel()]);
    await this.auth.close();
  }

  /** Waits, not long, for what is on its way to the device: once confirmed to WhatsApp, it would never come again. */
  private async takeWhatIsKept(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const { socket } = this;
    if (socket === null) return;
    const deadline = performance.now() + ms;
    await waitFor(Promise.race([socket.caughtUp, socket.closed]), ms, signal);
    this.lastSign = Math.max(this.lastSign, performance.now());
    while (performance.now() - this.lastSign < QUIET_MS && performance.now() < deadline)
      if (this.socket !== socket || !(await pause(LOOK_MS))) return;
  }

  /** Asks, again after a line that was lost, until the answer is whole; gives what went wrong before that. */
  private async askUntilAnswered(pending: PendingAnswer, until: number): Promise<PageOutcome | null> {
    const { request } = pending;
    let deadline = until;
    const { signal } = request;
    for (;;) {
      const problem = await this.reconnect(request, deadline);
      if (problem !== null) return problem;
      const { socket } = this;
      if (socket === null) continue;
      if (pending.ids.size > 0) {
        // The line was away: the answer may have been kept for us, then it is here in a moment.
        const again = Math.min(performance.now() + ASK_AGAIN_MS, deadline);
        const kept = await pending.wait(socket.closed, again);
        if (kept === 'whole') return null;
        if (kept === 'interrupted') return { kind: 'interrupted' };
        if (kept === 'closed') continue;
      }
      const asked = await waitFor(
        this.ask(socket.sock, pending),
        Math.max(ASK_MS, deadline - performance.now()),
        signal,
      );
      if (asked.kind === 'aborted') return { kind: 'interrupted' };
      if (asked.kind === 'timeout') return { kind: 'offline', reason: 'timeout' };
      if (asked.value === 'gone') {
        // A dead line may take half a minute to close; repeating the request would block everything else.
        const left = deadline - performance.now();
        const closed = await waitFor(socket.closed, Math.min(GONE_MS, left), signal);
        if (closed.kind === 'aborted') return { kind: 'interrupted' };
        if (closed.kind === 'timeout') await this.abandon(socket);
        continue;
      }
      if (asked.value !== 'asked') return asked.value;
      // The phone's time starts when the request is sent, however long a busy machine took to send it.
      if (pending.ids.size === 1) deadline = performance.now() + request.timeoutMs;
      request.onProgress?.('asked');
      const answered = await pending.wait(socket.closed, deadline, (files) => {
        this.tellWait(files);
      });
      if (answered === 'whole') return null;
      if (answered === 'interrupted') return { kind: 'interrupted' };
      if (answered === 'silent') return { kind: 'silent' };
    }
  }

  /**
   * Sends the request, under the address that it names, whatever the anchor's own is; `gone`: the line is. A request that
   * cannot be encrypted counts as no connection to the phone.
   */
  private async ask(sock: WASocket, pending: PendingAnswer): Promise<'asked' | 'gone' | NoConnection> {
    const { chatJid, anchor, count } = pending.request;
    try {
      const key = { remoteJid: chatJid, id: anchor.id, fromMe: anchor.fromMe };
      const at = Math.floor(anchor.timestampMs / ANCHOR_TIME_UNIT_MS);
      pending.ids.add(await sock.fetchMessageHistory(count, key, at));
      return 'asked';
    } catch (error) {
      await this.auth.flush();
      // 428: the socket closed in between.
      if (error instanceof Error && 'output' in error) return 'gone';
      return { kind: 'offline', reason: `request_failed: ${messageOf(error)}` };
    }
  }

  /** Null when the device is online; a line that was lost is built again until the time is over. */
  private async reconnect(request: PageRequest, deadline: number): Promise<NoConnection | null> {
    if (this.socket !== null) return null;
    const { problem } = this;
    if (problem !== null && problem.kind !== 'offline') return problem;
    if (problem?.kind === 'offline' && (problem.reason === 'outdated' || problem.reason === 'ended'))
      return problem;
    request.onProgress?.('reconnecting');
    const isSecond = !this.wasOnline;
    return this.connect(
      isSecond ? Math.min(deadline, performance.now() + SECOND_LOGIN_MS) : deadline,
      request.signal,
    );
  }

  /** Closes a connection that is dead, so that the next one can be opened. */
  private async abandon(socket: DeviceSocket): Promise<void> {
    if (this.socket === socket) {
      this.socket = null;
      this.problem = { kind: 'offline', reason: 'timeout' };
    }
    await socket.end();
  }

  private open(): DeviceSocket {
    const socket = openSocket({
      ...this.options,
      auth: this.auth.state,
      onCredentials: () => {
        this.auth.save();
      },
      // All history is read by this session: Baileys would swallow a failed download, and cut what it gives.
      shouldSyncHistory: () => false,
      tap: (event, data) => {
        this.tap(socket, event, data);
      },
    });
    return socket;
  }

  private tap(socket: DeviceSocket, ...[event, data]: Parameters<EventTap>): void {
    if (isEvent('messaging-history.set', event, data)) this.options.keeper.keep(rawEvent(event, data));
    if (!isEvent('messages.upsert', event, data)) return;
    for (const { key, message } of data.messages) {
      // Only the own phone may send history; anybody can send a message that looks like it (CVE-2026-48063).
      if (key.fromMe !== true || message === null || message === undefined) continue;
      const notification = historyIn(message);
      if (notification !== undefined) void this.onHistory(socket.sock, notification);
    }
  }

  private async take(
    sock: WASocket,
    notification: proto.Message.IHistorySyncNotification,
    request: AskedFor | null,
  ): ReturnType<HistoryInbox['take']> {
    this.patience.begin();
    const taken = await this.inbox.take(sock, notification, request);
    this.patience.end(taken.kind === 'read');
    return taken;
  }

  /** History has been announced: of the answer that is waited for, of one that comes too late, or unasked. Never rejects. */
  private async onHistory(
    sock: WASocket,
    notification: proto.Message.IHistorySyncNotification,
  ): Promise<void> {
    this.lastSign = performance.now();
    const id = notification.peerDataRequestSessionId ?? '';
    const isNamed = this.pending?.ids.has(id) === true;
    const isAnswer = notification.syncType === ON_DEMAND && (isNamed || !this.ended.has(id));
    const pending = isAnswer ? this.pending : null;
    pending?.begin();
    const request = isNamed || id === '' ? askedFor(pending) : null;
    const taken = await this.take(sock, notification, request);
    this.lastSign = performance.now();
    if (taken.kind === 'read') pending?.add(taken.page, isNamed);
    else pending?.fail(taken.reason, isNamed || id === '');
  }
}

/** Asked anew: a signal may have come during a wait. */
function isStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** An attempt that only took too long says less than one that WhatsApp has answered. */
function moreTelling(problem: NoConnection, before: NoConnection | null): NoConnection {
  return problem.kind === 'offline' && problem.reason === 'timeout' && before?.kind === 'offline'
    ? before
    : problem;
}

function askedFor(pending: PendingAnswer | null): AskedFor | null {
  if (pending === null) return null;
  const { chatJid, anchor } = pending.request;
  return { chatJid, anchor };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
