import { assertWritten } from '../../store/transactions.js';
import { followRenames, renameContexts } from '../../store/changes/renames.js';
import type { Sql } from '../../store/sql.js';
import {
  readConversationsById,
  recomputeConversations,
  updateConversations,
  type ConversationRow,
} from '../../store/tables/conversations.js';
import {
  addUnknownMedia,
  adoptOrigins,
  deleteUnchangedMessages,
  updateMessages,
  type MessageKey,
  type MessageRow,
  type StoredMessageRow,
} from '../../store/tables/messages.js';
import {
  deletePendingFacts,
  readPendingFacts,
  type PendingFactRow,
  readReactions,
  replaceRevisions,
  writeReactions,
  type RevisionRow,
} from '../../store/tables/amendments.js';
import { settleLeads } from './settle-leads.js';
import type { JsonObject } from '../../model/json.js';
import type { JournalScope } from '../../store/journal/journal.js';
import { applyAmendment, payloadOfPending, ReactionBook } from '../../rules/amendments.js';
import { keyOf, rowOfState, type TrackedMessage } from '../../rules/message-book.js';
import { ORIGINAL_VERSION, type Revision } from '../../rules/message-projection.js';
import type { Candidate } from './candidate.js';
import type { Merge } from './decide.js';
import { readTicketsOfConversations, type TicketRow } from '../../store/tables/tickets.js';
import { groupBy } from '../../rules/group-by.js';
import { textOfErrors, stableJson } from '../../rules/merge-values.js';

/** Everything that the merges will write. */
interface WritePlan {
  lost: readonly StoredMessageRow[];
  updates: readonly StoredMessageRow[];
  /** Messages whose revisions are replaced. */
  revised: readonly string[];
  revisions: readonly RevisionRow[];
  origins: readonly { id: string; batchId: string | null; runId: string | null }[];
  unknownMedia: readonly { id: string; media: JsonObject }[];
  renames: readonly { connectionId: string; conversationId: string; from: string; to: string }[];
  /** Facts pending for one of the rows' ids, now part of the merged state. */
  applied: readonly PendingFactRow[];
  reactions: ReactionBook;
  moved: MovedThreads;
  /** What must be journaled. */
  scope: JournalScope;
}

/** Plans the writes of a batch's merges, and looks up what else they affect. Writes nothing. */
export async function planWrites(tx: Sql, merges: readonly Merge[]): Promise<WritePlan> {
  const pending = await applyPending(tx, merges);
  const moved = await findMoved(tx, merges);
  const updates: StoredMessageRow[] = [];
  const revised: string[] = [];
  const revisions: RevisionRow[] = [];
  for (const { kept, lost, state } of merges) {
    const shown = rowOfState(state);
    // Its first text is unknown: an edit must not take its place.
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
    applied: pending.applied,
    reactions: pending.reactions,
    moved,
    scope: scopeOf(merges, changed, pending.touched, moved),
  };
}

interface Pending {
  applied: PendingFactRow[];
  reactions: ReactionBook;
  touched: Set<Merge>;
}

/** Applies facts pending for one of the rows' ids: their message now exists. */
async function applyPending(tx: Sql, merges: readonly Merge[]): Promise<Pending> {
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
  const pending: Pending = {
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
    applyAmendment(payload, tracked, pending.reactions);
    pending.applied.push(row);
    pending.touched.add(merge);
  }
  return pending;
}

/** The newest edit time of programs that overwrite the text: they store no edit that could become a version. */
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

/** Unknown media keys of the kept row, and of the duplicates if it has no such key. */
function unknownMediaOf({ kept, lost }: Merge): { id: string; media: JsonObject }[] {
  const known = [kept, ...lost].flatMap(({ row }) => (row.unknownMedia === null ? [] : [row.unknownMedia]));
  const media = known.reduceRight<JsonObject>((all, one) => ({ ...all, ...one }), {});
  return known.length === 0 ? [] : [{ id: kept.row.id, media }];
}

function renameOf({ kept: { row }, state, renamed }: Merge): WritePlan['renames'] {
  const { connectionId, conversationId } = row;
  return renamed === null ? [] : [{ connectionId, conversationId, from: renamed, to: state.externalId }];
}

/** Deleting an exact copy touches nothing else, not even the kept row; most duplicates are exact copies. */
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

/**
 * Writes merges: deletes the duplicates, updates the kept rows, and redirects references to the duplicates. Set-based,
 * inside the batch's transaction and its journal. Returns the number of rows changed, without the deleted ones.
 */
