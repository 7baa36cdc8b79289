import type { LeadSource, TicketOrigin } from '../model/enumerations.js';
import type { TicketRow } from '../store/tables/tickets.js';
import { groupBy } from './group-by.js';

/** How long after a customer's message the business may reply freely. */
const MESSAGE_WINDOW_MS = 24 * 60 * 60 * 1_000;

/** A stored live inbound message: the only thing that opens or refreshes a ticket (T1). */
export interface LiveInbound {
  conversationId: string;
  leadId: string;
  externalId: string;
  timestamp: number;
}

/** A conversation's live inbound messages after one of them moved to another conversation (M9) or changed its time (M10). */
export interface RemainingInbound {
  conversationId: string;
  /** The first by time and id after the conversation's last closed ticket. */
  first: { externalId: string; timestamp: number } | null;
  lastAt: number | null;
}

export interface TicketPlan {
  inserts: TicketRow[];
  updates: TicketRow[];
  /** Opened by messages that turned out to belong to another lead. */
  deletes: TicketRow[];
  opened: number;
  refreshed: number;
}

/**
 * Opens and refreshes tickets (T1, T2, T5), and updates every open ticket from its lead's source (T3, T4). Only message
 * times and the lead's source decide a ticket's state, so any order of the log gives the same result. `tickets`: all
 * tickets of the leads concerned. `sourceOf`: the leads' final sources.
 */
export function planTickets(
  inbound: readonly LiveInbound[],
  tickets: readonly TicketRow[],
  sourceOf: ReadonlyMap<string, LeadSource>,
  newId: () => string,
  remaining: readonly RemainingInbound[] = [],
): TicketPlan {
  const { kept, deletes } = shrinkTickets(tickets, remaining);
  const all = kept;
  const inserts: TicketRow[] = [];
  const refreshed = new Set<string>();

  for (const [conversationId, messages] of groupBy(inbound, (message) => message.conversationId)) {
    const own = all.filter((ticket) => ticket.conversationId === conversationId);
    const lastClosed = Math.max(-Infinity, ...own.map((ticket) => ticket.closedAt ?? -Infinity));
    const due = messages.filter((message) => message.timestamp > lastClosed);
    const [first] = due;
    if (first === undefined) continue;
    const opener = due.reduce(
      (a, b) => (compareOpening(a.timestamp, a.externalId, b.timestamp, b.externalId) <= 0 ? a : b),
      first,
    );
    const lastAt = due.reduce((latest, message) => Math.max(latest, message.timestamp), first.timestamp);
    const open = own.find((ticket) => ticket.status === 'open');
    if (open === undefined) {
      const ticket = openTicket(opener, lastAt, newId());
      inserts.push(ticket);
      all.push(ticket);
    } else if (refreshTicket(open, opener, lastAt)) {
      refreshed.add(open.id);
    }
  }

  for (const ticket of all) followLead(ticket, all, sourceOf.get(ticket.leadId));
  const before = new Map(tickets.map((ticket) => [ticket.id, ticket]));
  const updates = all.filter((ticket) => {
    const old = before.get(ticket.id);
    return old !== undefined && differs(old, ticket);
  });
  return { inserts, updates, deletes, opened: inserts.length, refreshed: refreshed.size };
}

/** Updates the open tickets of conversations with changed messages. */
function shrinkTickets(
  tickets: readonly TicketRow[],
  remaining: readonly RemainingInbound[],
): { kept: TicketRow[]; deletes: TicketRow[] } {
  const byConversation = new Map(remaining.map((rest) => [rest.conversationId, rest]));
  const kept: TicketRow[] = [];
  const deletes: TicketRow[] = [];
  for (const ticket of tickets) {
    const rest = byConversation.get(ticket.conversationId);
    if (rest === undefined || ticket.status !== 'open' || ticket.source !== 'incoming_message')
      kept.push({ ...ticket });
    else if (rest.first === null) deletes.push(ticket);
    else {
      kept.push({
        ...ticket,
        openedAt: rest.first.timestamp,
        openedByExternalId: rest.first.externalId,
        lastInboundAt: rest.lastAt,
      });
    }
  }
  return { kept, deletes };
}

function openTicket(opener: LiveInbound, lastAt: number, id: string): TicketRow {
  return {
    id,
    conversationId: opener.conversationId,
    leadId: opener.leadId,
    source: 'incoming_message',
    originatedFrom: 'new_contact',
    status: 'open',
    messageWindowExpiresAt: null,
    openedByExternalId: opener.externalId,
    openedAt: opener.timestamp,
    lastInboundAt: lastAt,
    closedAt: null,
  };
}

function refreshTicket(ticket: TicketRow, opener: LiveInbound, lastAt: number): boolean {
  let changed = false;
  if (ticket.lastInboundAt === null || lastAt > ticket.lastInboundAt) {
    ticket.lastInboundAt = lastAt;
    changed = true;
  }
  const earlier =
    compareOpening(opener.timestamp, opener.externalId, ticket.openedAt, ticket.openedByExternalId ?? '') < 0;
  // A ticket that a person opened keeps its time.
  if (earlier && ticket.source === 'incoming_message') {
    ticket.openedAt = opener.timestamp;
    ticket.openedByExternalId = opener.externalId;
    changed = true;
  }
  return changed;
}

function followLead(ticket: TicketRow, all: readonly TicketRow[], source: LeadSource | undefined): void {
  if (ticket.status !== 'open' || source === undefined) return;
  if (ticket.lastInboundAt !== null) {
    ticket.messageWindowExpiresAt =
      source === 'history_sync' ? null : ticket.lastInboundAt + MESSAGE_WINDOW_MS;
  }
  if (ticket.source === 'incoming_message') ticket.originatedFrom = originOf(ticket, all, source);
}

function originOf(ticket: TicketRow, all: readonly TicketRow[], source: LeadSource): TicketOrigin {
  switch (source) {
    case 'history_sync':
      return 'history_lead';
    case 'state_sync':
    case 'direct_creation':
      return 'existing';
    case 'live_message':
      return all.some((other) => other.leadId === ticket.leadId && isBefore(other, ticket))
        ? 'existing'
        : 'new_contact';
  }
}

function isBefore(a: TicketRow, b: TicketRow): boolean {
  if (a.id === b.id) return false;
  return (
    compareOpening(a.openedAt, a.openedByExternalId ?? a.id, b.openedAt, b.openedByExternalId ?? b.id) < 0
  );
}

function compareOpening(leftAt: number, leftId: string, rightAt: number, rightId: string): number {
  if (leftAt !== rightAt) return leftAt - rightAt;
  return leftId < rightId ? -1 : leftId > rightId ? 1 : 0;
}

function differs(a: TicketRow, b: TicketRow): boolean {
  return (
    a.originatedFrom !== b.originatedFrom ||
    a.messageWindowExpiresAt !== b.messageWindowExpiresAt ||
    a.openedByExternalId !== b.openedByExternalId ||
    a.openedAt !== b.openedAt ||
    a.lastInboundAt !== b.lastInboundAt
  );
}
