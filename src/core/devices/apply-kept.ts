import { formatOrigin } from '../../model/raw-entry.js';
import { readEntries, type StoredEntry } from '../../store/stored-entries.js';
import type { PreparedEntry } from '../batch/batch.js';
import type { ConnectionDirectory } from '../batch/connection-directory.js';
import { prepareEntry } from '../batch/prepare-entry.js';
import type { Context } from '../context.js';
import { applyEntries, type Applied, type Applier } from '../replay/apply-entries.js';

const PAGE = { limit: 100, maxBytes: 4 * 1024 * 1024 };

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
  let last: string | null = null;
  for (;;) {
    const page: StoredEntry[] = await readEntries(store.sql, selection, last, PAGE);
    for (const row of page) {
      last = row.id;
      if (row.connectionScope !== connection.id || row.origin?.startsWith(origin) !== true) continue;
      const raw = {
        bytes: row.rawBody,
        origin: { kind: 'log', id: row.id } as const,
        ...(row.receivedAt === null ? {} : { receivedAt: row.receivedAt }),
      };
      yield prepareEntry(raw, { id: row.id, connectionScope: row.connectionScope }, directory, new Set());
    }
    if (page.length === 0) return;
  }
}
