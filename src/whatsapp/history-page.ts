import {
  downloadAndProcessHistorySyncNotification,
  isLidUser,
  jidNormalizedUser,
  type LIDMapping,
  type proto,
  type WASocket,
} from './baileys.js';
import {
  ANCHOR_TIME_UNIT_MS,
  MORE_REMAIN,
  NOTHING_OLDER,
  LAST_CHUNK_MS,
  NEXT_CHUNK_MS,
} from './assumptions.js';
import type { NoConnection } from './connect-device.js';
import { rawEvent } from './tap-events.js';
import { pause, waitFor } from './wait.js';

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
  /** From now until the phone's answer arrives; a download started by then has its own limit. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** It only completes or checks an answer: its files have what is left of the time for those of that answer. */
  isFurther?: boolean;
  /** Called at each step. */
  onProgress?: (step: 'asked' | 'reconnecting' | 'answered') => void;
}

/** Why part of an answer is missing: a file could not be downloaded, or a chunk between others never came. */
type MissingPart = 'file' | 'chunk';

/** The phone's answer to one request: everything received for it, possibly several chunks. */
export interface HistoryPage {
  kind: 'page';
  /** The chunks, each a whole `messaging-history.set` as JSON; all of them are kept already. */
  chunks: readonly Uint8Array[];
  /** Messages in them, of whatever chat. */
  messages: number;
  /** This chat's messages in them, the newest first. */
  own: readonly HistoryAnchor[];
  /** The same by chunk, the newest chunk first; chunks without any are left out. */
  parts: readonly (readonly HistoryAnchor[])[];
  /** The phone says that it has nothing older. Its absence says nothing. */
  endOfHistory: boolean;
  /** The phone says that it has older messages, also where it sends none. */
  moreRemain: boolean;
  /** Null: nothing is known to be missing. */
  missing: MissingPart | null;
}

/** How a request ended. `silent`: the phone is offline, has the chat under its other address, or refuses; which of these is unknown. */
export type PageOutcome =
  HistoryPage | { kind: 'silent' } | { kind: 'download_failed'; reason: string } | NoConnection;

/** A blob of one page is some 50 KB; a line that cannot bring it in this time will not. */
export const DOWNLOAD_TIMEOUT_MS = 60_000;
/** A download taking longer than this is reported. */
const SLOW_DOWNLOAD_MS = 5_000;

type ProcessedHistory = Awaited<ReturnType<typeof downloadAndProcessHistorySyncNotification>>;

/** A page as it came, requested or not. */
export interface ReadPage {
  raw: Uint8Array;
  messages: number;
  /** Every chat and address that it is about, normalized. */
  addresses: ReadonlySet<string>;
  /** Its number among the chunks of its answer, if the phone gives one. */
  chunkOrder: number | null;
  /** What it holds of a chat under these addresses. */
  about(addresses: ReadonlySet<string>): ChatPart;
}

/** One chat's part of a chunk. */
interface ChatPart {
  /** Its messages, as anchors. */
  messages: readonly HistoryAnchor[];
  /** The phone says that it has nothing older. */
  endOfHistory: boolean;
  /** The phone says that it has more. */
  moreRemain: boolean;
}

/**
 * Downloads and reads what a notification announces, with Baileys' own functions but outside its event buffer, which cuts
 * pages and swallows errors. Throws what the download throws, and when `signal` is aborted.
 */
