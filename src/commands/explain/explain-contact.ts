import { decodeWamid } from '../../identity/wamid.js';
import { ConfigError } from '../../model/errors.js';
import {
  readConversationCounts,
  readExplainedLead,
  type ConversationCount,
} from '../../store/queries/explain.js';
import { readMissingChunks } from '../../store/tables/history.js';
import { readIdentitiesOfPeople, type IdentityRow } from '../../store/tables/leads.js';
import { readPendingByPrefix, readPendingOf } from '../../store/tables/amendments.js';
import { readTicketsOfLeads } from '../../store/tables/tickets.js';
import { resolveContact, type ContactLead } from '../contacts/resolve-contact.js';
import { theOneLead } from '../contacts/the-one-lead.js';
import {
  fatesOfContact,
  gatherContactItems,
  messagesOf,
  noticeUnreadable,
  type LoggedMessage,
} from './contact-items.js';
import { iso, originOf, unreadableView, viewOf } from './fact-view.js';
import type { Investigation } from './investigation.js';
import { mergesInto } from './journal-notes.js';
import { sourceBecause } from './lead-source.js';
import { linksOf } from './links.js';
import type { FatedItem } from './message-story.js';
import { wamidPrefixes } from './names.js';
import { pendingNotes } from './pending-notes.js';
import type {
  ContactExplanation,
  ConversationExplanation,
  ExplainedFact,
  PendingNote,
  TicketExplanation,
} from './result.js';

const MOST_PENDING = 1000;

export interface ContactFindings {
  contact: ContactExplanation;
  messages: LoggedMessage[];
  fated: FatedItem[];
  facts: ExplainedFact[];
  pending: PendingNote[];
}

/** Explains somebody: who it is, what the database holds, and what the raw log holds that the database does not. */
export async function explainContact(inv: Investigation, typed: string): Promise<ContactFindings> {
  const [first] = inv.connections;
  const scope =
    inv.options.connection === undefined || first === undefined
      ? {}
      : { organizationId: first.organizationId };
  const contact = await resolveContact(inv.sql, typed, scope);
  if (contact.notice !== undefined) inv.notice(contact.notice);
  const known: ContactLead | null = contact.leads.length === 0 ? null : await theOneLead(inv.sql, contact);
  if (known !== null) inv.narrowTo(known.organizationId);
  const gathered = await gatherContactItems(inv, contact.names);
  noticeUnreadable(inv, gathered);
  const fates = await inv.fatesOf(gathered.items);
  const fated = fatesOfContact(fates, new Set(known === null ? [] : [known.leadId]));
  const messages = messagesOf(fated);
  const { bodies } = inv.options;
  return {
    contact: {
      ...(known === null ? nobody() : await describeLead(inv, known, fated)),
      names: contact.names,
      messages: { total: messages.length, outcomes: countOutcomes(messages) },
      entries: gathered.entries,
    },
    messages,
    fated,
    facts: [
      ...fated.map(({ item, fate }) => viewOf(item, fate, { bodies })),
      ...gathered.unreadable.map(({ entry, reason }) => unreadableView(entry, reason)),
    ],
    pending: await pendingNotes(inv, await readPendingOfContact(inv, contact.names, fated)),
  };
}

