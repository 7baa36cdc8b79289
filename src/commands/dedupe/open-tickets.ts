import {
  mergeOpenTickets,
  readTicketGroups,
  ticketGroupOf,
  ticketGroups,
  type TicketGroup,
} from '../../store/changes/merge-leads.js';
import { journaled } from '../../store/journal/journal.js';
import { prepareLook, inSnapshot } from '../../store/transactions.js';
import type { Sql } from '../../store/sql.js';
import { streamRows } from '../../store/columns.js';
import { readLeadsById } from '../../store/tables/leads.js';
import type { BatchOutcome, MergedGroup, MergeRun, PlanView } from './duplicate-work.js';
import { packed } from './packed.js';
import { settleTickets } from './settle-leads.js';

/**
 * Several open tickets in one conversation; possible where the index is missing. Part of the class `conversation`: a merge of
 * conversations makes one of their open tickets, and this does the same where there is nothing else to merge.
 */
export async function planOpenTickets(view: PlanView): Promise<void> {
  const { text, parameters } = ticketGroups(view.connectionId);
  // A conversation that is merged brings its tickets along, and they are not counted twice.
  const merged = new Set([...view.joined.keys(), ...view.joined.values()]);
  for await (const rows of streamRows(view.sql, text, parameters)) {
    if (view.signal.aborted) return;
    for (const group of rows.map(ticketGroupOf)) {
      if (!merged.has(group.conversationId)) view.account.merged(mergedGroup(group));
    }
  }
}

/** Merges them, after the conversations. */
export async function applyOpenTickets(run: MergeRun): Promise<void> {
  const { ctx, connectionId } = run;
  const { text, parameters } = ticketGroups(connectionId);
  const groups = await inSnapshot(ctx.store, async (sql) => {
    await prepareLook(sql);
    return (await sql.query(text, parameters)).map(ticketGroupOf);
  });
  for (const batch of packed(groups, ({ ids }) => ids.length, run.batchSize)) {
    if (run.stopped()) return;
    await run.batch(
      {
        class: 'conversation',
        connectionIds: [...new Set(batch.map((group) => group.connectionId))],
      },
      (tx) => mergeTickets(tx, run.runId, batch),
    );
  }
}

/** Inside the batch's transaction and its journal; a group may have shrunk since it was found. */
async function mergeTickets(tx: Sql, runId: string, found: readonly TicketGroup[]): Promise<BatchOutcome> {
  const groups = await readTicketGroups(
    tx,
    found.map((group) => group.conversationId),
  );
  const outcome = { groups: groups.map(mergedGroup), kept: [], changed: 0, requeued: 0 };
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

function mergedGroup({ connectionId, conversationId, ids, byPeople }: TicketGroup): MergedGroup {
  const [survivor = '', ...goes] = ids;
  const many = goes.length === 1 ? 'two open tickets' : `${ids.length} open tickets`;
  return {
    class: 'conversation',
    connectionId,
    survivor,
    goes,
    evidence: () => [
      `conversation ${conversationId} has ${many}`,
      byPeople === 0 ? 'the earlier one stays' : 'what people opened stays',
      ...(byPeople > 1 ? ['of those only the earliest stays open, the others are closed'] : []),
    ],
  };
}
