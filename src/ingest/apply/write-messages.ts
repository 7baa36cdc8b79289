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
import { allOf, assertWritten, underWay } from '../../store/transactions.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/** Messages of one statement: while the database stores them, the next ones are put together. */
const ROWS_AT_ONCE = 1000;

/** Writes what {@link foldMessages} planned: one statement per kind of change, and few for the new rows. */
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
  const inserts: Promise<number>[] = [];
  for (let at = 0; at < created.length; at += ROWS_AT_ONCE) {
    const rows = created.slice(at, at + ROWS_AT_ONCE).map((tracked) => shownRow(tracked, revised));
    inserts.push((await underWay(insertMessages(tx, rows))).part);
  }
  work.settings.meanwhile?.();
  const written = (await allOf(inserts)).reduce((sum, rows) => sum + rows, 0);
  assertWritten('messages', created.length, written);
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
