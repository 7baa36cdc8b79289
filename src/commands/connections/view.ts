import type { ConnectionKind } from '../../model/enumerations.js';
import type { HistorySyncState } from '../../model/run-result.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';

/** A connection as commands show it. Times are RFC 3339, UTC. */
export interface ConnectionView {
  id: string;
  name: string;
  /** Slug of its organization. */
  organization: string;
  kind: ConnectionKind;
  phone: string | null;
  phoneNumberId: string | null;
  wabaId: string | null;
  historySync: HistorySyncState & { startedAt: string | null; completedAt: string | null };
  webhookActivatedAt: string | null;
  lastSyncAt: string | null;
  lastLiveEventAt: string | null;
  createdAt: string;
  /** Since when nothing is expected of it any more; null if it is in use. */
  archivedAt: string | null;
}

/** `missingChunks`: what the ledger lacks, as `phase/chunk_order`. */
export function viewOf(record: ConnectionRecord, missingChunks: readonly string[]): ConnectionView {
  return {
    id: record.id,
    name: record.name,
    organization: record.organization,
    kind: record.kind,
    phone: record.displayPhoneNumber,
    phoneNumberId: record.phoneNumberId,
    wabaId: record.wabaId,
    historySync: {
      status: record.historySyncStatus,
      phase: record.historySyncPhase,
      chunkOrder: record.historySyncChunkOrder,
      progress: record.historySyncProgress,
      missingChunks: [...missingChunks],
      ...(record.historySyncError === null ? {} : { error: record.historySyncError }),
      startedAt: time(record.historySyncStartedAt),
      completedAt: time(record.historySyncCompletedAt),
    },
    webhookActivatedAt: time(record.webhookActivatedAt),
    lastSyncAt: time(record.lastSyncAt),
    lastLiveEventAt: time(record.lastLiveEventAt),
    createdAt: new Date(record.createdAt).toISOString(),
    archivedAt: time(record.archivedAt),
  };
}

function time(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