export async function readPage(
  sock: WASocket,
  notification: proto.Message.IHistorySyncNotification,
  signal: AbortSignal,
): Promise<ReadPage> {
  const download = downloadAndProcessHistorySyncNotification(notification, { signal });
  // An abandoned one may still fail, and nothing awaits it.
  download.catch(() => undefined);
  // Baileys passes the signal only to the request: a body that never ends would block the import forever.
  const ended = await waitFor(download, Infinity, signal);
  if (ended.kind !== 'settled')
    throw signal.reason instanceof Error ? signal.reason : new Error('the download was given up');
  const set = ended.value;
  const pairs = [...set.lidPnMappings, ...(await learnPairs(sock, set))];
  const raw = rawEvent('messaging-history.set', {
    ...set,
    lidPnMappings: pairs,
    chunkOrder: notification.chunkOrder ?? null,
    peerDataRequestSessionId: notification.peerDataRequestSessionId ?? null,
  });
  const addressesOf = (...jids: (string | null | undefined)[]): string[] =>
    jids.flatMap((jid) => (jid === null || jid === undefined || jid === '' ? [] : [jidNormalizedUser(jid)]));
  /** These addresses, and the other ones of the same people, as far as the page tells. */
  const withOthers = (addresses: Iterable<string>): Set<string> => {
    const all = new Set(addresses);
    for (const { lid, pn } of pairs) {
      const pair = addressesOf(lid, pn);
      if (pair.some((jid) => all.has(jid))) for (const jid of pair) all.add(jid);
    }
    return all;
  };
  return {
    raw,
    messages: set.messages.length,
    chunkOrder: notification.chunkOrder ?? null,
    addresses: withOthers([
      ...set.chats.flatMap(({ id, pnJid, lidJid }) => addressesOf(id, pnJid, lidJid)),
      ...set.messages.flatMap(({ key }) => addressesOf(key.remoteJid)),
    ]),
    about: (asked) => {
      const addresses = withOthers(asked);
      const isMeant = (...jids: (string | null | undefined)[]): boolean =>
        addressesOf(...jids).some((jid) => addresses.has(jid));
      const own = set.messages.flatMap((message) =>
        isMeant(message.key.remoteJid) ? (anchorOf(message) ?? []) : [],
      );
      const said = set.chats.flatMap(({ id, pnJid, lidJid, endOfHistoryTransferType }) =>
        isMeant(id, pnJid, lidJid) ? (endOfHistoryTransferType ?? []) : [],
      );
      return {
        messages: own,
        endOfHistory: said.includes(NOTHING_OLDER),
        moreRemain: said.some((value) => MORE_REMAIN.has(value)),
      };
    },
  };
}

/**
 * Learns the LID of each number from a page, and adds what earlier messages said about its LIDs. A failure here must
 * not cost the page: it is confirmed to WhatsApp, and must be kept.
 */
async function learnPairs(sock: WASocket, set: ProcessedHistory): Promise<LIDMapping[]> {
  try {
    if (set.lidPnMappings.length > 0)
      await sock.signalRepository.lidMapping.storeLIDPNMappings(set.lidPnMappings);
    return await knownPairs(sock, set);
  } catch {
    return [];
  }
}

/** What this device knows from earlier messages about LIDs that the page does not resolve. */
async function knownPairs(
  sock: WASocket,
  { chats, messages, lidPnMappings }: ProcessedHistory,
): Promise<LIDMapping[]> {
  const told = new Set([
    ...lidPnMappings.map(({ lid }) => jidNormalizedUser(lid)),
    ...chats.flatMap(({ id, pnJid }) => (typeof id === 'string' && typeof pnJid === 'string' ? [id] : [])),
  ]);
  const ids = [...chats.map(({ id }) => id), ...messages.map(({ key }) => key.remoteJid)];
  const unknown = ids.flatMap((id) =>
    typeof id === 'string' && isLidUser(id) === true && !told.has(id) ? [id] : [],
  );
  if (unknown.length === 0) return [];
  const known = await sock.signalRepository.lidMapping.getPNsForLIDs([...new Set(unknown)]);
  // They come with a device: `5511…:0@s.whatsapp.net`.
  return (known ?? []).map(({ lid, pn }) => ({ lid: jidNormalizedUser(lid), pn: jidNormalizedUser(pn) }));
}

function anchorOf({ key, messageTimestamp }: proto.IWebMessageInfo): HistoryAnchor | undefined {
  const seconds = Number(messageTimestamp ?? 0);
  const { id, remoteJid, fromMe } = key ?? {};
  if (typeof id !== 'string' || typeof remoteJid !== 'string' || id === '' || seconds <= 0) return undefined;
  return { id, remoteJid, fromMe: fromMe === true, timestampMs: seconds * ANCHOR_TIME_UNIT_MS };
}

function newestFirst(anchors: readonly HistoryAnchor[]): HistoryAnchor[] {
  return anchors.toSorted((a, b) => b.timestampMs - a.timestampMs);
}

/** How often it is looked whether the answer has come. */
const LOOK_MS = 20;

/** The request that waits for its answer, and what has come of it so far. */
export class PendingAnswer {
  /** Under which ids the request was sent. */
  readonly ids = new Set<string>();
  private readonly addresses: ReadonlySet<string>;
  private readonly chunks: ReadPage[] = [];
  private readonly failures: string[] = [];
  private reading = 0;
  private lastSign = performance.now();
  private isOver = false;

  constructor(readonly request: PageRequest) {
    const { chatJid, otherJid } = request;
    this.addresses = new Set(
      [chatJid, ...(otherJid === undefined ? [] : [otherJid])].map((jid) => jidNormalizedUser(jid)),
    );
  }

