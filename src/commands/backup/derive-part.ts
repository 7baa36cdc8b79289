import { judgeLeadValues, judgeTickets } from '../../audit/derived-rows.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import {
  readLeadIds,
  readOpenTickets,
  readTicketLeads,
  recomputeLeads,
} from '../../store/checks/conversations.js';
import { WHOLE } from '../../store/checks/scope.js';
import type { Sql } from '../../store/sql.js';
import { readLeadsById, updateLeads } from '../../store/tables/leads.js';
import { updateTickets } from '../../store/tables/tickets.js';

/** Leads per statement. */
const PAGE = 1_000;

/**
 * What the rows of people derive from their conversations, once those of other connections have stayed behind: last message, source
 * and first-seen time of leads (I6), and the window and the origin of their open tickets (T3, T4). The names and the phone of a
 * person are the organization's, and stay. In the transaction of the restore.
 */
export async function derivePart(tx: Sql, signal: AbortSignal): Promise<void> {
  await eachPage(
    signal,
    (after) => readLeadIds(tx, WHOLE, after, PAGE),
    (ids) => deriveLeads(tx, ids),
  );
  // After all leads: a ticket follows the source of its own.
  await eachPage(
    signal,
    (after) => readTicketLeads(tx, after, PAGE),
    async (ids) => {
      const tickets = await readOpenTickets(tx, WHOLE, CAME_LIVE_SQL, ids);
      await updateTickets(
        tx,
        (await judgeTickets(tx, tickets)).flatMap(({ corrected }) => corrected ?? []),
      );
    },
  );
}

async function deriveLeads(tx: Sql, ids: readonly string[]): Promise<void> {
  await recomputeLeads(tx, ids);
  const derived = new Map((await judgeLeadValues(tx, ids)).map(({ corrected }) => [corrected.id, corrected]));
  const stored = await readLeadsById(tx, [...derived.keys()]);
  await updateLeads(
    tx,
    stored.map((lead) => {
      const { source, firstSeenAt } = derived.get(lead.id) ?? lead;
      return { ...lead, source, firstSeenAt };
    }),
  );
}

async function eachPage(
  signal: AbortSignal,
  read: (after: string | null) => Promise<string[]>,
  work: (ids: readonly string[]) => Promise<void>,
): Promise<void> {
  for (let after: string | null = null; ;) {
    signal.throwIfAborted();
    const ids: string[] = await read(after);
    after = ids.at(-1) ?? null;
    if (after === null) return;
    await work(ids);
  }
}
