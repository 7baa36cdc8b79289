import { readMissingChunks } from '../../store/connections.js';
import type { Context } from '../context.js';
import { findConnection } from './find.js';
import { findRecords, viewOf, type ConnectionView } from './view.js';

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

export interface ConnectionCounts {
  conversations: number;
  messages: number;
  openTickets: number;
  historyChunks: number;
  /** Statuses, edits and the like whose message is not stored yet. */
  pendingFacts: number;
}

/** All connections, or those of one organization. */
export async function listConnections(ctx: Context, organization?: string): Promise<ConnectionList> {
  const records = await findRecords(ctx.store, organization);
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
    counts: await countContents(ctx, record.id),
  };
}

export async function countContents(ctx: Context, connectionId: string): Promise<ConnectionCounts> {
  const { prisma } = ctx.store;
  const [conversations, messages, openTickets, historyChunks, pendingFacts] = await Promise.all([
    prisma.conversation.count({ where: { connectionId } }),
    prisma.message.count({ where: { connectionId } }),
    prisma.ticket.count({ where: { status: 'open', conversation: { connectionId } } }),
    prisma.historyChunk.count({ where: { connectionId } }),
    prisma.pendingFact.count({ where: { connectionId } }),
  ]);
  return { conversations, messages, openTickets, historyChunks, pendingFacts };
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
