import {
  deletePendingFacts,
  deleteReactions,
  readPendingFacts,
  readReactions,
  replaceRevisions,
  writeReactions,
  type PendingFactRow,
  type RevisionRow,
} from '../../store/amendments.js';
import { assertWritten } from '../../store/batch-lock.js';
import {
  adoptOrigins,
  keepUnknownMedia,
  readUnknownMedia,
  renameContexts,
} from '../../store/merge-messages.js';
import {
  deleteUnchangedMessages,
  updateMessages,
  type MessageKey,
  type StoredMessageRow,
} from '../../store/messages.js';
import type { Sql } from '../../store/sql.js';
import { renameTicketOpeners } from '../../store/tickets.js';
import { applyAmendment, payloadOfPending, ReactionBook } from '../plan/amendments.js';
import { keyOf, rowOfState, type Leaf } from '../plan/message-book.js';
import type { Revision } from '../plan/message-projection.js';
import { stableJson } from '../plan/stable-json.js';
import type { Merge } from './merge-candidates.js';
import { settleThreads } from './settle-threads.js';

/**
 * Writes merges: the rows that go, the rows that stay with all that is known, and what named the former. Set-based, inside the
 * batch's transaction and its journal. Gives the number of rows changed besides those that went.
 */
export async function writeMerges(tx: Sql, merges: readonly Merge[]): Promise<number> {
  const reactions = await applyWaiting(tx, merges);
  const ids = merges.flatMap(({ kept, lost }) => [kept.row.id, ...lost.map(({ row }) => row.id)]);
  const unknownMedia = await readUnknownMedia(tx, ids);

  const lost = merges.flatMap((merge) => merge.lost.map(({ row }) => row));
  assertWritten('doubles', lost.length, await deleteUnchangedMessages(tx, lost));
  const updates: StoredMessageRow[] = [];
  const revised: string[] = [];
  const revisions: RevisionRow[] = [];
  for (const { kept, state } of merges) {
    const shown = rowOfState(state);
    if (differs(kept.row, shown.row)) updates.push({ ...shown.row, rowVersion: kept.row.rowVersion });
    if (sameRevisions(kept.revisions, shown.revisions)) continue;
    revised.push(kept.row.id);
    for (const revision of shown.revisions) revisions.push({ messageId: kept.row.id, ...revision });
  }
  assertWritten('messages', updates.length, await updateMessages(tx, updates));
  await replaceRevisions(tx, revised, revisions);
  await keepUnknownMedia(
    tx,
    merges.map((merge) => ({ kept: merge.kept.row.id, lost: merge.lost.map(({ row }) => row.id) })),
    unknownMedia,
  );
  await adoptOrigins(tx, newOrigins(merges));
  const followed = await followRenames(tx, merges);
  await writeReactions(tx, reactions.changes());
  const settled = await settleThreads(tx, merges);
  return updates.length + followed + settled;
}

/** Facts that waited for one of the rows' ids are applied: their message is there. */
async function applyWaiting(tx: Sql, merges: readonly Merge[]): Promise<ReactionBook> {
  const targets = new Map<string, MessageKey>();
  const leaves = new Map<string, Leaf>();
  for (const { kept, lost, state } of merges) {
    const leaf: Leaf = { state, stored: kept.row, changed: true, gone: false };
    for (const { row } of [kept, ...lost]) {
      for (const id of [row.externalId, row.stanzaId]) {
        if (id === null || id === '') continue;
        const key = keyOf(row.connectionId, id);
        targets.set(key, { connectionId: row.connectionId, id });
        leaves.set(key, leaf);
      }
    }
  }
  const waiting = await readPendingFacts(tx, [...targets.values()]);
  if (waiting.length === 0) return new ReactionBook([]);
  const named = waiting.flatMap((row) => {
    const state = leaves.get(keyOf(row.connectionId, row.targetExternalId))?.state;
    return state === undefined ? [] : [{ connectionId: state.connectionId, id: state.externalId }];
  });
  const reactions = new ReactionBook(await readReactions(tx, named));
  const applied: PendingFactRow[] = [];
  for (const row of waiting) {
    const leaf = leaves.get(keyOf(row.connectionId, row.targetExternalId));
    const payload = payloadOfPending(row);
    if (leaf === undefined || payload === null) continue;
    applyAmendment(payload, leaf, reactions);
    applied.push(row);
  }
  await deletePendingFacts(tx, applied);
  return reactions;
}

/** A key id that became a wamid takes along its reactions, its ticket and the replies to it (M10). */
async function followRenames(tx: Sql, merges: readonly Merge[]): Promise<number> {
  const renames = merges.flatMap(({ kept: { row }, state, renamed }) =>
    renamed === null
      ? []
      : [
          {
            connectionId: row.connectionId,
            conversationId: row.conversationId,
            from: renamed,
            to: state.externalId,
          },
        ],
  );
  if (renames.length === 0) return 0;
  const to = new Map(renames.map((rename) => [keyOf(rename.connectionId, rename.from), rename.to]));
  const old = renames.map((rename) => ({ connectionId: rename.connectionId, id: rename.from }));
  const reactions = await readReactions(tx, old);
  await writeReactions(
    tx,
    reactions.map((row) => ({
      ...row,
      targetExternalId: to.get(keyOf(row.connectionId, row.targetExternalId)) ?? row.targetExternalId,
    })),
  );
  await deleteReactions(tx, old);
  await renameTicketOpeners(tx, renames);
  return reactions.length + (await renameContexts(tx, renames));
}

function newOrigins(
  merges: readonly Merge[],
): { id: string; batchId: string | null; runId: string | null }[] {
  return merges.flatMap(({ kept: { row }, state }) =>
    state.batchId === row.batchId && state.runId === row.runId
      ? []
      : [{ id: row.id, batchId: state.batchId, runId: state.runId }],
  );
}

/** What `updateMessages` would change. */
function differs(stored: StoredMessageRow, row: Omit<StoredMessageRow, 'rowVersion'>): boolean {
  const { media, rawMeta, ...plain } = row;
  return (
    textOfJson(stored.media) !== textOfJson(media) ||
    textOfJson(stored.rawMeta) !== textOfJson(rawMeta) ||
    PLAIN.some((key) => stored[key] !== plain[key])
  );
}

const PLAIN = [
  'externalId',
  'stanzaId',
  'direction',
  'type',
  'body',
  'contextExternalId',
  'timestamp',
  'status',
  'historyStatus',
  'source',
  'syncSource',
  'isSyncInitial',
  'editedAt',
  'editExternalId',
  'deletedAt',
  'metaConfirmedAt',
  'evidence',
] as const;

function sameRevisions(a: readonly Revision[], b: readonly Revision[]): boolean {
  const text = (revisions: readonly Revision[]): string => revisions.map(textOfRevision).sort().join('\n');
  return a.length === b.length && text(a) === text(b);
}

function textOfRevision({ version, type, body, media, rawMeta, at }: Revision): string {
  return JSON.stringify([version, type, body, textOfJson(media), textOfJson(rawMeta), at]);
}

function textOfJson(value: object | null): string {
  return value === null ? 'null' : stableJson({ ...value });
}
