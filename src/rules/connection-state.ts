import { HISTORY_SYNC_STATUSES, type HistorySyncStatus } from '../model/enumerations.js';
import type { Fact } from '../model/facts.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import type { HistoryChunkRow } from '../store/tables/history.js';
import { higher, larger, smaller } from './merge-values.js';

/**
 * A batch's facts about one connection: its kind, its newest live event and its history (H2). They merge into the
 * stored row by maxima and ladders only, so the order of chunks, errors and announcements does not matter.
 */
export class ConnectionNews {
  private coexistence = false;
  private lastLiveEventAt: number | null = null;
  private status: HistorySyncStatus | null = null;
  private error: string | null = null;
  private progress: number | null = null;
  private newest: { phase: number; chunkOrder: number } | null = null;
  private startedAt: number | null = null;
  private completedAt: number | null = null;
  private readonly chunks = new Map<string, HistoryChunkRow>();

  constructor(private readonly connectionId: string) {}

  /** A field arrived that only a coexistence number sends. */
  markCoexistence(): void {
    this.coexistence = true;
  }

  /** `receivedAt` and `webhookLogId`: of the fact's entry. */
  addFact(fact: Fact, entry: { receivedAt: number | null; webhookLogId: string; now: number }): void {
    switch (fact.kind) {
      case 'message':
        if (fact.origin === 'live' || fact.origin === 'standby' || fact.origin === 'echo')
          this.live(fact.timestamp);
        break;
      case 'status':
        this.live(fact.at);
        break;
      case 'reaction':
        if (fact.live) this.live(fact.at);
        break;
      case 'history_state':
        this.raise(fact.status);
        if (fact.error !== undefined) this.error = largerText(this.error, fact.error);
        break;
      case 'history_chunk':
        this.addChunk(fact, entry);
        break;
      default:
        break;
    }
  }

  historyChunks(): HistoryChunkRow[] {
    return [...this.chunks.values()];
  }

  /** The connection's row with this batch's news. */
  applyTo(row: ConnectionRow): ConnectionRow {
    const becomesCoexistence = this.coexistence && row.kind === 'cloud_api';
    let status = higher(HISTORY_SYNC_STATUSES, row.historySyncStatus, this.status);
    if (becomesCoexistence) status = higher(HISTORY_SYNC_STATUSES, status, 'pending_consent');
    return {
      ...row,
      kind: becomesCoexistence ? 'coexistence' : row.kind,
      lastLiveEventAt: larger(row.lastLiveEventAt, this.lastLiveEventAt),
      historySyncStatus: status,
      historySyncStartedAt: smaller(row.historySyncStartedAt, this.startedAt),
      historySyncCompletedAt: smaller(row.historySyncCompletedAt, this.completedAt),
      historySyncProgress: larger(row.historySyncProgress, this.progress),
      historySyncError: largerText(row.historySyncError, this.error),
      ...newestChunk(row, this.newest),
    };
  }

  private addChunk(
    fact: Extract<Fact, { kind: 'history_chunk' }>,
    entry: { receivedAt: number | null; webhookLogId: string; now: number },
  ): void {
    this.raise('syncing');
    this.startedAt = smaller(this.startedAt, entry.receivedAt);
    const progress = fact.progress ?? null;
    this.progress = larger(this.progress, progress);
    if (progress !== null && progress >= 100) {
      this.raise('completed');
      this.completedAt = smaller(this.completedAt, entry.receivedAt);
    }
    if (fact.phase === undefined || fact.chunkOrder === undefined) return;
    this.newest = laterChunk(this.newest, { phase: fact.phase, chunkOrder: fact.chunkOrder });
    const key = `${fact.phase}/${fact.chunkOrder}`;
    const known = this.chunks.get(key);
    this.chunks.set(key, {
      connectionId: this.connectionId,
      phase: fact.phase,
      chunkOrder: fact.chunkOrder,
      progress: larger(known?.progress ?? null, progress),
      messages: Math.max(known?.messages ?? 0, fact.messages),
      receivedAt: smaller(known?.receivedAt ?? null, entry.receivedAt),
      processedAt: entry.now,
      webhookLogId: known?.webhookLogId ?? entry.webhookLogId,
    });
  }

  private live(at: number): void {
    this.lastLiveEventAt = larger(this.lastLiveEventAt, at);
  }

  private raise(status: HistorySyncStatus): void {
    this.status = higher(HISTORY_SYNC_STATUSES, this.status, status);
  }
}

function newestChunk(
  row: ConnectionRow,
  news: { phase: number; chunkOrder: number } | null,
): Pick<ConnectionRow, 'historySyncPhase' | 'historySyncChunkOrder'> {
  const stored =
    row.historySyncPhase === null || row.historySyncChunkOrder === null
      ? null
      : { phase: row.historySyncPhase, chunkOrder: row.historySyncChunkOrder };
  const newest = news === null ? stored : laterChunk(stored, news);
  return { historySyncPhase: newest?.phase ?? null, historySyncChunkOrder: newest?.chunkOrder ?? null };
}

function laterChunk(
  a: { phase: number; chunkOrder: number } | null,
  b: { phase: number; chunkOrder: number },
): { phase: number; chunkOrder: number } {
  if (a === null) return b;
  return b.phase > a.phase || (b.phase === a.phase && b.chunkOrder > a.chunkOrder) ? b : a;
}

function largerText(a: string | null, b: string | null): string | null {
  if (a === null) return b;
  return b === null || a >= b ? a : b;
}

/**
 * Phases sent to a linked device have their own numbering: on a number with Meta's history, they must not count as part
 * of it.
 */
export function isForeignChunk(fact: Fact, { kind }: ConnectionRow, field: string): boolean {
  return fact.kind === 'history_chunk' && kind !== 'baileys' && field !== 'history';
}
