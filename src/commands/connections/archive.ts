import { readConnectionRecords, setArchived } from '../../store/tables/connections.js';
import type { Context } from '../../context.js';
import { findConnection } from './find.js';
import { missingChunks } from './list.js';
import { viewOf, type ConnectionView } from './view.js';

/** The JSON of `connection archive` and `connection unarchive`, `schemaVersion` 1. */
interface ArchivedConnection {
  schemaVersion: 1;
  command: 'connection archive' | 'connection unarchive';
  connection: ConnectionView;
  /** False if it was so already. */
  changed: boolean;
}

/**
 * Retires a connection, or puts it back to use. Nothing is expected of an archived one any more: it raises no alert of
 * silence or of history. Its messages stay, entries that name it are still filed, and what it loses is still lost.
 * Throws ConfigError when `reference` means none or several.
 */
export async function archiveConnection(
  ctx: Context,
  reference: string,
  archived: boolean,
  organization?: string,
): Promise<ArchivedConnection> {
  const before = await findConnection(ctx, reference, organization);
  const changed = (before.archivedAt !== null) !== archived;
  if (changed) {
    await setArchived(ctx.store.sql, before.id, archived ? ctx.clock() : null);
  }
  const record = (await readConnectionRecords(ctx.store.sql, { id: before.id }))[0] ?? before;
  return {
    schemaVersion: 1,
    command: archived ? 'connection archive' : 'connection unarchive',
    connection: viewOf(record, (await missingChunks(ctx, [before.id])).get(before.id) ?? []),
    changed,
  };
}
