import type { Context } from '../../context.js';
import type { ConnectionKind } from '../../model/enumerations.js';
import type { HistorySyncState } from '../../model/run-result.js';
import {
  countContents,
  readConnectionRecords,
  type ConnectionCounts,
  type ConnectionRecord,
} from '../../store/tables/connections.js';
import { readMissingChunks, type ChunkPlace, readOwedHistory } from '../../store/tables/history.js';
import { findConnection } from './find.js';
import { rfc3339 } from '../../model/time.js';

export type { ConnectionCounts } from '../../store/tables/connections.js';

export interface ConnectionList {
  schemaVersion: 1;
  command: 'connection list';
  connections: ConnectionView[];
}

export interface ConnectionDetails {
  schemaVersion: 1;
  command: 'connection show';
  connection: ConnectionView;
  counts: ConnectionCounts;
}

/** All connections, or those of one organization. */
export async function listConnections(ctx: Context, organization?: string): Promise<ConnectionList> {
  const records = await readConnectionRecords(ctx.store.sql, { organization });
  const gaps = await missingChunks(
    ctx,
    records.map((record) => record.id),
  );
  const files = await missingFiles(ctx);
  return {
    schemaVersion: 1,
    command: 'connection list',
    connections: records.map((record) => viewOf(record, gaps.get(record.id) ?? [], files.get(record.id))),
  };
}

/** One connection, with what it holds. Throws ConfigError if `reference` matches none or several. */
export async function showConnection(
  ctx: Context,
  reference: string,
  organization?: string,
): Promise<ConnectionDetails> {
  const record = await findConnection(ctx, reference, organization);
  const gaps = await missingChunks(ctx, [record.id]);
  return {
    schemaVersion: 1,
    command: 'connection show',
    connection: viewOf(record, gaps.get(record.id) ?? [], (await missingFiles(ctx)).get(record.id)),
    counts: await countContents(ctx.store.sql, record.id),
  };
}

/** `phase/chunk_order` of every gap, by connection. `also`: chunks that no replay has imported yet. */
export async function missingChunks(
  ctx: Context,
  ids: readonly string[],
  also: readonly ChunkPlace[] = [],
): Promise<Map<string, string[]>> {
  const gaps = new Map<string, string[]>();
  for (const { connectionId, phase, chunkOrder } of await readMissingChunks(ctx.store.sql, ids, also)) {
    const list = gaps.get(connectionId) ?? [];
    list.push(`${phase}/${chunkOrder}`);
    gaps.set(connectionId, list);
  }
  return gaps;
}

/** Number of files per connection that its phone announced and that did not arrive. */
async function missingFiles(ctx: Context): Promise<Map<string, number>> {
  const owed = await readOwedHistory(ctx.store.sql);
  return new Map(owed.map(({ connectionId, files }) => [connectionId, files]));
}

/** A connection as commands show it. Times are RFC 3339, UTC. */
export interface ConnectionView {
  id: string;
  name: string;
  /** Its organization's slug. */
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
  /** When it was archived; null if in use. */
  archivedAt: string | null;
}

/** `missingChunks`: what the ledger lacks, as `phase/chunk_order`. */
export function viewOf(
  record: ConnectionRecord,
  missingChunks: readonly string[],
  missingFiles = 0,
): ConnectionView {
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
      missingFiles,
      ...(record.historySyncError === null ? {} : { error: record.historySyncError }),
      startedAt: rfc3339(record.historySyncStartedAt),
      completedAt: rfc3339(record.historySyncCompletedAt),
    },
    webhookActivatedAt: rfc3339(record.webhookActivatedAt),
    lastSyncAt: rfc3339(record.lastSyncAt),
    lastLiveEventAt: rfc3339(record.lastLiveEventAt),
    createdAt: new Date(record.createdAt).toISOString(),
    archivedAt: rfc3339(record.archivedAt),
  };
}
