import type { LeadSource } from '../../model/enumerations.js';
import type { Sql } from '../../store/sql.js';
import { recomputeConversationsOfLeads } from '../../store/tables/conversations.js';
import { readIdentitiesOfPeople, readLeadsById, updateLeads } from '../../store/tables/leads.js';
import { readRemainingInbound, readTicketsOfLeads, updateTickets } from '../../store/tables/tickets.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import { groupBy } from '../../rules/group-by.js';
import { projectLead } from '../../rules/lead-projection.js';
import { storedIdentity } from '../../rules/people.js';
import { planTickets } from '../../rules/tickets.js';

/**
 * Recomputes leads from their identities and messages (I6), and their open tickets from the leads and the live inbound
 * messages of `reread` (T3, T4). `areMerged`: they took over other leads, so that their identities also decide whether they are
 * active (I5). The caller corrects the conversations. Opens and closes no ticket. Returns the number of rows changed.
 */
export async function settleLeads(
  tx: Sql,
  leadIds: readonly string[],
  reread: readonly string[],
  { areMerged = false }: { areMerged?: boolean } = {},
): Promise<number> {
  if (leadIds.length === 0) return 0;
  const stored = await readLeadsById(tx, leadIds);
  const identities = groupBy(await readIdentitiesOfPeople(tx, leadIds), (row) => row.personId);
  const conversations = groupBy(await recomputeConversationsOfLeads(tx, leadIds), (row) => row.leadId);
  const leads = stored.map((lead) => ({
    id: lead.id,
    ...projectLead(
      (identities.get(lead.id) ?? []).map(storedIdentity),
      conversations.get(lead.id) ?? [],
      lead,
      areMerged,
    ),
  }));
  const changed = await updateLeads(tx, leads);
  const sources = new Map(leads.map((lead) => [lead.id, lead.source]));
  return changed + (await settleTickets(tx, sources, reread));
}

/**
 * Recomputes the open tickets of these leads from their sources and the live inbound messages of `reread` (T3, T4). Opens and
 * closes none. Returns the number of rows changed.
 */
export async function settleTickets(
  tx: Sql,
  sources: ReadonlyMap<string, LeadSource>,
  reread: readonly string[],
): Promise<number> {
  const tickets = await readTicketsOfLeads(tx, [...sources.keys()]);
  if (tickets.length === 0) return 0;
  // Only if a live message is left: this must not delete a ticket.
  const remaining = (await readRemainingInbound(tx, reread, CAME_LIVE_SQL)).filter(
    ({ first }) => first !== null,
  );
  const plan = planTickets([], tickets, sources, () => '', remaining);
  return updateTickets(tx, plan.updates);
}
