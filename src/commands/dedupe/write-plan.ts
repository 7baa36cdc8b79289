import type { JsonObject } from '../../model/json.js';
import type { JournalScope } from '../../store/journal/journal.js';
import type { Sql } from '../../store/sql.js';
import type { MessageKey, StoredMessageRow } from '../../store/tables/messages.js';
import {
  readPendingFacts,
  type PendingFactRow,
  readReactions,
  type RevisionRow,
} from '../../store/tables/amendments.js';
import { applyAmendment, payloadOfPending, ReactionBook } from '../../rules/amendments.js';
import { keyOf, rowOfState, type TrackedMessage } from '../../rules/message-book.js';
import { ORIGINAL_VERSION } from '../../rules/message-projection.js';
import type { Candidate } from './candidate.js';
import { differs, sameRevisions } from './compare-rows.js';
import type { Merge } from './merge-candidates.js';
import { findMoved, type MovedThreads } from './moved-threads.js';

/** Everything that merges will write; nothing is written yet. */
export interface WritePlan {
  lost: readonly StoredMessageRow[];
  updates: readonly StoredMessageRow[];
  /** Messages whose revisions are replaced. */
  revised: readonly string[];
  revisions: readonly RevisionRow[];
  origins: readonly { id: string; batchId: string | null; runId: string | null }[];
  unknownMedia: readonly { id: string; media: JsonObject }[];
  renames: readonly { connectionId: string; conversationId: string; from: string; to: string }[];
  /** Facts that waited for one of the rows' ids and are in the merged state now. */
  applied: readonly PendingFactRow[];
  reactions: ReactionBook;
  moved: MovedThreads;
  /** What has to be journaled. */
  scope: JournalScope;
}

/** Plans the writes of a batch's merges, and looks up what else they touch. */
export async function planWrites(tx: Sql, merges: readonly Merge[]): Promise<WritePlan> {
  const waiting = await applyWaiting(tx, merges);
  const moved = await findMoved(tx, merges);
  const updates: StoredMessageRow[] = [];
  const revised: string[] = [];
  const revisions: RevisionRow[] = [];
  for (const { kept, lost, state } of merges) {
    const shown = rowOfState(state);
    // Nobody knows what it said first: an edit is not put in its place.
    if (![kept, ...lost].some(({ originalKnown }) => originalKnown)) {
      shown.revisions = shown.revisions.filter(({ version }) => version !== ORIGINAL_VERSION);
    }
    shown.row.editedAt ??= editedWithoutId([kept, ...lost]);
    if (differs(kept.row, shown.row)) updates.push({ ...shown.row, rowVersion: kept.row.rowVersion });
    if (sameRevisions(kept.revisions, shown.revisions)) continue;
    revised.push(kept.row.id);
    for (const revision of shown.revisions) revisions.push({ messageId: kept.row.id, ...revision });
  }
  const origins = newOrigins(merges);
  const unknownMedia = merges.flatMap(unknownMediaOf);
  const changed = new Set([...updates, ...origins, ...unknownMedia].map(({ id }) => id).concat(revised));
  return {
    lost: merges.flatMap((merge) => merge.lost.map(({ row }) => row)),
    updates,
    revised,
    revisions,
    origins,
    unknownMedia,
    renames: merges.flatMap(renameOf),
    applied: waiting.applied,
    reactions: waiting.reactions,
    moved,
    scope: scopeOf(merges, changed, waiting.touched, moved),
  };
}

interface Waiting {
  applied: PendingFactRow[];
  reactions: ReactionBook;
  touched: Set<Merge>;
}

/** Facts that waited for one of the rows' ids are applied: their message is there. */
async function applyWaiting(tx: Sql, merges: readonly Merge[]): Promise<Waiting> {
  const targets = new Map<string, MessageKey>();
  const owners = new Map<string, Merge>();
  for (const merge of merges) {
    for (const { row } of [merge.kept, ...merge.lost]) {
      for (const id of [row.externalId, row.stanzaId]) {
        if (id === null || id === '') continue;
        const key = keyOf(row.connectionId, id);
        targets.set(key, { connectionId: row.connectionId, id });
        owners.set(key, merge);
      }
    }
  }
  const rows = await readPendingFacts(tx, [...targets.values()]);
  const named = rows.flatMap((row) => {
    const state = owners.get(keyOf(row.connectionId, row.targetExternalId))?.state;
    return state === undefined ? [] : [{ connectionId: state.connectionId, id: state.externalId }];
  });
  const waiting: Waiting = {
    applied: [],
    reactions: new ReactionBook(await readReactions(tx, named)),
    touched: new Set(),
  };
  for (const row of rows) {
    const merge = owners.get(keyOf(row.connectionId, row.targetExternalId));
    const payload = payloadOfPending(row);
    if (merge === undefined || payload === null) continue;
    const tracked: TrackedMessage = {
      state: merge.state,
      stored: merge.kept.row,
      changed: true,
      gone: false,
    };
    applyAmendment(payload, tracked, waiting.reactions);
    waiting.applied.push(row);
    waiting.touched.add(merge);
  }
  return waiting;
}

/** Programs that overwrite an edited text tell when, and of no edit that could be a version: the newest such time. */
function editedWithoutId(rows: readonly Candidate[]): number | null {
  const times = rows.flatMap(({ row }) => (row.editExternalId === null ? (row.editedAt ?? []) : []));
  return times.length === 0 ? null : Math.max(...times);
}

function newOrigins(merges: readonly Merge[]): WritePlan['origins'] {
  return merges.flatMap(({ kept: { row }, state }) =>
    state.batchId === row.batchId && state.runId === row.runId
      ? []
      : [{ id: row.id, batchId: state.batchId, runId: state.runId }],
  );
}

/** Of the row that stays, and of those that go where the former has no such key. */
function unknownMediaOf({ kept, lost }: Merge): { id: string; media: JsonObject }[] {
  const known = [kept, ...lost].flatMap(({ row }) => (row.unknownMedia === null ? [] : [row.unknownMedia]));
  const media = known.reduceRight<JsonObject>((all, one) => ({ ...all, ...one }), {});
  return known.length === 0 ? [] : [{ id: kept.row.id, media }];
}

function renameOf({ kept: { row }, state, renamed }: Merge): WritePlan['renames'] {
  const { connectionId, conversationId } = row;
  return renamed === null ? [] : [{ connectionId, conversationId, from: renamed, to: state.externalId }];
}

/** An exact copy that goes touches nothing else, not even the row that stays; and most doubles are that. */
function scopeOf(
  merges: readonly Merge[],
  changed: ReadonlySet<string>,
  touched: ReadonlySet<Merge>,
  moved: MovedThreads,
): JournalScope {
  const messageIds: string[] = [];
  const bareMessageIds: string[] = [];
  for (const merge of merges) {
    const { conversationId } = merge.kept.row;
    const isBare =
      merge.renamed === null &&
      !touched.has(merge) &&
      !moved.ends.has(conversationId) &&
      !moved.tickets.has(conversationId);
    const lost = merge.lost.map(({ row }) => row.id);
    if (!isBare) messageIds.push(merge.kept.row.id, ...lost);
    else bareMessageIds.push(...lost, ...(changed.has(merge.kept.row.id) ? [merge.kept.row.id] : []));
  }
  return { messageIds, bareMessageIds };
}
