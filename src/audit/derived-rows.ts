import { remedy } from '../model/remedy.js';
import { CAME_LIVE_SQL } from '../rules/evidence.js';
import { groupBy } from '../rules/group-by.js';
import { projectLead, type LeadColumns } from '../rules/lead-projection.js';
import { storedIdentity } from '../rules/people.js';
import { planTickets, type RemainingInbound } from '../rules/tickets.js';
import { readOpenTickets, type OpenTicket } from '../store/checks/conversations.js';
import { WHOLE } from '../store/checks/scope.js';
import type { Sql } from '../store/sql.js';
import { readConversationsOfLeads, recomputeConversationsOfLeads } from '../store/tables/conversations.js';
import { readIdentitiesOfPeople, readLeadsById, type LeadRow } from '../store/tables/leads.js';
import { readTicketsAtHome } from '../store/checks/ticket-homes.js';
import { readRemainingInbound, type TicketRow } from '../store/tables/tickets.js';

/** For rows whose values the identities and messages decide. */
export const ENFORCE_VALUES_REMEDY = remedy('verify', ['--enforce'], 'corrects the derived values');

/**
 * The columns that only the log decides. People may give a lead another name or put it away; `conversation_times` checks
 * its last message.
 */
const WORDS = [
  ['phoneNumber', 'phone'],
  ['source', 'source'],
  ['firstSeenAt', 'first-seen time'],
] as const satisfies readonly (readonly [keyof LeadColumns, string])[];

/** A lead that differs from what its identities and messages give. */
export interface WrongLead {
  corrected: LeadRow;
  /** The columns that differ, readable. */
  words: string[];
}

/**
 * The wrong ones among these leads, by the messages themselves: the ends of a conversation may be wrong, too. A lead without
 * identities is another program's, and right as it is.
 */
export async function judgeLeadValues(sql: Sql, leadIds: readonly string[]): Promise<WrongLead[]> {
  const leads = await readLeadsById(sql, leadIds);
  const identities = groupBy(await readIdentitiesOfPeople(sql, leadIds), ({ personId }) => personId);
  const conversations = groupBy(await recomputeConversationsOfLeads(sql, leadIds), ({ leadId }) => leadId);
  return leads.flatMap((lead) => {
    const known = identities.get(lead.id);
    if (known === undefined) return [];
    const { phoneNumber, source, firstSeenAt } = projectLead(
      known.map(storedIdentity),
      conversations.get(lead.id) ?? [],
      lead,
      false,
    );
    const corrected = { ...lead, phoneNumber, source, firstSeenAt };
    const words = WORDS.flatMap(([column, word]) => (lead[column] === corrected[column] ? [] : [word]));
    return words.length === 0 ? [] : [{ corrected, words }];
  });
}

/** An open ticket, its fault, and its correct state by the rules. */
interface JudgedTicket {
  ticket: OpenTicket;
  /** `window until … instead of …`; empty if correct. */
  problems: string[];
  /** Null if nothing can be corrected. */
  corrected: TicketRow | null;
  /** It disagrees with its messages, and no stored live message can correct it. */
  isBaseless: boolean;
  /** It belongs to another lead or conversation. */
  isAway: boolean;
}

/**
 * Compares open tickets with their messages and the sources that their leads should have (T1, T3, T4). One that is with another lead or
 * conversation than it belongs to is told as such, and judged once it is back. Read-only.
 */
export async function judgeTickets(sql: Sql, open: readonly OpenTicket[]): Promise<JudgedTicket[]> {
  const leadIds = [...new Set(open.map(({ leadId }) => leadId))];
  const wrong = new Map(
    (await judgeLeadValues(sql, leadIds)).map(({ corrected }) => [corrected.id, corrected]),
  );
  const tickets = open.map((ticket) => ({
    ...ticket,
    leadSource: wrong.get(ticket.leadId)?.source ?? ticket.leadSource,
  }));
  const rows = await readTicketsAtHome(sql, leadIds, CAME_LIVE_SQL);
  const stored = new Map(rows.map((row) => [row.id, row]));
  const isAway = ({ id, conversationId, leadId }: OpenTicket): boolean => {
    const home = stored.get(id);
    return home !== undefined && (home.conversationId !== conversationId || home.leadId !== leadId);
  };
  const [away, present] = [tickets.filter(isAway), tickets.filter((ticket) => !isAway(ticket))];
  return [
    ...(await judgePresent(sql, present, rows, stored)),
    ...away.map((ticket) => ({ ticket, problems: [AWAY], corrected: null, isBaseless: false, isAway: true })),
  ];
}

const AWAY = 'is not with the lead and the conversation that it belongs to';

