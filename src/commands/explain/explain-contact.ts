import { findLackingNames, type LackingName } from '../../audit/identity-ledger.js';
import { entryRefOf } from '../../audit/outcome.js';
import { contactOfGap, gapWords } from '../../audit/owed-history.js';
import { amount } from '../../model/amount.js';
import { decodeWamid } from '../../identity/wamid.js';
import { ConfigError } from '../../model/errors.js';
import {
  readConversationCounts,
  readExplainedLead,
  type ConversationCount,
} from '../../store/queries/explain.js';
import { readGaps, readMissingChunks, readOwedHistory } from '../../store/tables/history.js';
import { readIdentitiesOfPeople, type IdentityRow } from '../../store/tables/leads.js';
import { readPendingByPrefix, readPendingOf } from '../../store/tables/amendments.js';
import { readTicketsOfLeads } from '../../store/tables/tickets.js';
import { erasedAt } from '../contacts/erased-people.js';
import { resolveContact, type ContactLead, theOneLead } from '../contacts/resolve-contact.js';
import { judgeContactRows, type ContactRows } from './contact-rows.js';
import { verdictsOfContact, gatherContactItems, messagesOf, noticeUnreadable } from './contact-items.js';
import { originOf, unreadableView, pendingNotes } from './fact-view.js';
import type { Investigation } from './investigation.js';
import type { ItemVerdict } from './item-verdicts.js';
import { mergesInto } from './message-story.js';
import { wamidPrefixes } from '../../identity/name-words.js';
import type { EntryItem } from './log-items.js';
import type {
  ContactExplanation,
  ConversationExplanation,
  ExplainedFact,
  PendingNote,
  TicketExplanation,
} from './result.js';
import type { LeadSource } from '../../model/enumerations.js';
import { UnionFind } from '../../rules/group-by.js';
import { whoIsNamed } from '../../rules/fact-traits.js';
import { bookStateOf, nodesOf } from '../../rules/identity-evidence.js';
import { newestNames } from '../../rules/lead-projection.js';
import { storedIdentity } from '../../rules/people.js';
import { rfc3339 } from '../../model/time.js';

const MOST_PENDING = 1000;

export interface ContactFindings {
  contact: ContactExplanation;
  /** One per message, however often it was received. */
  messages: ItemVerdict[];
  verdicts: ItemVerdict[];
  facts: ExplainedFact[];
  pending: PendingNote[];
  /** Names that the raw log gives it, and that are not stored. */
  lackingNames: LackingName[];
  /** Ids of entries that are found by something else than their bodies say. */
  misfiled: string[];
  /** What is wrong with its rows; null for a person who is no lead. */
  rows: ContactRows | null;
  /** Of a person who is no lead: when they were erased, and what only the secret key can tell. */
  erased: Awaited<ReturnType<typeof erasedAt>>;
}

/** Explains a contact: its identity, what the database has of it, and what the raw log has that the database lacks. */
export async function explainContact(inv: Investigation, typed: string): Promise<ContactFindings> {
  const [first] = inv.connections;
  const scope =
    inv.options.connection === undefined || first === undefined
      ? {}
      : { organizationId: first.organizationId };
  const contact = await resolveContact(inv.sql, typed, scope);
  if (contact.notice !== undefined) inv.notice(contact.notice);
  const known: ContactLead | null =
    contact.leads.length === 0 ? null : await theOneLead(inv.sql, contact, inv.ctx.secretKey);
  if (known !== null) inv.narrowTo(known.organizationId);
  const gathered = await gatherContactItems(inv, contact.names);
  noticeUnreadable(inv, gathered);
  const leadIds = new Set(known === null ? [] : [known.leadId]);
  const verdicts = verdictsOfContact(await inv.verdictsOn(gathered.items), leadIds);
  const messages = messagesOf(verdicts);
  const rows = known === null ? null : await judgeContactRows(inv, known.leadId, verdicts);
  const described = known === null ? noLead() : await describeLead(inv, known, verdicts);
  await noticeOwedHistory(inv, described.conversations, contact.names);
  return {
    contact: {
      ...described,
      names: contact.names,
      messages: { total: messages.length, outcomes: countOutcomes(messages) },
      entries: gathered.entries,
    },
    messages,
    verdicts,
    facts: [
      ...verdicts.map((verdict) => inv.view(verdict)),
      ...gathered.unreadable.map(({ entry, reason }) => unreadableView(entry, reason)),
    ],
    pending: await pendingNotes(inv, await readPendingOfContact(inv, contact.names, verdicts)),
    lackingNames: await findLackingNames(
      inv.sql,
      gathered.items.map((item) => ({ ...item, entry: entryRefOf(item.entry) })),
    ),
    misfiled: [...new Set([...gathered.misfiled, ...(rows?.misfiled ?? [])])],
    rows,
    erased: known === null ? await erasedAt(inv.sql, contact.names, inv.ctx.secretKey) : null,
  };
}

