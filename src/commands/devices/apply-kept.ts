import { formatOrigin } from '../../model/raw-entry.js';
import type { PreparedEntry } from '../../ingest/batch/batch.js';
import type { ConnectionDirectory } from '../../ingest/batch/connection-directory.js';
import { prepareEntry } from '../../ingest/batch/prepare-entry.js';
import type { Context } from '../../context.js';
import { RawLog, rawEntryOf } from '../../rawlog/raw-log.js';
import { applyEntries, type Applied, type Applier } from '../../ingest/apply/apply-entries.js';

/**
 * Replays what the linked device has brought and nobody has replayed, this time or before a kill: as history, so no tickets.
 */
export function applyKept(
  ctx: Context,
  applier: Applier,
  connection: { id: string },
  directory: ConnectionDirectory,
): Promise<Applied> {
  return applyEntries(
    ctx,
    applier,
    { settings: { tickets: 'none', syncSource: 'manual_sync' }, directory, claim: ['pending'] },
    keptEntries(ctx, connection, directory),
  );
}

async function* keptEntries(
  { store }: Context,
  connection: { id: string },
  directory: ConnectionDirectory,
): AsyncGenerator<PreparedEntry> {
  // Whatever the connection was called then.
  const origin = formatOrigin({ kind: 'device', connection: '' });
  const selection = {
    statuses: ['pending'],
    connection: { id: connection.id, phoneNumberId: null },
  } as const;
  const log = await RawLog.open(store.sql);
  for await (const stored of log.stored(selection)) {
    const { connectionScope, origin: place } = stored.entry;
    if (connectionScope !== connection.id || place?.startsWith(origin) !== true) continue;
    yield prepareEntry(rawEntryOf(stored), stored.storedAs, directory, new Set());
  }
}