function countOutcomes(messages: readonly LoggedMessage[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { outcome, reason } of messages) {
    const isStored = outcome === 'created' || outcome === 'stored';
    const key = isStored ? 'stored' : reason === null ? outcome : `${outcome}: ${reason}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

type Described = Omit<ContactExplanation, 'names' | 'messages' | 'entries'>;

function nobody(): Described {
  return { lead: null, identities: [], merges: [], conversations: [], tickets: [] };
}

async function describeLead(
  inv: Investigation,
  { leadId }: ContactLead,
  fated: readonly FatedItem[],
): Promise<Described> {
  const { sql } = inv;
  const lead = await readExplainedLead(sql, leadId);
  if (lead === null) throw new ConfigError(`The lead ${leadId} went away while it was looked at.`);
  const [identities, counts, merges] = await Promise.all([
    readIdentitiesOfPeople(sql, [leadId]),
    readConversationCounts(sql, leadId),
    mergesInto(inv, [leadId], lead.phone),
  ]);
  const shown = counts.filter((one) => inv.connectionIds.includes(one.connectionId));
  return {
    lead: {
      ...lead,
      sourceBecause: sourceBecause(lead.source, identities, counts, (id) => inv.nameOf(id)),
      firstSeenAt: iso(lead.firstSeenAt),
      lastMessageAt: iso(lead.lastMessageAt),
      deletedAt: iso(lead.deletedAt),
    },
    identities: describeIdentities(identities, fated),
    merges,
    conversations: await describeConversations(inv, shown),
    tickets: await describeTickets(inv, leadId, counts, fated),
  };
}

function describeIdentities(
  identities: readonly IdentityRow[],
  fated: readonly FatedItem[],
): ContactExplanation['identities'] {
  const links = linksOf(
    identities.map(({ value }) => value),
    fated.map(({ item }) => item),
  );
  return identities.map(({ kind, value, firstSeenAt }) => {
    const link = links.get(value);
    return {
      kind,
      value,
      firstSeenAt: iso(firstSeenAt),
      linkedBy:
        link === undefined
          ? null
          : {
              entryId: link.item.entry.id,
              origin: originOf(link.item.entry),
              path: link.item.fact.path,
              kind: link.item.fact.kind,
              to: link.to,
            },
    };
  });
}

async function describeConversations(
  inv: Investigation,
  counts: readonly ConversationCount[],
): Promise<ConversationExplanation[]> {
  const missing = await readMissingChunks(
    inv.sql,
    counts.map((one) => one.connectionId),
  );
  return counts.map((one) => {
    const connection = inv.connection(one.connectionId);
    return {
      id: one.id,
      connection: inv.nameOf(one.connectionId),
      kind: connection?.kind ?? 'cloud_api',
      history: connection?.historySyncStatus ?? 'not_supported',
      missingChunks: missing
        .filter((chunk) => chunk.connectionId === one.connectionId)
        .map((chunk) => `${chunk.phase}/${chunk.chunkOrder}`),
      messages: one.messages,
      inbound: one.inbound,
      outbound: one.messages - one.inbound,
      live: one.live,
      fromHistory: one.fromHistory,
      echoes: one.echoes,
      fromElsewhere: one.fromElsewhere,
      firstMessageAt: iso(one.firstMessageAt),
      lastMessageAt: iso(one.lastMessageAt),
    };
  });
}

async function describeTickets(
  inv: Investigation,
  leadId: string,
  conversations: readonly ConversationCount[],
  fated: readonly FatedItem[],
): Promise<TicketExplanation[]> {
  const tickets = await readTicketsOfLeads(inv.sql, [leadId]);
  const connectionOf = new Map(conversations.map((one) => [one.id, one.connectionId]));
  return [...tickets]
    .sort((a, b) => a.openedAt - b.openedAt)
    .map((ticket) => {
      const connectionId = connectionOf.get(ticket.conversationId);
      return {
        id: ticket.id,
        connection: connectionId === undefined ? null : inv.nameOf(connectionId),
        status: ticket.status,
        source: ticket.source,
        originatedFrom: ticket.originatedFrom,
        openedAt: iso(ticket.openedAt),
        openedByExternalId: ticket.openedByExternalId,
        openedByEntry: liveEntryOf(ticket.openedByExternalId, fated),
        closedAt: iso(ticket.closedAt),
        messageWindowExpiresAt: iso(ticket.messageWindowExpiresAt),
      };
    });
}

/** Where the live copy of a message came in: it is what opened the ticket, whatever brought the row (T2). */
function liveEntryOf(externalId: string | null, fated: readonly FatedItem[]): string | null {
  if (externalId === null) return null;
  const opener = fated.find(
    ({ item, fate }) =>
      item.fact.kind === 'message' && item.fact.origin === 'live' && fate.row?.externalId === externalId,
  );
  return opener === undefined ? null : originOf(opener.item.entry);
}

/** What waits for messages of this contact: by the phone that wamids begin with, and by what the contact's own entries name. */
async function readPendingOfContact(
  inv: Investigation,
  names: readonly string[],
  fated: readonly FatedItem[],
): ReturnType<typeof readPendingOf> {
  const byPhone = await readPendingByPrefix(inv.sql, inv.connectionIds, wamidPrefixes(names), MOST_PENDING);
  const wanted = new Set(names);
  const own = byPhone.filter((one) => {
    const phone = decodeWamid(one.targetExternalId)?.phone;
    return phone !== undefined && wanted.has(phone);
  });
  const targets = fated.flatMap(({ item, fate }) =>
    fate.reason === 'no_message_yet' && item.connection !== null && 'targetExternalId' in item.fact
      ? [{ connectionId: item.connection.id, id: item.fact.targetExternalId }]
      : [],
  );
  const named = await readPendingOf(inv.sql, targets);
  const keyed = [...own, ...named].map(
    (one) =>
      [JSON.stringify([one.connectionId, one.targetExternalId, one.kind, one.at, one.payload]), one] as const,
  );
  return [...new Map(keyed).values()];
}
