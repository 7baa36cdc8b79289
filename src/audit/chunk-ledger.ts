import { isForeignChunk } from '../rules/connection-state.js';
import type { PreparedSection } from '../ingest/batch/batch.js';
import { findUnrecordedChunks, type ChunkKey } from '../store/tables/history.js';
import type { Sql } from '../store/sql.js';
import type { EntryRef } from './outcome.js';

/** Chunks that are looked up together. */
const TOGETHER = 1_000;

/** A history chunk of the raw log, and where it stands. */
export interface LoggedChunk extends ChunkKey {
  entry: EntryRef;
}

/** Compares the history chunks of the raw log with the ledger (H2): an applied chunk has its row. */
export class ChunkLedger {
  private chunks: LoggedChunk[] = [];

  constructor(
    private readonly sql: Sql,
    private readonly found: (chunk: LoggedChunk) => Promise<void>,
  ) {}

  async add({ connection, pending, section }: PreparedSection, entry: EntryRef): Promise<void> {
    // The next replay of such an entry writes it.
    if (connection === null || pending !== null || entry.isOpen) return;
    for (const fact of section.facts) {
      if (fact.kind !== 'history_chunk' || isForeignChunk(fact, connection, section.field)) continue;
      const { phase, chunkOrder } = fact;
      if (phase === undefined || chunkOrder === undefined) continue;
      this.chunks.push({ connectionId: connection.id, phase, chunkOrder, entry });
    }
    if (this.chunks.length >= TOGETHER) await this.end();
  }

  /** Looks up what was added since. */
  async end(): Promise<void> {
    const chunks = this.chunks;
    this.chunks = [];
    const unrecorded = await findUnrecordedChunks(this.sql, chunks);
    for (const chunk of chunks) if (unrecorded.has(chunkName(chunk))) await this.found(chunk);
  }
}

/** One chunk comes in several entries, and is missed once. */
export function chunkName({ connectionId, phase, chunkOrder }: ChunkKey): string {
  return `${connectionId} ${phase}/${chunkOrder}`;
}
