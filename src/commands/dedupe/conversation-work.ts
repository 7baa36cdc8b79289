import { mergeConversations, requeueCollisions } from '../../store/changes/merge-leads.js';
import { journaled } from '../../store/journal/journal.js';
import { prepareLook, inSnapshot } from '../../store/transactions.js';
import {
  countThreadMessages,
  readThreads,
  threadGroupOf,
  threadGroups,
  type ThreadGroup,
} from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import { streamRows } from '../../store/columns.js';
import { recomputeConversations, updateConversations } from '../../store/tables/conversations.js';
import { groupBy } from '../../rules/group-by.js';
import type { BatchOutcome, DuplicateWork, MergedGroup, MergeRun, PlanView } from './duplicate-work.js';
import { applyOpenTickets, planOpenTickets } from './open-tickets.js';
import { packed } from './packed.js';
import { settleLeads } from './settle-leads.js';

/**
 * Class `conversation`: two conversations of one lead on one connection, and two open tickets of one conversation; possible
 * where the index is missing.
 */
export const CONVERSATION_WORK: DuplicateWork = {
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
      // What a merge of leads joins is counted there.
      const left = { ...group, ids: group.ids.filter((id) => !view.joined.has(id)) };
      const [survivor, ...goes] = left.ids;
      if (survivor === undefined || goes.length === 0) continue;
      view.account.merged(mergedGroup(left, survivor, goes));
      for (const id of goes) view.joined.set(id, survivor);
    }
  }
  // What a merge of leads joins to a conversation that goes now itself ends where that one ends.
  for (const [from, into] of view.joined) {
    let end = into;
    for (let next = view.joined.get(end); next !== undefined; next = view.joined.get(end)) end = next;
    view.joined.set(from, end);
  }
}

async function applyThreads(run: MergeRun): Promise<void> {
  const { ctx, connectionId } = run;
  const { text, parameters } = threadGroups(connectionId);
  const groups = await inSnapshot(ctx.store, async (sql) => {
    await prepareLook(sql);
    return (await sql.query(text, parameters)).map(threadGroupOf);
  });
  for (let at = 0; at < groups.length; at += PAGE) {
    const page = groups.slice(at, at + PAGE);
    const messages = await countThreadMessages(
      ctx.store.sql,
      page.flatMap(({ ids }) => ids.slice(1)),
    );
    const weigh = ({ ids }: ThreadGroup): number =>
      ids.slice(1).reduce((sum, id) => sum + (messages.get(id) ?? 0), ids.length);
    for (const batch of packed(page, weigh, run.batchSize)) {
      if (run.stopped()) return;
      await run.batch(
        {
          class: 'conversation',
          connectionIds: [...new Set(batch.map((group) => group.connectionId))],
        },
        (tx) => mergeThreads(tx, run.runId, batch),
      );
    }
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
  const moves: { from: string; into: string; leadId: string }[] = [];
  for (const own of byPair.values()) {
    const [survivor, ...goes] = own;
    if (survivor === undefined || goes.length === 0) continue;
    const ids = goes.map(({ id }) => id);
    groups.push(mergedGroup({ ...survivor, ids: own.map(({ id }) => id) }, survivor.id, ids));
    moves.push(...ids.map((from) => ({ from, into: survivor.id, leadId: survivor.leadId })));
  }
  if (moves.length === 0) return { groups, kept: [], changed: 0, requeued: 0 };
  const from = moves.map((move) => move.from);
  const kept = [...new Set(moves.map((move) => move.into))].sort();
  const leadIds = [...new Set(moves.map((move) => move.leadId))].sort();
  const scope = { conversationIds: [...kept, ...from], emptiedConversationIds: from, leadIds };
  return journaled(tx, runId, scope, async () => {
    await mergeConversations(tx, moves);
    const timed = await updateConversations(tx, await recomputeConversations(tx, kept));
    const settled = await settleLeads(tx, leadIds, kept);
    return { groups, kept: [], changed: timed + settled, requeued: await requeueCollisions(tx, leadIds) };
  });
}

function mergedGroup({ connectionId, leadId }: ThreadGroup, survivor: string, goes: string[]): MergedGroup {
  const many = goes.length === 1 ? 'two conversations' : `${goes.length + 1} conversations`;
  return {
    class: 'conversation',
    connectionId,
    survivor,
    goes,
    evidence: () => [`lead ${leadId} has ${many} on this connection`, 'the earlier one stays'],
  };
}