export async function writeMerges(tx: Sql, plan: WritePlan): Promise<number> {
  const { lost, updates } = plan;
  // Duplicates first, then the row that takes the wamid: the unique index, if present, allows only one.
  assertWritten('duplicates', lost.length, await deleteUnchangedMessages(tx, lost));
  assertWritten('messages', updates.length, await updateMessages(tx, updates));
  await replaceRevisions(tx, plan.revised, plan.revisions);
  await addUnknownMedia(tx, plan.unknownMedia);
  await adoptOrigins(tx, plan.origins);
  // Reactions, tickets and replies that name a key id move to its wamid.
  const followed = (await followRenames(tx, plan.renames)) + (await renameContexts(tx, plan.renames));
  await deletePendingFacts(tx, plan.applied);
  await writeReactions(tx, plan.reactions.changes());
  return updates.length + followed + (await settleThreads(tx, plan.moved));
}

/** Recomputes conversations from their messages, and the leads and tickets that depend on them. */
async function settleThreads(tx: Sql, { ends, tickets }: MovedThreads): Promise<number> {
  if (ends.size === 0 && tickets.size === 0) return 0;
  const rows = await recomputeConversations(tx, [...ends.keys()].sort());
  const changed = await updateConversations(tx, rows);
  const leads = new Set([...ends.values(), ...tickets.values()]);
  return changed + (await settleLeads(tx, [...leads].sort(), [...tickets.keys()].sort()));
}

/** Conversations and tickets that change with merged messages, by conversation, each with its lead. */
interface MovedThreads {
  /** Conversations whose first or last message may have changed. */
  ends: ReadonlyMap<string, string>;
  /** Conversations whose open ticket depends on a message with a new time or id. */
  tickets: ReadonlyMap<string, string>;
}

/** Finds what changes: deleting exact copies changes nothing, nor does a time in the middle of a conversation. */
async function findMoved(tx: Sql, merges: readonly Merge[]): Promise<MovedThreads> {
  const shifted = merges.filter(({ kept, lost, state }) =>
    [kept, ...lost].some(({ row }) => row.timestamp !== state.timestamp || row.source !== state.source),
  );
  const threads = new Map((await readConversationsById(tx, threadsOf(shifted))).map((row) => [row.id, row]));
  const ends = shifted.filter((merge) => movesEnds(merge, threads.get(merge.kept.row.conversationId)));

  const opening = merges.filter(({ kept, lost, state }) =>
    [kept, ...lost].some(
      (candidate) =>
        mayOpen(candidate) &&
        (candidate.row.timestamp !== state.timestamp || candidate.row.externalId !== state.externalId),
    ),
  );
  const tickets = groupBy(
    await readTicketsOfConversations(tx, threadsOf(opening)),
    (ticket) => ticket.conversationId,
  );
  const reread = opening.filter((merge) =>
    (tickets.get(merge.kept.row.conversationId) ?? []).some((ticket) => dependsOn(ticket, merge)),
  );
  return { ends: leadsByThread(ends), tickets: leadsByThread(reread) };
}

function movesEnds({ kept, lost, state }: Merge, thread: ConversationRow | undefined): boolean {
  const { firstMessageAt: first = null, lastMessageAt: last = null } = thread ?? {};
  if (first === null || last === null) return true;
  return [state.timestamp, ...[kept, ...lost].map(({ row }) => row.timestamp)].some(
    (time) => time <= first || time >= last,
  );
}

/** Inbound messages open and refresh a ticket (T1). Rows of other programs do not show whether they came live. */
function mayOpen({ row }: Candidate): boolean {
  return row.direction === 'INBOUND';
}

function dependsOn(ticket: TicketRow, { kept, lost, state }: Merge): boolean {
  if (ticket.status !== 'open') return false;
  if (kept.row.timestamp !== state.timestamp) return true;
  return [kept, ...lost].some(
    ({ row }) =>
      row.timestamp === ticket.openedAt ||
      row.timestamp === ticket.lastInboundAt ||
      row.externalId === ticket.openedByExternalId,
  );
}

function threadsOf(merges: readonly Merge[]): string[] {
  return [...new Set(merges.map(({ kept }) => kept.row.conversationId))].sort();
}

function leadsByThread(merges: readonly Merge[]): Map<string, string> {
  return new Map(merges.map(({ kept: { row } }) => [row.conversationId, row.leadId]));
}

/** Whether writing `row` would change what is stored. */
function differs(stored: MessageRow, row: MessageRow): boolean {
  return (
    textOfJson(stored.media) !== textOfJson(row.media) ||
    textOfJson(stored.rawMeta) !== textOfJson(row.rawMeta) ||
    textOfErrors(stored.errors) !== textOfErrors(row.errors) ||
    PLAIN.some((key) => stored[key] !== row[key])
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
