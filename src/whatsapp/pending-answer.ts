import { jidNormalizedUser } from '@whiskeysockets/baileys';
import { LAST_CHUNK_MS, NEXT_CHUNK_MS } from './assumptions.js';
import type { ReadPage } from './history-page-reader.js';
import type { HistoryAnchor, MissingPart, PageOutcome, PageRequest } from './history-page.js';
import { pause } from './wait.js';

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
   * was handed on is not: it is kept like everything else, and applied by whoever looks into the raw log.
   */
  add(page: ReadPage, isNamed: boolean): boolean {
    this.reading -= 1;
    if (this.isOver) return false;
    if (!isNamed && ![...page.addresses].some((jid) => this.addresses.has(jid))) return false;
    this.chunks.push(page);
    this.lastSign = performance.now();
    return true;
  }

  /** A chunk could not be had; `isOwn`: it is, or may be, of this answer. */
  fail(reason: string, isOwn: boolean): void {
    this.reading -= 1;
    if (!isOwn) return;
    this.failures.push(reason);
    this.lastSign = performance.now();
  }

  /**
   * Waits until the answer is whole. Once something of it has arrived, neither the deadline counts nor the line: only its
   * downloads take time, which has an end of its own.
   */
  async wait(
    closed: Promise<unknown>,
    deadline: number,
  ): Promise<'whole' | 'closed' | 'silent' | 'interrupted'> {
    const line = { isClosed: false };
    void closed.then(() => {
      line.isClosed = true;
    });
    for (;;) {
      if (this.isWhole()) return 'whole';
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
      endOfHistory: this.endOfHistory(),
      missing: this.missing(),
    };
  }

  private own(): HistoryAnchor[] {
    const all = this.chunks.flatMap((chunk) => chunk.about(this.addresses).messages);
    const unique = new Map(all.map((anchor) => [`${String(anchor.fromMe)} ${anchor.id}`, anchor]));
    return [...unique.values()].toSorted((a, b) => b.timestampMs - a.timestampMs);
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
