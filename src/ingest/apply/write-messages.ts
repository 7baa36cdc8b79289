import { rowOfState, type TrackedMessage } from '../../rules/message-book.js';
import { followRenames } from '../../store/changes/renames.js';
import {
  deletePendingFacts,
  insertPendingFacts,
  type PendingFactRow,
  relinkPendingFacts,
  replaceRevisions,
  writeReactions,
  type RevisionRow,
} from '../../store/tables/amendments.js';
import {
  deleteMessages,
  insertMessages,
  updateMessages,
  type MessageRow,
  type StoredMessageRow,
} from '../../store/tables/messages.js';
import { assertWritten } from '../../store/transactions.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/** Writes what {@link foldMessages} planned: one statement per kind of change, whatever the batch holds. */
export async function writeMessages(work: BatchWork, folded: FoldedMessages): Promise<void> {
  const { tx } = work;
  const created: TrackedMessage[] = [];
  const updates: StoredMessageRow[] = [];
  const gone: string[] = [];
  const revised: Revised = { ids: [], revisions: [] };
  for (const tracked of folded.book.all()) {
    const { stored, changed, gone: isGone } = tracked;
    if (isGone) {
      if (stored !== null) gone.push(stored.id);
    } else if (changed) {
      if (stored === null) created.push(tracked);
      else updates.push({ ...shownRow(tracked, revised), rowVersion: stored.rowVersion });
    }
  }
  // Delete the twin's row before its wamid row changes, and free an id before another row takes it.
  if (gone.length > 0) await deleteMessages(tx, gone);
  assertWritten('changed messages', updates.length, await updateMessages(tx, updates));
  const inserting = insertMessages(
    tx,
    created.map((tracked) => shownRow(tracked, revised)),
  );
  work.settings.meanwhile?.();
  assertWritten('messages', created.length, await inserting);
  await replaceRevisions(tx, revised.ids, revised.revisions);
  await followRenames(tx, folded.book.renamed);
  await writeReactions(tx, folded.reactions.changes());
  await deletePendingFacts(tx, folded.pendingDeletes);
  await insertPendingFacts(tx, distinct(folded.pendingInserts));
  await relinkPendingFacts(tx, folded.pendingInserts);
}

/** Messages with versions that do not show, and these versions. */
interface Revised {
  ids: string[];
  revisions: RevisionRow[];
}

/** The row of a message; its other versions are added to `revised`. */
function shownRow({ state, stored }: TrackedMessage, revised: Revised): MessageRow {
  const { row, revisions } = rowOfState(state);
  const hadRevisions = stored !== null && (stored.editedAt !== null || stored.deletedAt !== null);
  if (revisions.length > 0 || hadRevisions) revised.ids.push(state.id);
  for (const revision of revisions) revised.revisions.push({ messageId: state.id, ...revision });
  return row;
}

/** The same fact twice in one batch is one row; a statement must not meet a key twice. */
function distinct(rows: readonly PendingFactRow[]): PendingFactRow[] {
  const byKey = new Map(
    rows.map((row) => [[row.connectionId, row.targetExternalId, row.kind, row.factKey].join('\n'), row]),
  );
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
}
