import { amount } from '../../model/amount.js';
import { remedy } from '../../model/remedy.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import { planTickets, type RemainingInbound } from '../../rules/tickets.js';
import { streamOpenTickets, streamTicketless, type OpenTicket } from '../../store/checks/conversations.js';
import type { Sql } from '../../store/sql.js';
import { readRemainingInbound, readTicketsOfLeads, type TicketRow } from '../../store/tables/tickets.js';
import { ENFORCE_VALUES_REMEDY, forEachRow, scopeOf, type Check } from './check.js';

/** A person decides about a ticket without its message, but only after a replay has restored the log's messages. */
export const BY_HAND = ': close or keep by hand';

/**
 * Open tickets match their messages and their lead's source (T1-T4). Ignores tickets that people or other programs
 * opened or moved to another stage. A live message without a ticket (T2) is only noted: another program may have
 * removed the ticket on purpose, and the two look alike.
 */
export const ticketRulesCheck: Check = {
  severity: 'degraded',
  async run(view, recorder) {
    let baseless = 0;
    let fixable = 0;
    for await (const page of streamOpenTickets(view.sql, scopeOf(view), CAME_LIVE_SQL)) {
      if (view.signal.aborted) break;
      for (const { ticket, problems, corrected, isBaseless } of await judgeTickets(view.sql, page)) {
        recorder.checked += 1;
        const { connectionId } = ticket;
        const subject = `ticket ${ticket.id}`;
        if (problems.length === 0) await recorder.good({ connectionId, subject, detail: 'open' });
        else {
          if (isBaseless) baseless += 1;
          if (corrected !== null) fixable += 1;
          await recorder.finding('*', { connectionId, subject, detail: problems.join('; ') });
        }
      }
    }
    await forEachRow(view, streamTicketless(view.sql, scopeOf(view), CAME_LIVE_SQL), (row) =>
      recorder.note('-', {
        connectionId: row.connectionId,
        subject: row.externalId,
        detail: `came live at ${time(row.timestamp)}, and no ticket of its conversation is open or was closed since`,
      }),
    );
    const { checked, found, noted } = recorder;
    if (found === 0) {
      const follow = amount(checked, 'open ticket follows', 'open tickets follow');
      const none = `${amount(noted, 'conversation has', 'conversations have')} no ticket for the newest live message`;
      return noted === 0
        ? { summary: `${follow} the open/close rules` }
        : {
            summary: `${follow} the open/close rules; ${none}`,
            remedy: remedy(
              'replay',
              ['--all'],
              'opens the tickets again, if no other program has removed them',
            ),
          };
    }
    const wrong = `${amount(found, 'open ticket does', 'open tickets do')} not follow the open/close rules`;
    const decided = `${amount(baseless, 'of them has', 'of them have')} no live message in the database${BY_HAND}`;
    return {
      summary: baseless === 0 ? wrong : `${wrong}; ${decided}`,
      remedy: fixable > 0 ? ENFORCE_VALUES_REMEDY : null,
    };
  },
};

/** An open ticket, its fault, and its correct state by the rules. */
interface JudgedTicket {
  ticket: OpenTicket;
  /** `window until … instead of …`; empty if correct. */
  problems: string[];
  /** Null if nothing can be corrected. */
  corrected: TicketRow | null;
  /** It disagrees with its messages, and no stored live message can correct it. */
  isBaseless: boolean;
}

/** Compares open tickets with their messages and their leads' sources (T1, T3, T4). Read-only. */
export async function judgeTickets(sql: Sql, tickets: readonly OpenTicket[]): Promise<JudgedTicket[]> {
  const rows = await readTicketsOfLeads(sql, [...new Set(tickets.map(({ leadId }) => leadId))]);
  const stored = new Map(rows.map((row) => [row.id, row]));
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
