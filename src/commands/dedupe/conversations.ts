import {
  mergeConversations,
  requeueCollisions,
  type ConversationMove,
  mergeOpenTickets,
  readTicketGroups,
  ticketGroupOf,
  ticketGroups,
  type TicketGroup,
} from '../../store/changes/merge-leads.js';
import { journaled } from '../../store/journal/journal.js';
import {
  countThreadMessages,
  readThreads,
  threadGroupOf,
  threadGroups,
  type ThreadGroup,
} from '../../store/queries/duplicate-people.js';
import type { Sql } from '../../store/sql.js';
import { streamRows } from '../../store/columns.js';
import { recomputeConversations, updateConversations } from '../../store/tables/conversations.js';
import { readLeadsById } from '../../store/tables/leads.js';
import { groupBy } from '../../rules/group-by.js';
import {
  findGroups,
  mergeInBatches,
  type BatchOutcome,
  type DedupeClass,
  type MergedGroup,
  type MergeRun,
  type PlanView,
} from './batches.js';
import { settleLeads, settleTickets } from './settle-leads.js';

/**
 * Class `conversation`: two conversations of one lead on one connection, and two open tickets of one conversation;
 * possible without the unique index.
 */
export const CONVERSATION_CLASS: DedupeClass = {
  name: 'conversation',
  plan: async (view) => {
    await planThreads(view);
    if (!view.signal.aborted) await planOpenTickets(view);
  },
  apply: async (run) => {
    await applyThreads(run);
    if (!run.stopped()) await applyOpenTickets(run);
  },
};

/** Groups whose messages are counted at a time. */
const PAGE = 1_000;

async function planThreads(view: PlanView): Promise<void> {
  const { text, parameters } = threadGroups(view.connectionId);
  for await (const rows of streamRows(view.sql, text, parameters)) {
    if (view.signal.aborted) return;
    for (const group of rows.map(threadGroupOf)) {
      // Conversations joined by a merge of leads are counted there.
      const ids = group.ids.filter((id) => !view.joined.has(id));
      const merged = mergedThreads({ ...group, ids });
      if (merged.goes.length === 0) continue;
      view.tally.merged(merged);
      for (const id of merged.goes) view.joined.set(id, merged.survivor);
    }
  }
  // A merge of leads may target a conversation that is itself joined now: both end in the same one.
  for (const [from, into] of view.joined) {
    let end = into;
    for (let next = view.joined.get(end); next !== undefined; next = view.joined.get(end)) end = next;
    view.joined.set(from, end);
  }
}

async function applyThreads(run: MergeRun): Promise<void> {
  const groups = await findGroups(run, threadGroups(run.connectionId), threadGroupOf);
  for (let at = 0; at < groups.length && !run.stopped(); at += PAGE) {
    const page = groups.slice(at, at + PAGE);
    const messages = await countThreadMessages(
      run.ctx.store.sql,
      page.flatMap(({ ids }) => ids.slice(1)),
    );
    await mergeInBatches(run, page, {
      class: 'conversation',
      rowsOf: ({ ids }) => ids.slice(1).reduce((sum, id) => sum + (messages.get(id) ?? 0), ids.length),
      connectionsOf: ({ connectionId }) => [connectionId],
      merge: (tx, batch) => mergeThreads(tx, run.runId, batch),
    });
  }
}

/**
 * Merges conversations inside the batch's transaction and its journal: the earlier survives, with the messages and tickets
 * of the others; at most one ticket stays open.
 */
