import { rowOfState } from '../../rules/message-book.js';
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
  const inserts: MessageRow[] = [];
  const updates: StoredMessageRow[] = [];
  const gone: string[] = [];
  const revised: string[] = [];
  const revisions: RevisionRow[] = [];
  for (const { state, stored, changed, gone: isGone } of folded.book.all()) {
    if (isGone) {
      if (stored !== null) gone.push(stored.id);
      continue;
    }
    if (!changed) continue;
    const shown = rowOfState(state);
    if (stored === null) inserts.push(shown.row);
    else updates.push({ ...shown.row, rowVersion: stored.rowVersion });
    const hadRevisions = stored !== null && (stored.editedAt !== null || stored.deletedAt !== null);
    if (shown.revisions.length === 0 && !hadRevisions) continue;
    revised.push(state.id);
    for (const revision of shown.revisions) revisions.push({ messageId: state.id, ...revision });
  }
  // Delete the twin's row before its wamid row changes, and free an id before another row takes it.
  await deleteMessages(tx, gone);
  assertWritten('changed messages', updates.length, await updateMessages(tx, updates));
  const inserting = insertMessages(tx, inserts);
  work.settings.meanwhile?.();
  assertWritten('messages', inserts.length, await inserting);
  await replaceRevisions(tx, revised, revisions);
  await followRenames(tx, folded.book.renamed);
  await writeReactions(tx, folded.reactions.changes());
  await deletePendingFacts(tx, folded.pendingDeletes);
  await insertPendingFacts(tx, distinct(folded.pendingInserts));
  await relinkPendingFacts(tx, folded.pendingInserts);
}

/** The same fact twice in one batch is one row; a statement must not meet a key twice. */
function distinct(rows: readonly PendingFactRow[]): PendingFactRow[] {
  const byKey = new Map(
    rows.map((row) => [[row.connectionId, row.targetExternalId, row.kind, row.factKey].join('\n'), row]),
  );
  return [...byKey.keys()].sort().flatMap((key) => byKey.get(key) ?? []);
}
