import {
  CONNECTION_KINDS,
  HISTORY_SYNC_STATUSES,
  type ConnectionKind,
  type HistorySyncStatus,
} from '../../model/enumerations.js';
import type { HistorySyncState } from '../../model/run-result.js';
import type { Store } from '../../store/store.js';

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

/** What the typed client gives for a connection with its organization's slug. */
export type ConnectionRecord = NonNullable<Awaited<ReturnType<typeof findRecord>>>;

const WITH_ORGANIZATION = { organization: { select: { slug: true } } } as const;

export function findRecord(store: Store, id: string) {
  return store.prisma.connection.findUnique({ where: { id }, include: WITH_ORGANIZATION });
}

/** Every connection, or those of one organization, by organization and name. */
export function findRecords(store: Store, organization?: string): Promise<ConnectionRecord[]> {
  return store.prisma.connection.findMany({
    ...(organization === undefined ? {} : { where: { organization: { slug: organization } } }),
    include: WITH_ORGANIZATION,
    orderBy: [{ organization: { slug: 'asc' } }, { name: 'asc' }],
  });
}

/** `missingChunks`: what the ledger lacks, as `phase/chunk_order`. */
export function viewOf(record: ConnectionRecord, missingChunks: readonly string[]): ConnectionView {
  return {
    id: record.id,
    name: record.name,
    organization: record.organization.slug,
    kind: kindOf(record.kind),
    phone: record.displayPhoneNumber,
    phoneNumberId: record.phoneNumberId,
    wabaId: record.wabaId,
    historySync: {
      status: historyStatusOf(record.historySyncStatus),
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
    createdAt: record.createdAt.toISOString(),
    archivedAt: time(record.archivedAt),
  };
}

/** A check constraint holds the same words, so anything else is a bug. */
export function kindOf(word: string): ConnectionKind {
  return oneOf(CONNECTION_KINDS, word);
}

export function historyStatusOf(word: string): HistorySyncStatus {
  return oneOf(HISTORY_SYNC_STATUSES, word);
}

function oneOf<W extends string>(words: readonly W[], word: string): W {
  const found = words.find((candidate) => candidate === word);
  if (found === undefined)
    throw new TypeError(`the database holds '${word}', which is none of ${words.join(', ')}`);
  return found;
}

function time(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