async function mergeThreads(tx: Sql, runId: string, found: readonly ThreadGroup[]): Promise<BatchOutcome> {
  const wanted = new Set(found.flatMap((group) => group.ids));
  const threads = await readThreads(tx, [...new Set(found.map((group) => group.leadId))]);
  const byPair = groupBy(
    threads.filter((thread) => wanted.has(thread.id)),
    (thread) => `${thread.connectionId} ${thread.leadId}`,
  );
  const groups: MergedGroup[] = [];
  const moves: ConversationMove[] = [];
  for (const [first, ...others] of byPair.values()) {
    if (first === undefined || others.length === 0) continue;
    const merged = mergedThreads({ ...first, ids: [first.id, ...others.map(({ id }) => id)] });
    groups.push(merged);
    moves.push(...merged.goes.map((from) => ({ from, into: first.id, leadId: first.leadId })));
  }
  const outcome = { groups, kept: [], changed: 0, requeued: 0 };
  if (moves.length === 0) return outcome;
  const from = moves.map((move) => move.from);
  const kept = [...new Set(moves.map((move) => move.into))].sort();
  const leadIds = [...new Set(moves.map((move) => move.leadId))].sort();
  const scope = { conversationIds: [...kept, ...from], emptiedConversationIds: from, leadIds };
  return journaled(tx, runId, scope, async () => {
    await mergeConversations(tx, moves);
    const timed = await updateConversations(tx, await recomputeConversations(tx, kept));
    const settled = await settleLeads(tx, leadIds, kept);
    return { ...outcome, changed: timed + settled, requeued: await requeueCollisions(tx, leadIds) };
  });
}

function mergedThreads({ connectionId, leadId, ids }: ThreadGroup): MergedGroup {
  const [survivor = '', ...goes] = ids;
  const many = ids.length === 2 ? 'two' : String(ids.length);
  return {
    class: 'conversation',
    connectionId,
    survivor,
    goes,
    evidence: () => [`lead ${leadId} has ${many} conversations on this connection`, 'the earliest is kept'],
  };
}

/**
 * Several open tickets in one conversation. A conversation merge also merges their open tickets; this handles
 * conversations with nothing else to merge.
 */
async function planOpenTickets(view: PlanView): Promise<void> {
  const { text, parameters } = ticketGroups(view.connectionId);
  // Tickets of a merged conversation are merged with it, and must not count twice.
  const merged = new Set([...view.joined.keys(), ...view.joined.values()]);
  for await (const rows of streamRows(view.sql, text, parameters)) {
    if (view.signal.aborted) return;
    for (const group of rows.map(ticketGroupOf)) {
      if (!merged.has(group.conversationId)) view.tally.merged(mergedTickets(group));
    }
  }
}

/** Runs after the conversations are merged. */
async function applyOpenTickets(run: MergeRun): Promise<void> {
  await mergeInBatches(run, await findGroups(run, ticketGroups(run.connectionId), ticketGroupOf), {
    class: 'conversation',
    rowsOf: ({ ids }) => ids.length,
    connectionsOf: ({ connectionId }) => [connectionId],
    merge: (tx, batch) => mergeTickets(tx, run.runId, batch),
  });
}

/** Runs inside the batch's transaction and its journal; a group may have shrunk since it was found. */
async function mergeTickets(tx: Sql, runId: string, found: readonly TicketGroup[]): Promise<BatchOutcome> {
  const groups = await readTicketGroups(
    tx,
    found.map((group) => group.conversationId),
  );
  const outcome = { groups: groups.map(mergedTickets), kept: [], changed: 0, requeued: 0 };
  if (groups.length === 0) return outcome;
  const conversationIds = groups.map((group) => group.conversationId);
  const leadIds = [...new Set(groups.map((group) => group.leadId))].sort();
  return journaled(tx, runId, { conversationIds }, async () => {
    await mergeOpenTickets(
      tx,
      conversationIds.map((id) => ({ id, keptId: id })),
    );
    const leads = await readLeadsById(tx, leadIds);
    const sources = new Map(leads.map((lead) => [lead.id, lead.source]));
    return { ...outcome, changed: await settleTickets(tx, sources, conversationIds) };
  });
}

function mergedTickets({ connectionId, conversationId, ids, byPeople }: TicketGroup): MergedGroup {
  const [survivor = '', ...goes] = ids;
  const many = ids.length === 2 ? 'two' : String(ids.length);
  return {
    class: 'conversation',
    connectionId,
    survivor,
    goes,
    evidence: () => [
      `conversation ${conversationId} has ${many} open tickets`,
      byPeople === 0 ? 'the earliest is kept' : 'the ticket that a person opened is kept',
      ...(byPeople > 1 ? ['of those, the earliest stays open and the others are closed'] : []),
    ],
  };
}
