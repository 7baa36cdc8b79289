import { assertWritten } from '../../store/batch-lock.js';
import type { LeadRow } from '../../store/persons.js';
import {
  deleteTickets,
  insertTickets,
  readRemainingInbound,
  readTicketsOfLeads,
  updateTickets,
} from '../../store/tickets.js';
import { CAME_LIVE_SQL, cameLive } from '../plan/evidence.js';
import { planTickets, type LiveInbound } from '../plan/tickets.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/** Opens and refreshes tickets, and lets the open ones follow their leads' sources (T1-T5). */
export async function writeTickets(
  work: BatchWork,
  folded: FoldedMessages,
  leads: ReadonlyMap<string, LeadRow>,
  newLeads: ReadonlySet<string>,
): Promise<void> {
  const inbound = work.settings.tickets === 'none' ? [] : liveInbound(folded);
  // A new lead has no tickets yet, so a history of strangers costs no look-up.
  const stored = await readTicketsOfLeads(
    work.tx,
    [...leads.keys()].filter((id) => !newLeads.has(id)),
  );
  if (inbound.length === 0 && stored.length === 0) return;
  const remaining = await readRemainingInbound(work.tx, [...folded.robbed], CAME_LIVE_SQL);
  const sources = new Map([...leads.values()].map((lead) => [lead.id, lead.source]));
  const plan = planTickets(inbound, stored, sources, work.settings.newId, remaining);
  await deleteTickets(
    work.tx,
    work.settings.runId,
    plan.deletes.map((ticket) => ticket.id),
  );
  assertWritten('tickets', plan.inserts.length, await insertTickets(work.tx, plan.inserts));
  await updateTickets(work.tx, plan.updates);
  work.tally.tickets.opened += plan.opened;
  work.tally.tickets.refreshed += plan.refreshed;
}

function liveInbound(folded: FoldedMessages): LiveInbound[] {
  return [...folded.liveInbound]
    .filter(({ state, gone }) => !gone && state.direction === 'INBOUND' && cameLive(state.ranks))
    .map(({ state }) => ({
      conversationId: state.conversationId,
      leadId: state.leadId,
      externalId: state.externalId,
      timestamp: state.timestamp,
    }));
}
