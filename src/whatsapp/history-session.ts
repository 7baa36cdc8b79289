import { isLidUser, jidNormalizedUser, proto, type WASocket } from '@whiskeysockets/baileys';
import { EXIT, UserError } from '../model/errors.js';
import { ANCHOR_TIME_UNIT_MS, ASK_AGAIN_MS } from './assumptions.js';
import { DeviceAuth } from './auth-state.js';
import { connectDevice, type NoConnection } from './connect-device.js';
import type { DeviceStorage } from './device-storage.js';
import { readPage, type ReadPage } from './history-page-reader.js';
import type { HistoryPage, PageOutcome, PageRequest } from './history-page.js';
import { historyIn } from './first-sync.js';
import { type DeviceSocket, openSocket, type ServiceOptions } from './open-socket.js';
import { type EventTap, isEvent, rawEvent } from './tap-events.js';
import { createUnasked, takeWhatComes } from './unasked-history.js';
import { promised, waitFor } from './wait.js';

export type { HistoryAnchor, HistoryPage, PageOutcome, PageRequest } from './history-page.js';

const { ON_DEMAND } = proto.Message.HistorySyncType;
const CONNECT_TIMEOUT_MS = 20_000;
/** How long WhatsApp's directory may take to say by which LID it knows a number. */
const DIRECTORY_MS = 5_000;
/** A line that can carry no request closes in this time, or is given up. */
const GONE_MS = 1_000;

export interface HistorySessionOptions extends ServiceOptions {
  storage: DeviceStorage;
  /** How long the first login may take, with its repetitions (default 20 s). */
  connectTimeoutMs?: number;
  signal?: AbortSignal;
  /** Gets history that comes without being asked for, and answers that come too late: whole events, as JSON. */
  onUnasked?: (raw: Uint8Array) => void;
}

/** The tool's own device, online, to ask the phone for history. */
export interface HistorySession {
  /** Why it is not connected; null while it is. */
  readonly problem: NoConnection | null;
  /** Asks for one page. One request at a time. Rejects only when the device's keys cannot be stored, or on a bug. */
  fetchPage(request: PageRequest): Promise<PageOutcome>;
  /**
   * The other address of a person's chat: a number's LID, a LID's number. From the device's own memory, else (a number's LID
   * only) from WhatsApp's directory, which tells nobody about it. Null if neither knows, or the line is gone.
   */
  otherAddress(jid: string): Promise<string | null>;
  /** Closes the socket and waits until all keys are stored. */
  end(): Promise<void>;
}

/**
 * Logs the stored device in. Settles when it is online, or cannot be: then `problem` says why, and so does every page.
 * Throws UserError `not_linked` (exit 6) when no device is stored, and what the storage throws.
 */
export async function openHistorySession(options: HistorySessionOptions): Promise<HistorySession> {
  const auth = await DeviceAuth.load(options.storage);
  if (auth === null) {
    throw new UserError('No WhatsApp device is linked to this connection.', {
      code: 'not_linked',
      exitCode: EXIT.notLinked,
      remedy: 'Link one: wa-reconcile link --connection NAME',
    });
  }
  const session = new Session(options, auth);
  await session.connect(performance.now() + (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS), options.signal);
  return session;
}

/** An answer to the request that waits. */
type Answer = HistoryPage | { kind: 'download_failed'; reason: string };

/** The request that waits for its answer. */
interface Pending {
  /** Under which ids it was sent. */
  ids: Set<string>;
  addresses: ReadonlySet<string>;
  signal: AbortSignal | undefined;
  /** The phone's notification is here; from now on only the download takes time. */
  arrived: () => void;
  settle: (answer: Answer) => void;
}

class Session implements HistorySession {
  problem: NoConnection | null = { kind: 'offline', reason: 'timeout' };
  private socket: DeviceSocket | null = null;
  private pending: Pending | null = null;
  private readonly unasked = createUnasked();

  constructor(
    private readonly options: HistorySessionOptions,
    private readonly auth: DeviceAuth,
  ) {}

  async connect(deadline: number, signal: AbortSignal | undefined): Promise<NoConnection | null> {
    const connected = await connectDevice(() => this.open(), deadline, signal);
    if (connected.kind !== 'open') {
      this.problem = connected;
      return connected;
    }
    const { socket } = connected;
    this.socket = socket;
    this.problem = null;
    void socket.closed.then((reason) => {
      if (this.socket !== socket) return;
      this.socket = null;
      // A conflict stays one: to come back would kick the other login out.
      this.problem =
        reason.kind === 'conflict' || reason.kind === 'logged_out'
          ? { kind: reason.kind }
          : { kind: 'offline', reason: reason.kind === 'lost' ? reason.reason : reason.kind };
    });
    return null;
  }