async function judgePresent(
  sql: Sql,
  tickets: readonly OpenTicket[],
  rows: readonly TicketRow[],
  stored: ReadonlyMap<string, TicketRow>,
): Promise<JudgedTicket[]> {
  const followed = plan(tickets, rows, []);
  const problems = tickets.map((ticket) => {
    const row = stored.get(ticket.id);
    return [
      ...messageProblems(ticket),
      ...(row === undefined ? [] : sourceProblems(ticket, row, followed.get(ticket.id))),
    ];
  });
  const reread = tickets.flatMap((ticket) =>
    messageProblems(ticket).length === 0 ? [] : ticket.conversationId,
  );
  const remaining = await readRemainingInbound(sql, [...new Set(reread)], CAME_LIVE_SQL);
  // Without a live message the ticket's start is unknown: only a person can decide whether to close it.
  const known = remaining.filter(({ first }) => first !== null);
  const isKnown = new Set(known.map(({ conversationId }) => conversationId));
  const corrected = plan(tickets, rows, known);
  return tickets.map((ticket, index) => ({
    ticket,
    problems: problems[index] ?? [],
    corrected: corrected.get(ticket.id) ?? null,
    isBaseless: messageProblems(ticket).length > 0 && !isKnown.has(ticket.conversationId),
    isAway: false,
  }));
}

/** What replay would make of these tickets (T1, T3, T4), by ticket; the same rules, applied to no new message. */
function plan(
  tickets: readonly OpenTicket[],
  stored: readonly TicketRow[],
  remaining: readonly RemainingInbound[],
): Map<string, TicketRow> {
  const sources = new Map(tickets.map(({ leadId, leadSource }) => [leadId, leadSource]));
  const { updates } = planTickets([], stored, sources, () => '', remaining);
  return new Map(updates.map((ticket) => [ticket.id, ticket]));
}

function messageProblems(ticket: OpenTicket): string[] {
  const { openedByExternalId, openerAt, openedAt, lastInboundAt, newestAt } = ticket;
  if (openedByExternalId === null) return ['no message opened it'];
  if (openerAt === null)
    return [`opened by ${openedByExternalId}, which is not a live inbound message of its conversation`];
  const problems: string[] = [];
  if (openerAt !== openedAt)
    problems.push(`opened at ${time(openedAt)}, its message arrived at ${time(openerAt)}`);
  if (lastInboundAt !== newestAt)
    problems.push(`last inbound message at ${time(lastInboundAt)} instead of ${time(newestAt)}`);
  return problems;
}

function sourceProblems(
  { leadSource }: OpenTicket,
  stored: TicketRow,
  planned: TicketRow | undefined,
): string[] {
  if (planned === undefined) return [];
  const problems: string[] = [];
  if (planned.messageWindowExpiresAt !== stored.messageWindowExpiresAt) {
    problems.push(
      `window until ${time(stored.messageWindowExpiresAt)} instead of ${time(planned.messageWindowExpiresAt)} (${leadSource})`,
    );
  }
  if (planned.originatedFrom !== stored.originatedFrom)
    problems.push(`origin ${stored.originatedFrom} instead of ${planned.originatedFrom} (${leadSource})`);
  return problems;
}

function time(ms: number | null): string {
  return ms === null ? 'none' : new Date(ms).toISOString();
}

/** A row of a contact that differs from what its identities and messages give. */
export interface WrongRow {
  table: 'lead' | 'conversation' | 'ticket';
  id: string;
  /** `phone`, `last message`, `window until … instead of …`. */
  what: string[];
}

/** The derived rows of one lead that are wrong: the lead, its conversations, its open tickets. Read-only. */
export async function judgeRowsOfLead(sql: Sql, leadId: string): Promise<WrongRow[]> {
  const [leads, values, conversations, recomputed, tickets] = await Promise.all([
    readLeadsById(sql, [leadId]),
    judgeLeadValues(sql, [leadId]),
    readConversationsOfLeads(sql, [leadId]),
    recomputeConversationsOfLeads(sql, [leadId]),
    readOpenTickets(sql, WHOLE, CAME_LIVE_SQL, [leadId]),
  ]);
  const stored = new Map(conversations.map((row) => [row.id, row]));
  const last = Math.max(...recomputed.map(({ lastMessageAt }) => lastMessageAt ?? -Infinity));
  const words = values.flatMap((wrong) => wrong.words);
  // A lead without a message has no last one.
  const lastMessageAt = Number.isFinite(last) ? last : null;
  if (leads.some((lead) => lead.lastMessageAt !== lastMessageAt)) words.push('last message');
  return [
    ...(words.length === 0 ? [] : [{ table: 'lead' as const, id: leadId, what: words }]),
    ...recomputed.flatMap((right) => {
      const row = stored.get(right.id);
      const what = ENDS.flatMap(([column, word]) => (row?.[column] === right[column] ? [] : [word]));
      return what.length === 0 ? [] : [{ table: 'conversation' as const, id: right.id, what }];
    }),
    ...(await judgeTickets(sql, tickets)).flatMap(({ ticket, problems }) =>
      problems.length === 0 ? [] : [{ table: 'ticket' as const, id: ticket.id, what: problems }],
    ),
  ];
}

const ENDS = [
  ['firstMessageAt', 'first message'],
  ['firstMessageSource', 'source of its first message'],
  ['lastMessageAt', 'last message'],
] as const;