/**
 * Lists history that did not arrive on the contact's connections, as a possible reason for a gap: files of the phone's
 * history, which may hold anyone's messages, and parts that answers left out of this contact's chat. A contact without
 * a conversation may be on any connection.
 */
async function noticeOwedHistory(
  inv: Investigation,
  conversations: readonly ConversationExplanation[],
  names: readonly string[],
): Promise<void> {
  const visited = new Set(conversations.map(({ connection }) => connection));
  const addresses = names.map((name) =>
    name.includes('@') ? name : `${name.replace('+', '')}@s.whatsapp.net`,
  );
  for (const { connectionId, files } of await readOwedHistory(inv.sql)) {
    const connection = inv.nameOf(connectionId);
    if (!inv.connectionIds.includes(connectionId) || (visited.size > 0 && !visited.has(connection))) continue;
    if (files > 0) {
      inv.notice(
        `${connection}: ${amount(files, 'file')} of its history did not arrive; messages of this contact may be in ${files === 1 ? 'it' : 'them'}`,
      );
      inv.remedy({ do: 'link', connection });
    }
    for (const gap of await readGaps(inv.sql, connectionId, addresses)) {
      inv.notice(`${connection}: ${gapWords(gap)}`);
      inv.remedy({ do: 'import', contact: contactOfGap(gap), connection });
    }
  }
}