  async fetchPage(request: PageRequest): Promise<PageOutcome> {
    const { chatJid, otherJid, signal, timeoutMs } = request;
    const deadline = performance.now() + timeoutMs;
    const arrival = promised<undefined>();
    const answer = promised<Answer>();
    const pending: Pending = {
      ids: new Set(),
      addresses: new Set(
        [chatJid, ...(otherJid === undefined ? [] : [otherJid])].map((jid) => jidNormalizedUser(jid)),
      ),
      signal,
      arrived: () => {
        arrival.resolve(undefined);
        request.onProgress?.('answered');
      },
      settle: (value) => {
        answer.resolve(value);
        arrival.resolve(undefined);
      },
    };
    this.pending = pending;
    try {
      return await this.askUntilAnswered(request, pending, {
        deadline,
        arrived: arrival.promise,
        answer: answer.promise,
      });
    } finally {
      this.pending = null;
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

  async end(): Promise<void> {
    const { socket } = this;
    if (socket !== null) await takeWhatComes(socket, this.unasked);
    this.socket = null;
    this.problem = { kind: 'offline', reason: 'ended' };
    await socket?.end();
    await this.auth.close();
  }

  private async askUntilAnswered(
    request: PageRequest,
    pending: Pending,
    wait: { deadline: number; arrived: Promise<undefined>; answer: Promise<Answer> },
  ): Promise<PageOutcome> {
    const { signal } = request;
    for (;;) {
      const problem = await this.reconnect(request, wait.deadline);
      if (problem !== null) return problem;
      const { socket } = this;
      if (socket === null) continue;
      if (pending.ids.size > 0) {
        // The line was away: the answer may have been kept for us, then it is here in a moment.
        const kept = await waitFor(
          wait.arrived,
          Math.min(ASK_AGAIN_MS, wait.deadline - performance.now()),
          signal,
        );
        if (kept.kind === 'settled') return this.finish(wait.answer, signal);
        if (kept.kind === 'aborted') return { kind: 'interrupted' };
      }
      const asked = await waitFor(
        this.ask(socket.sock, request, pending),
        wait.deadline - performance.now(),
        signal,
      );
      if (asked.kind === 'aborted') return { kind: 'interrupted' };
      if (asked.kind === 'timeout') return { kind: 'offline', reason: 'timeout' };
      if (asked.value === 'gone') {
        // A line that is gone may take half a minute to close; to ask it again and again would stop everything else.
        const left = wait.deadline - performance.now();
        const closed = await waitFor(socket.closed, Math.min(GONE_MS, left), signal);
        if (closed.kind === 'aborted') return { kind: 'interrupted' };
        if (closed.kind === 'timeout') await this.abandon(socket);
        continue;
      }
      if (asked.value !== 'asked') return asked.value;
      request.onProgress?.('asked');
      const left = wait.deadline - performance.now();
      const waited = await waitFor(Promise.race([wait.arrived, socket.closed]), left, signal);
      if (waited.kind === 'aborted') return { kind: 'interrupted' };
      if (waited.kind === 'timeout') return { kind: 'silent' };
      if (waited.value === undefined) return this.finish(wait.answer, signal);
    }
  }

  /**
   * Sends the request, under the address that it names, whatever the anchor's own is; `gone`: the line is. A request that
   * cannot be encrypted counts as no connection to the phone.
   */
  private async ask(
    sock: WASocket,
    { chatJid, anchor, count }: PageRequest,
    pending: Pending,
  ): Promise<'asked' | 'gone' | NoConnection> {
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

  private async finish(answer: Promise<Answer>, signal: AbortSignal | undefined): Promise<PageOutcome> {
    const waited = await waitFor(answer, Infinity, signal);
    return waited.kind === 'settled' ? waited.value : { kind: 'interrupted' };
  }

  /** Null when the device is online; a line that was lost is built again until the time is over. */
  private async reconnect(request: PageRequest, deadline: number): Promise<NoConnection | null> {
    if (this.socket !== null) return null;
    const { problem } = this;
    if (problem !== null && problem.kind !== 'offline') return problem;
    if (problem?.kind === 'offline' && (problem.reason === 'outdated' || problem.reason === 'ended'))
      return problem;
    request.onProgress?.('reconnecting');
    return this.connect(deadline, request.signal);
  }

  /** Closes a line that carries nothing any more, so that the next one can be built. */
  private async abandon(socket: DeviceSocket): Promise<void> {
    if (this.socket === socket) {
      this.socket = null;
      this.problem = { kind: 'offline', reason: 'timeout' };
    }
    await socket.end();
  }

  private open(): DeviceSocket {
    // Its own answers are read by this session, see onHistory; all else goes Baileys' way, which learns LIDs from it.
    const socket = openSocket({
      ...this.options,
      auth: this.auth.state,
      onCredentials: () => {
        this.auth.save();
      },
      shouldSyncHistory: ({ syncType }) => syncType !== ON_DEMAND,
      tap: (event, data) => {
        this.tap(socket, event, data);
      },
    });
    return socket;
  }

  private tap(socket: DeviceSocket, ...[event, data]: Parameters<EventTap>): void {
    if (isEvent('messaging-history.set', event, data)) {
      this.unasked.tap(event, data);
      this.options.onUnasked?.(rawEvent(event, data));
    }
    if (!isEvent('messages.upsert', event, data)) return;
    for (const { key, message } of data.messages) {
      // Only the own phone may send history; anybody can send a message that looks like it (CVE-2026-48063).
      if (key.fromMe !== true || message === null || message === undefined) continue;
      const notification = historyIn(message);
      if (notification?.syncType === ON_DEMAND) void this.onHistory(socket.sock, notification);
      else if (notification !== undefined) this.unasked.announce(notification);
    }
  }

  /** A page has been announced: the one that is waited for, or one that comes too late. */
  private async onHistory(
    sock: WASocket,
    notification: proto.Message.IHistorySyncNotification,
  ): Promise<void> {
    const { pending } = this;
    const id = notification.peerDataRequestSessionId ?? '';
    const isNamed = pending?.ids.has(id) === true;
    if (isNamed) pending.arrived();
    let page: ReadPage;
    try {
      page = await readPage(sock, notification, pending?.signal ?? this.options.signal);
    } catch (error) {
      if (isNamed || id === '') pending?.settle({ kind: 'download_failed', reason: messageOf(error) });
      return;
    }
    const isMeant =
      pending !== null && (isNamed || [...page.addresses].some((jid) => pending.addresses.has(jid)));
    if (!isMeant) {
      this.options.onUnasked?.(page.raw);
      return;
    }
    pending.settle(page.about(pending.addresses));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
