import { createHash } from 'node:crypto';
import type { Context } from '../../context.js';
import { applyEntries, type Applier, type Applied } from '../../ingest/apply/execute-batch.js';
import type { PreparedEntry } from '../../ingest/batch/batch.js';
import { narrowEntry } from '../../ingest/batch/narrow-entry.js';
import { prepareEntry } from '../../ingest/batch/prepare-entry.js';
import type { Tally } from '../../ingest/batch/tally.js';
import { formatOrigin, type RawEntry } from '../../model/raw-entry.js';
import type { MessageCounts } from '../../model/run-result.js';
import { RawLog, rawEntryOf, type StoredItem } from '../../rawlog/raw-log.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { markNarrowed, readReceiptTimes } from '../../store/tables/webhook-log.js';
import { endReopened, openDirectory } from '../replay/open-directory.js';

/** The outcome of an answer. */
export interface SavedPage {
  messages: Pick<MessageCounts, 'created' | 'updated' | 'unchanged'>;
  /** Messages of other people in it; the stored entries stay due for them. */
  ofOthers: number;
  /** Problems with its items. */
  problems: number;
  tally: Tally;
}

/**
 * Applies the contact's part of an answer: history, so no tickets. Its chunks have been in the raw log since they
 * arrived; what they hold of other people stays due.
 */
export async function savePage(
  ctx: Context,
  applier: Applier,
  connection: ConnectionRow,
  names: ReadonlySet<string>,
  chunks: readonly Uint8Array[],
): Promise<SavedPage> {
  const { sql } = applier.target;
  const directory = await openDirectory(
    sql,
    { register: false, connection: connection.id },
    applier.newId,
    ctx,
  );
  const origin = { kind: 'device', connection: connection.name } as const;
  const raw = await withReceiptTimes(ctx, sql, connection, chunks);
  const narrowed = raw.map((entry) =>
    narrowEntry(prepareEntry({ ...entry, origin }, null, directory, new Set()), names),
  );
  const { tally } = await applyEntries(
    ctx,
    applier,
    { settings: HISTORY, directory, claim: null },
    narrowed.map(({ entry }) => entry),
  );
  const partly = narrowed.flatMap(({ entry }) => (entry.isNarrowed === true ? [entry] : []));
  await markNarrowed(sql, applier.runId, partly);
  await endReopened(ctx, directory.erased, applier.target);
  const { created, updated, unchanged } = tally.messages;
  return {
    messages: { created, updated, unchanged },
    ofOthers: narrowed.reduce((sum, { others }) => sum + others, 0),
    problems: tally.problemCount,
    tally,
  };
}

/**
 * The chunks with the times under which the raw log has them: a message without a time takes its entry's (M7), and every
 * later reader goes by the raw log.
 */
async function withReceiptTimes(
  ctx: Context,
  sql: Sql,
  { id: connectionScope }: { id: string },
  chunks: readonly Uint8Array[],
): Promise<Pick<RawEntry, 'bytes' | 'receivedAt'>[]> {
  const hashed = chunks.map((bytes) => ({
    bytes,
    connectionScope,
    sha256: createHash('sha256').update(bytes).digest(),
  }));
  const stored = await readReceiptTimes(sql, hashed);
  return hashed.map(({ bytes, sha256 }) => {
    const known = stored.get(sha256.toString('hex'));
    const receivedAt = known === undefined ? ctx.clock() : known;
    return receivedAt === null ? { bytes } : { bytes, receivedAt };
  });
}

/** Everything that a phone sends is history, whatever the reason it was sent. */
export const HISTORY = { tickets: 'none', syncSource: 'manual_sync' } as const;

/** Pending entries stored by a connection's linked device, whatever the connection's name was then. */
export async function* deviceEntries(
  sql: Sql,
  { id }: { id: string },
  chatIds?: readonly string[],
): AsyncGenerator<StoredItem> {
  const origin = formatOrigin({ kind: 'device', connection: '' });
  const log = await RawLog.open(sql);
  for await (const stored of log.stored({
    statuses: ['pending'],
    connection: { id, phoneNumberId: null },
    ...(chatIds === undefined ? {} : { chatIds }),
  })) {
    const { connectionScope, origin: place } = stored.entry;
    if (connectionScope === id && place?.startsWith(origin) === true) yield stored;
  }
}

/**
 * Applies the contact's part of what the linked device sent besides the answers: late chunks of these and earlier
 * requests, files that failed to download before, and unrequested data.
 */
export async function applyBeside(
  ctx: Context,
  applier: Applier,
  connection: ConnectionRow,
  names: ReadonlySet<string>,
): Promise<Applied & { entries: number }> {
  const { sql } = applier.target;
  const directory = await openDirectory(
    sql,
    { register: false, connection: connection.id },
    applier.newId,
    ctx,
    'stored',
  );
  const partly: PreparedEntry[] = [];
  let count = 0;
  async function* entries(): AsyncGenerator<PreparedEntry> {
    for await (const stored of deviceEntries(sql, connection, [...names])) {
      // An entry with an error was processed before: a contact's part of it was applied.
      if (stored.entry.error !== null) continue;
      const whole = prepareEntry(rawEntryOf(stored), stored.storedAs, directory, new Set());
      const { entry } = narrowEntry(whole, names);
      if (entry.isNarrowed === true) partly.push(entry);
      count += 1;
      yield entry;
    }
  }
  const how = { settings: HISTORY, directory, claim: ['pending'] } as const;
  const applied = await applyEntries(ctx, applier, how, entries());
  await markNarrowed(sql, applier.runId, partly);
  await endReopened(ctx, directory.erased, applier.target);
  return { ...applied, entries: count };
}