function countOutcomes(messages: readonly ItemVerdict[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { outcome, reason } of messages) {
    const isStored = outcome === 'created' || outcome === 'stored';
    const key = isStored ? 'stored' : reason === null ? outcome : `${outcome}: ${reason}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Object.fromEntries(counts);
}

type Described = Omit<ContactExplanation, 'names' | 'messages' | 'entries'>;

function noLead(): Described {
  return { lead: null, identities: [], merges: [], conversations: [], tickets: [] };
}

async function describeLead(
  inv: Investigation,
  { leadId }: ContactLead,
  verdicts: readonly ItemVerdict[],
): Promise<Described> {
  const { sql } = inv;
  const lead = await readExplainedLead(sql, leadId);
  if (lead === null) throw new ConfigError(`The lead ${leadId} was deleted while explain read it.`);
  const [identities, counts, merges] = await Promise.all([
    readIdentitiesOfPeople(sql, [leadId]),
    readConversationCounts(sql, leadId),
    mergesInto(inv, [leadId], lead.phone),
  ]);
  const shown = counts.filter((one) => inv.connectionIds.includes(one.connectionId));
  return {
    lead: {
      ...lead,
      ...namesOf(lead.name, identities),
      sourceBecause: sourceBecause(lead.source, identities, counts, (id) => inv.nameOf(id)),
      firstSeenAt: rfc3339(lead.firstSeenAt),
      lastMessageAt: rfc3339(lead.lastMessageAt),
      deletedAt: rfc3339(lead.deletedAt),
      ...listingOf(lead, identities),
    },
    identities: describeIdentities(identities, verdicts),
    merges,
    conversations: await describeConversations(inv, shown),
    tickets: await describeTickets(inv, leadId, counts, verdicts),
  };
}

/** Which source the lead's name comes from, and the name of each. */
function namesOf(
  name: string | null,
  identities: readonly IdentityRow[],
): Pick<NonNullable<ContactExplanation['lead']>, 'nameFrom' | 'namesFrom'> {
  const { bookName, profileName } = newestNames(identities.map(storedIdentity));
  const sources = [
    { from: 'address_book', said: bookName },
    { from: 'profile', said: profileName },
  ] as const;
  const namesFrom = sources.flatMap(({ from, said }) =>
    said === null ? [] : [{ from, name: said.value, at: rfc3339(said.at) }],
  );
  const from = namesFrom.find((one) => one.name === name)?.from ?? 'elsewhere';
  return { nameFrom: name === null ? null : from, namesFrom };
}

/** Who decided that the lead is active, or that it is not. */
function listingOf(
  { isActive, deletedAt }: { isActive: boolean; deletedAt: number | null },
  identities: readonly IdentityRow[],
): Pick<NonNullable<ContactExplanation['lead']>, 'addressBook' | 'isDecidedByOthers'> {
  const said = bookStateOf(identities.map(storedIdentity));
  const removedAt = said?.value === 'removed' ? said.at : null;
  return {
    addressBook: said === null ? null : { state: said.value, at: rfc3339(said.at) },
    isDecidedByOthers: isActive !== (removedAt === null) || deletedAt !== removedAt,
  };
}

function describeIdentities(
  identities: readonly IdentityRow[],
  verdicts: readonly ItemVerdict[],
): ContactExplanation['identities'] {
  const links = linksOf(
    identities.map(({ value }) => value),
    verdicts.map(({ item }) => item),
  );
  return identities.map(({ kind, value, firstSeenAt }) => {
    const link = links.get(value);
    return {
      kind,
      value,
      firstSeenAt: rfc3339(firstSeenAt),
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
      firstMessageAt: rfc3339(one.firstMessageAt),
      lastMessageAt: rfc3339(one.lastMessageAt),
    };
  });
}

async function describeTickets(
  inv: Investigation,
  leadId: string,
  conversations: readonly ConversationCount[],
  verdicts: readonly ItemVerdict[],
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
        openedAt: rfc3339(ticket.openedAt),
        openedByExternalId: ticket.openedByExternalId,
        openedByEntry: liveEntryOf(ticket.openedByExternalId, verdicts),
        closedAt: rfc3339(ticket.closedAt),
        messageWindowExpiresAt: rfc3339(ticket.messageWindowExpiresAt),
      };
    });
}

/** The entry of a message's live copy: it opened the ticket, even if another copy created the row (T2). */
function liveEntryOf(externalId: string | null, verdicts: readonly ItemVerdict[]): string | null {
  if (externalId === null) return null;
  const opener = verdicts.find(
    ({ item, row }) =>
      item.fact.kind === 'message' && item.fact.origin === 'live' && row?.externalId === externalId,
  );
  return opener === undefined ? null : originOf(opener.item.entry);
}

/**
 * Updates pending for messages of this contact: found by the phone in wamids, and by targets in the contact's entries.
 */
async function readPendingOfContact(
  inv: Investigation,
  names: readonly string[],
  verdicts: readonly ItemVerdict[],
): ReturnType<typeof readPendingOf> {
  const byPhone = await readPendingByPrefix(inv.sql, inv.connectionIds, wamidPrefixes(names), MOST_PENDING);
  const wanted = new Set(names);
  const own = byPhone.filter((one) => {
    const phone = decodeWamid(one.targetExternalId)?.phone;
    return phone !== undefined && wanted.has(phone);
  });
  const targets = verdicts.flatMap(({ item, reason }) =>
    reason === 'no_message_yet' && item.connection !== null && 'targetExternalId' in item.fact
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

/** The order for equal times in rule I6. */
const TIE_ORDER: readonly LeadSource[] = ['live_message', 'history_sync', 'state_sync'];

interface Evidence {
  at: number;
  source: LeadSource;
  what: string;
  connection: string | null;
}

/** The evidence for a lead's source (I6): the earliest by event time. Null if a person or a program set it. */
function sourceBecause(
  source: LeadSource,
  identities: readonly IdentityRow[],
  conversations: readonly ConversationCount[],
  nameOf: (connectionId: string) => string,
): NonNullable<ContactExplanation['lead']>['sourceBecause'] {
  if (source === 'direct_creation') return null;
  const [earliest] = evidence(identities, conversations, nameOf)
    .filter((one) => one.source === source)
    .sort((a, b) => a.at - b.at || TIE_ORDER.indexOf(a.source) - TIE_ORDER.indexOf(b.source));
  return earliest === undefined
    ? null
    : { what: earliest.what, at: rfc3339(earliest.at), connection: earliest.connection };
}

function evidence(
  identities: readonly IdentityRow[],
  conversations: readonly ConversationCount[],
  nameOf: (connectionId: string) => string,
): Evidence[] {
  const found: Evidence[] = [];
  for (const { firstMessageAt, firstMessageSource, connectionId } of conversations) {
    if (firstMessageAt === null || firstMessageSource === null) continue;
    const isHistory = firstMessageSource === 'history';
    found.push({
      at: firstMessageAt,
      source: isHistory ? 'history_sync' : 'live_message',
      what: isHistory ? 'history message' : firstMessageSource === 'live' ? 'live message' : 'echo',
      connection: nameOf(connectionId),
    });
  }
  for (const { bookFirstAt, liveFirstAt } of identities) {
    if (bookFirstAt !== null) {
      found.push({ at: bookFirstAt, source: 'state_sync', what: 'address-book entry', connection: null });
    }
    if (liveFirstAt !== null) {
      found.push({ at: liveFirstAt, source: 'live_message', what: 'live reaction', connection: null });
    }
  }
  return found;
}

interface Link {
  item: EntryItem;
  /** The name it was linked to. */
  to: string;
}

/**
 * Which fact linked each name to the contact: the first in log order that pairs it with another of its names (I3). The
 * first name needs none; a name without a link is a spelling of another (I1), or its entry was not read.
 */
function linksOf(names: readonly string[], items: readonly EntryItem[]): Map<string, Link> {
  const own = new Set(names);
  const groups = new UnionFind();
  const links = new Map<string, Link>();
  for (const name of names) groups.add(name);
  for (const item of items) {
    const said = [...new Set(whoIsNamed(item.fact).flatMap((who) => nodesOf(who).map((node) => node.value)))];
    const known = said.filter((name) => own.has(name));
    const [first, ...others] = known;
    if (first === undefined) continue;
    for (const other of others) {
      if (groups.find(first) === groups.find(other)) continue;
      groups.join(first, other);
      // A phone is a person's main name, so the other name was linked to it.
      const named = links.has(other) || (isPhone(other) && !links.has(first)) ? first : other;
      links.set(named, { item, to: named === other ? first : other });
    }
  }
  return links;
}

function isPhone(name: string): boolean {
  return name.startsWith('+');
}