  /** The phone has announced something that is, or may be, of this answer: from now on only its download takes time. */
  get isArriving(): boolean {
    return this.reading > 0 || this.chunks.length + this.failures.length > 0;
  }

  /** A chunk is being read that may be of this answer. */
  begin(): void {
    if (!this.isArriving) this.request.onProgress?.('answered');
    this.reading += 1;
  }

  /**
   * A chunk was read. True when it is of this answer: it names the request, or is about the chat. What comes after the answer
   * was handed on is not: it is stored like everything else, and applied from the raw log.
   */
  add(page: ReadPage, isNamed: boolean): boolean {
    this.reading -= 1;
    if (this.isOver) return false;
    if (!isNamed && ![...page.addresses].some((jid) => this.addresses.has(jid))) return false;
    this.chunks.push(page);
    this.lastSign = performance.now();
    return true;
  }

  /** A chunk could not be downloaded; `isOwn`: it is, or may be, part of this answer. */
  fail(reason: string, isOwn: boolean): void {
    this.reading -= 1;
    if (!isOwn) return;
    this.failures.push(reason);
    this.lastSign = performance.now();
  }

  /**
   * Waits until the answer is whole. Once something of it has arrived, neither the deadline counts nor the line: only its
   * downloads take time, which has an end of its own. `onSlow` is told once of files that take long.
   */
  async wait(
    closed: Promise<unknown>,
    deadline: number,
    onSlow: (files: number) => void = () => undefined,
  ): Promise<'whole' | 'closed' | 'silent' | 'interrupted'> {
    const line = { isClosed: false };
    void closed.then(() => {
      line.isClosed = true;
    });
    let slowSince: number | undefined;
    for (;;) {
      if (this.isWhole()) return 'whole';
      if (this.reading > 0) slowSince ??= performance.now();
      if (slowSince !== undefined && performance.now() - slowSince >= SLOW_DOWNLOAD_MS) {
        onSlow(this.reading);
        slowSince = Number.POSITIVE_INFINITY;
      }
      if (!this.isArriving && line.isClosed) return 'closed';
      if (!this.isArriving && performance.now() >= deadline) return 'silent';
      if (!(await pause(LOOK_MS, this.request.signal))) return 'interrupted';
    }
  }

  /** Whether all of it seems to be here. */
  private isWhole(): boolean {
    if (this.reading > 0 || this.chunks.length + this.failures.length === 0) return false;
    if (this.own().length >= this.request.count) return true;
    const isLast = this.endOfHistory() || this.chunks.length === 0;
    return performance.now() - this.lastSign >= (isLast ? LAST_CHUNK_MS : NEXT_CHUNK_MS);
  }

  /** The answer as it is now; null when nothing of it has come. From now on nothing is added. */
  take(): PageOutcome | null {
    this.isOver = true;
    const [failure] = this.failures;
    if (this.chunks.length === 0)
      return failure === undefined ? null : { kind: 'download_failed', reason: failure };
    return {
      kind: 'page',
      chunks: this.chunks.map(({ raw }) => raw),
      messages: this.chunks.reduce((sum, { messages }) => sum + messages, 0),
      own: this.own(),
      parts: this.parts(),
      endOfHistory: this.endOfHistory(),
      moreRemain: this.chunks.some((chunk) => chunk.about(this.addresses).moreRemain),
      missing: this.missing(),
    };
  }

  private own(): HistoryAnchor[] {
    const all = this.chunks.flatMap((chunk) => chunk.about(this.addresses).messages);
    const unique = new Map(all.map((anchor) => [`${String(anchor.fromMe)} ${anchor.id}`, anchor]));
    return newestFirst([...unique.values()]);
  }

  private parts(): HistoryAnchor[][] {
    const parts = this.chunks.map((chunk) => newestFirst(chunk.about(this.addresses).messages));
    return parts
      .filter((part) => part.length > 0)
      .toSorted(([a], [b]) => (b?.timestampMs ?? 0) - (a?.timestampMs ?? 0));
  }

  private endOfHistory(): boolean {
    return this.chunks.some((chunk) => chunk.about(this.addresses).endOfHistory);
  }

  private missing(): MissingPart | null {
    if (this.failures.length > 0 || this.reading > 0) return 'file';
    const orders = this.chunks.flatMap(({ chunkOrder }) => chunkOrder ?? []).toSorted((a, b) => a - b);
    if (orders.length < this.chunks.length) return null;
    // Counted from 0 or from 1.
    const isGapless = orders.every((order, at) => order <= (orders[at - 1] ?? 0) + 1);
    return isGapless ? null : 'chunk';
  }
}
