import { streamOpenTickets, type OpenTicket } from '../../store/checks/tickets.js';
import { readTicketsOfLeads, type TicketRow } from '../../store/tickets.js';
import { CAME_LIVE_SQL } from '../plan/evidence.js';
import { planTickets } from '../plan/tickets.js';
import type { Check } from './check.js';
import { Recorder } from './recorder.js';
import { scopeOf } from './scope-of.js';
import { amount } from './words.js';

/**
 * Open tickets say what their messages and their lead's source say (T1-T4). Tickets that people or other programs opened, or
 * moved to another stage, are left alone.
 */
export const ticketRulesCheck: Check = {
  name: 'ticket_rules',
  title: 'open tickets follow their live messages and the source of their leads',
  async run(view) {
    const recorder = new Recorder(view, 'ticket_rules');
    for await (const page of streamOpenTickets(view.sql, scopeOf(view), CAME_LIVE_SQL)) {
      if (view.signal.aborted) break;
      const stored = await readTicketsOfLeads(view.sql, [...new Set(page.map(({ leadId }) => leadId))]);
      const planned = plannedUpdates(page, stored);
      for (const ticket of page) {
        recorder.checked += 1;
        const row = stored.find(({ id }) => id === ticket.id);
        const problems = [
          ...messageProblems(ticket),
          ...(row === undefined ? [] : sourceProblems(ticket, row, planned.get(ticket.id))),
        ];
        const { connectionId } = ticket;
        const subject = `ticket ${ticket.id}`;
        if (problems.length === 0) await recorder.good({ connectionId, subject, detail: 'open' });
        else await recorder.finding('*', { connectionId, subject, detail: problems.join('; ') });
      }
    }
    return recorder.found === 0
      ? recorder.result(`${amount(recorder.checked, 'open ticket')} as the rules want them`, null)
      : recorder.result(
          `${amount(recorder.found, 'open ticket is', 'open tickets are')} not as the rules want them`,
          'wa-reconcile replay --all',
        );
  },
};

/** What replay would make of the tickets' windows and origins (T3, T4), by ticket; the same rules, applied to no news. */
function plannedUpdates(page: readonly OpenTicket[], stored: readonly TicketRow[]): Map<string, TicketRow> {
  const sources = new Map(page.map(({ leadId, leadSource }) => [leadId, leadSource]));
  const { updates } = planTickets([], stored, sources, () => '');
  return new Map(updates.map((ticket) => [ticket.id, ticket]));
}

function messageProblems(ticket: OpenTicket): string[] {
  const { openedByExternalId, openerAt, openedAt, lastInboundAt, newestAt } = ticket;
  if (openedByExternalId === null) return ['T1: no message opened it'];
  if (openerAt === null)
    return [`T1: ${openedByExternalId} opened it, which is no live inbound message of its conversation`];
  const problems: string[] = [];
  if (openerAt !== openedAt)
    problems.push(`T1: opened at ${time(openedAt)}, its message came at ${time(openerAt)}`);
  if (lastInboundAt !== newestAt)
    problems.push(`T1: last inbound message at ${time(lastInboundAt)} instead of ${time(newestAt)}`);
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
      `T3: window until ${time(stored.messageWindowExpiresAt)} instead of ${time(planned.messageWindowExpiresAt)} (${leadSource})`,
    );
  }
  if (planned.originatedFrom !== stored.originatedFrom)
    problems.push(`T4: ${stored.originatedFrom} instead of ${planned.originatedFrom} (${leadSource})`);
  return problems;
}

function time(ms: number | null): string {
  return ms === null ? 'none' : new Date(ms).toISOString();
}
