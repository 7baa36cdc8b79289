import { assertWritten } from '../../store/transactions.js';
import type { LeadRow } from '../../store/tables/leads.js';
import {
  deleteTickets,
  insertTickets,
  OPENS_TICKETS,
  readRemainingInbound,
  readTicketsOfLeads,
  updateTickets,
  type TicketRow,
} from '../../store/tables/tickets.js';
import { CAME_LIVE_SQL, cameLive, unpackEvidence } from '../../rules/evidence.js';
import type { TrackedMessage } from '../../rules/message-book.js';
import { planTickets, type LiveInbound } from '../../rules/tickets.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/** Opens and refreshes tickets, and updates open ones from their leads' sources (T1-T5). */
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
  const changed = [...folded.displaced, ...changedConversations(folded)];
  const remaining = await readRemainingInbound(work.tx, [...new Set(changed)], CAME_LIVE_SQL);
  const sources = new Map([...leads.values()].map((lead) => [lead.id, lead.source]));
  inbound.push(...(await readEarlierInbound(work, folded, inbound, stored)));
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

/**
 * A message that comes again, out of an entry applied before, had a ticket once, which is gone. The ticket belongs to all live
 * messages of the conversation since its last closed one, as if the whole log were replayed, and not only to the one that is
 * restored. Gives the first and the last of them, where no ticket is open.
 */
async function readEarlierInbound(
  work: BatchWork,
  folded: FoldedMessages,
  inbound: readonly LiveInbound[],
  stored: readonly TicketRow[],
): Promise<LiveInbound[]> {
  const open = new Set(
    stored.flatMap(({ status, conversationId }) => (status === 'open' ? [conversationId] : [])),
  );
  const again = [...folded.liveInbound].filter((tracked) =>
    (folded.heldBy.get(tracked) ?? []).every((logId) => work.repeated.has(logId)),
  );
  const restored = new Set(again.map((tracked) => lastOf(tracked).state.conversationId));
  const leadOf = new Map(
    inbound.flatMap(({ conversationId, leadId }) =>
      restored.has(conversationId) && !open.has(conversationId) ? [[conversationId, leadId] as const] : [],
    ),
  );
  const due = await readRemainingInbound(
    work.tx,
    [...leadOf.keys()],
    `${CAME_LIVE_SQL} and ${OPENS_TICKETS}`,
  );
  return due.flatMap(({ conversationId, first, lastAt }) => {
    const leadId = leadOf.get(conversationId);
    if (leadId === undefined || first === null) return [];
    const opener = { conversationId, leadId, ...first };
    return [opener, { ...opener, timestamp: lastAt ?? first.timestamp }];
  });
}

/**
 * If a stored message behind a ticket got another time or name, or turned out to be a copy (M10), the ticket's data
 * must be reread.
 */
function changedConversations(folded: FoldedMessages): string[] {
  return folded.book.all().flatMap(({ state, stored, gone }) => {
    if (stored === null) return [];
    const known = unpackEvidence(stored.evidence);
    // A row with reset evidence was changed externally: its ticket's data must be reread, too.
    const wasLive = (stored.direction === 'INBOUND' && cameLive(known)) || known.structure === 0;
    if (!wasLive) return [];
    const isSame = stored.timestamp === state.timestamp && stored.externalId === state.externalId;
    return gone || !isSame ? [state.conversationId] : [];
  });
}

/** A live message found to be a copy of another one in the same batch (M10) makes that one live. */
function liveInbound(folded: FoldedMessages): LiveInbound[] {
  const leaves = new Set([...folded.liveInbound].map(lastOf));
  return [...leaves]
    .filter(({ state, gone }) => !gone && state.direction === 'INBOUND' && cameLive(state.ranks))
    .map(({ state }) => ({
      conversationId: state.conversationId,
      leadId: state.leadId,
      externalId: state.externalId,
      timestamp: state.timestamp,
    }));
}

function lastOf(tracked: TrackedMessage): TrackedMessage {
  return tracked.mergedInto === undefined ? tracked : lastOf(tracked.mergedInto);
}
