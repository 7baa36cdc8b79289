import { amount } from '../../model/amount.js';
import type { Context } from '../../context.js';
import { UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { violatedConstraint } from '../../store/sql-state.js';
import {
  countContents,
  deleteConnection,
  readConnectionRecords,
  setArchived,
} from '../../store/tables/connections.js';
import { readDevice } from '../../store/tables/linked-devices.js';
import { findConnection } from './find.js';
import { viewOf, type ConnectionView, missingChunks } from './list.js';

export interface RemoveConnectionResult {
  schemaVersion: 1;
  command: 'connection remove';
  removed: ConnectionView;
}

/**
 * What `remove` would delete. Throws ConfigError for an unknown connection, and UserError if it must stay: messages are
 * never deleted, so a connection with messages cannot go.
 */
export async function planRemoval(
  ctx: Context,
  reference: string,
  organization?: string,
): Promise<ConnectionView> {
  const record = await findConnection(ctx, reference, organization);
  const { conversations, messages } = await countContents(ctx.store.sql, record.id);
  if (conversations > 0) {
    throw new UserError(
      `The connection '${record.name}' has ${amount(conversations, 'conversation')} with ${amount(messages, 'message')}, and messages are never deleted.`,
      {
        remedy: [
          'Archive it: it raises no more alerts then, and its messages stay.',
          remedy('connection archive', [record.id], 'archives it'),
        ],
        code: 'connection_in_use',
      },
    );
  }
  if ((await readDevice(ctx.store.sql, record.id)) !== null) {
    throw new UserError(`The connection '${record.name}' has a linked device.`, {
      remedy: [
        'Unlink it first: its keys would be lost here and stay valid on the phone.',
        remedy('unlink', ['--connection', record.id], 'unlinks it here and on the phone'),
      ],
      code: 'connection_linked',
    });
  }
  return viewOf(record, []);
}

/**
 * Removes a connection that {@link planRemoval} allowed, with its bookkeeping. The raw entries stay in webhook_log, so
 * re-adding it and `replay --all` restores everything.
 */
export async function removeConnection(
  ctx: Context,
  connection: ConnectionView,
): Promise<RemoveConnectionResult> {
  try {
    await ctx.store.transaction((tx) => deleteConnection(tx, connection.id));
  } catch (error) {
    // Conversations have no cascade: one that a concurrent replay added rolls everything back, and is the reason to
    // report.
    if (violatedConstraint(error)?.kind === 'foreign_key') await planRemoval(ctx, connection.id);
    throw error;
  }
  return { schemaVersion: 1, command: 'connection remove', removed: connection };
}

/** The JSON of `connection archive` and `connection unarchive`, `schemaVersion` 1. */
interface ArchivedConnection {
  schemaVersion: 1;
  command: 'connection archive' | 'connection unarchive';
  connection: ConnectionView;
  /** False if it already was. */
  changed: boolean;
}

/**
 * Archives a connection, or puts it back into use. An archived connection is expected to be silent: it raises no
 * silence or history alert. Its messages stay, entries that name it are still filed, and losses still count. Throws
 * ConfigError if `reference` matches none or several.
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
