import { isForeignChunk } from '../../rules/connection-state.js';
import {
  deleteChunksNotHeld,
  relinkChunks,
  writeHistoryChunks,
  type HeldChunk,
} from '../../store/tables/history.js';
import type { Batch, PreparedEntry } from '../batch/batch.js';
import type { BatchWork } from './work.js';

/**
 * Writes the batch's history chunks to the ledger (H2). A row whose entry is gone names that entry again once it has come
 * again; one that names an entry of the batch which does not hold it, as another program may leave it, is deleted.
 */
export async function writeHistoryLedger(work: BatchWork, batch: Batch): Promise<void> {
  const chunks = [...work.news.values()].flatMap(({ news }) => news.historyChunks());
  if (chunks.length === 0) return;
  await writeHistoryChunks(work.tx, chunks);
  const held: HeldChunk[] = [];
  const whole = new Set<string>();
  for (const { entry, isFirst } of batch.slices) {
    const logId = work.logIds.get(entry.key);
    if (!isFirst || logId === undefined) continue;
    const own = chunksOf(entry, logId);
    held.push(...own);
    if (own.length > 0 && work.repeated.has(logId) && isWhole(entry)) whole.add(logId);
  }
  await relinkChunks(work.tx, held);
  await deleteChunksNotHeld(work.tx, [...whole], held);
}

/** Whether the chunks of an entry are all that it holds: nothing of it is left out, now or for want of a connection. */
function isWhole({ failure, refused, unrecognized, sections, isNarrowed }: PreparedEntry): boolean {
  return (
    failure === null &&
    refused.length === 0 &&
    unrecognized.length === 0 &&
    isNarrowed !== true &&
    sections.every(({ pending }) => pending === null)
  );
}

function chunksOf({ sections }: PreparedEntry, webhookLogId: string): HeldChunk[] {
  return sections.flatMap(({ section, connection, pending }) => {
    if (connection === null || pending !== null) return [];
    return section.facts.flatMap((fact): HeldChunk[] => {
      if (fact.kind !== 'history_chunk' || isForeignChunk(fact, connection, section.field)) return [];
      const { phase, chunkOrder } = fact;
      if (phase === undefined || chunkOrder === undefined) return [];
      return [{ webhookLogId, connectionId: connection.id, phase, chunkOrder }];
    });
  });
}
