import {
  countContents,
  readConnectionRecords,
  type ConnectionCounts,
} from '../../store/tables/connections.js';
import { readMissingChunks } from '../../store/tables/history.js';
import type { Context } from '../../context.js';
import { findConnection } from './find.js';
import { viewOf, type ConnectionView } from './view.js';

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
  return {
    schemaVersion: 1,
    command: 'connection list',
    connections: records.map((record) => viewOf(record, gaps.get(record.id) ?? [])),
  };
}

/** One connection, with what it holds. Throws ConfigError when `reference` means none or several. */
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
    connection: viewOf(record, gaps.get(record.id) ?? []),
    counts: await countContents(ctx.store.sql, record.id),
  };
}

/** `phase/chunk_order` of every gap, by connection. */
export async function missingChunks(ctx: Context, ids: readonly string[]): Promise<Map<string, string[]>> {
  const gaps = new Map<string, string[]>();
  for (const { connectionId, phase, chunkOrder } of await readMissingChunks(ctx.store.sql, ids)) {
    const list = gaps.get(connectionId) ?? [];
    list.push(`${phase}/${chunkOrder}`);
    gaps.set(connectionId, list);
  }
  return gaps;
}
