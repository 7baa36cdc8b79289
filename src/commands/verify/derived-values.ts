import type { Scope } from '../../store/checks/scope.js';
import {
  readLeadIds,
  readOpenTickets,
  readTicketLeads,
  judgeConversations,
  judgeLeads,
  recomputeLeads,
  type JudgedRow,
} from '../../store/checks/conversations.js';
import { clearMalformed } from '../../store/checks/malformed.js';
import { deleteMisusedPhones, readMisusedPhones } from '../../store/checks/misused-phones.js';
import { placeTickets, readMisplacedTickets } from '../../store/checks/ticket-homes.js';
import { journaled, type JournalScope } from '../../store/journal/journal.js';
import type { Sql } from '../../store/sql.js';
import { readConnections } from '../../store/tables/connections.js';
import { recomputeConversations, updateConversations } from '../../store/tables/conversations.js';
import { clearPhones, readPhoneHolders, updateLeads } from '../../store/tables/leads.js';
import { updateTickets } from '../../store/tables/tickets.js';
import type { Context } from '../../context.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import { inBatch } from '../../ingest/runs/in-batch.js';
import { judgeLeadValues, judgeTickets } from '../../audit/derived-rows.js';
import type { CheckName, Recomputed } from './types.js';

/** Rows, or leads with their tickets, per transaction. */
const BATCH = 1_000;

interface Correction {
  runId: string;
  scope: Scope;
  /** Only values covered by these checks are corrected. */
  checks: ReadonlySet<CheckName>;
}

/** One page of rows, inside its transaction: its end, null at the last one, and the number of changed rows. */
type Page = (tx: Sql, after: string | null) => Promise<PageEnd>;
interface PageEnd {
  last: string | null;
  changed: number;
}

/**
 * Clears values that cannot be read (`consistency`), and corrects wrong derived ones: the ends of conversations and leads (`conversation_times`), the open tickets
 * (`ticket_rules`). Goes page by page in id order, each in one transaction with its journal, so that `undo` can revert
 * it and a kill costs one page: the next run finds what is still wrong. Counts into `done` as batches commit. Stops
 * between two batches when `ctx.signal` aborts.
 */
export async function correctDerived(ctx: Context, correction: Correction, done: Recomputed): Promise<void> {
  const { checks } = correction;
  const organizations = (await readConnections(ctx.store.sql)).map(({ organizationId }) => organizationId);
  const through = async (count: Exclude<keyof Recomputed, 'messages'>, page: Page): Promise<void> => {
    let after: string | null = null;
    while (!ctx.signal.aborted) {
      const end: PageEnd = await inBatch(ctx, { organizations }, (tx) => page(tx, after));
      done[count] += end.changed;
      if (end.last === null) return;
      after = end.last;
    }
  };
  // First what cannot be read: the values below are derived from it.
  if (checks.has('consistency')) await through('malformed', malformedPage(correction));
  if (checks.has('conversation_times')) {
    await through('conversations', conversationPage(correction));
    // A lead's last message is read from the messages, whatever its conversations say.
    await through('leads', leadPage(correction));
  }
  if (checks.has('consistency')) await through('leads', misusedPhonePage(correction));
  if (checks.has('lead_values')) await through('leads', leadValuePage(correction));
  // An origin follows from the lead's other tickets: first each goes to its own lead.
  if (checks.has('ticket_rules') || checks.has('consistency'))
    await through('tickets', placePage(correction));
  if (checks.has('ticket_rules')) await through('tickets', ticketPage(correction));
}

/** All at once: there are few, and each table is read through to find them. */
function malformedPage({ scope }: Correction): Page {
  return async (tx) => ({ last: null, changed: await clearMalformed(tx, scope) });
}

function conversationPage({ runId, scope }: Correction): Page {
  return async (tx, after) => {
    const rows = await judgeConversations(tx, scope, after, BATCH);
    return correctPage(tx, runId, rows, {
      journal: (conversationIds) => ({ conversationIds }),
      correct: async (ids) => updateConversations(tx, await recomputeConversations(tx, ids)),
    });
  };
}

function leadPage({ runId, scope }: Correction): Page {
  return async (tx, after) => {
    const rows = await judgeLeads(tx, scope, after, BATCH);
    return correctPage(tx, runId, rows, {
      journal: (bareLeadIds) => ({ bareLeadIds }),
      correct: (ids) => recomputeLeads(tx, ids),
    });
  };
}

function leadValuePage({ runId, scope }: Correction): Page {
  return async (tx, after) => {
    const ids = await readLeadIds(tx, scope, after, BATCH);
    const judged = (await judgeLeadValues(tx, ids)).map(({ corrected }) => corrected);
    const holders = await readPhoneHolders(tx, judged);
    // A lead of another program that has the phone is the same person: the next replay joins the two.
    const taken = new Set(holders.flatMap((held) => (held.isMisnamed ? [] : [held.phoneNumber])));
    const wrong = judged.filter(({ phoneNumber }) => phoneNumber === null || !taken.has(phoneNumber));
    const misnamed = holders.flatMap(({ leadId, isMisnamed }) => (isMisnamed ? [leadId] : []));
    const bareLeadIds = [...wrong.map(({ id }) => id), ...misnamed];
    const correct = async (): Promise<number> => {
      await clearPhones(tx, bareLeadIds);
      return updateLeads(tx, wrong);
    };
    const changed = wrong.length === 0 ? 0 : await journaled(tx, runId, { bareLeadIds }, correct);
    return { last: ids.length < BATCH ? null : (ids.at(-1) ?? null), changed };
  };
}

async function correctPage(
  tx: Sql,
  runId: string,
  rows: readonly JudgedRow[],
  {
    journal,
    correct,
  }: {
    journal: (ids: readonly string[]) => JournalScope;
    correct: (ids: readonly string[]) => Promise<number>;
  },
): Promise<PageEnd> {
  const wrong = rows.filter(({ isWrong }) => isWrong).map(({ id }) => id);
  const changed = wrong.length === 0 ? 0 : await journaled(tx, runId, journal(wrong), () => correct(wrong));
  return { last: rows.length < BATCH ? null : (rows.at(-1)?.id ?? null), changed };
}

/** What is taken leaves the query: so do the next ones, until none is left. */
function misusedPhonePage({ runId, scope }: Correction): Page {
  return async (tx) => {
    const names = scope.connectionIds === null ? await readMisusedPhones(tx, BATCH) : [];
    const leadIds = [...new Set(names.map(({ personId }) => personId))];
    const changed =
      names.length === 0 ? 0 : await journaled(tx, runId, { leadIds }, () => deleteMisusedPhones(tx, names));
    return { last: names.length < BATCH ? null : (names.at(-1)?.value ?? null), changed };
  };
}

/** Whatever is put in its place leaves the query: so do the next ones, until none is left. */
function placePage({ runId, scope }: Correction): Page {
  return async (tx) => {
    const misplaced = await readMisplacedTickets(tx, scope, CAME_LIVE_SQL, BATCH);
    if (misplaced.length === 0) return { last: null, changed: 0 };
    const conversationIds = misplaced.flatMap((ticket) => [ticket.fromConversationId, ticket.conversationId]);
    const scopeOfJournal = { conversationIds: [...new Set(conversationIds)] };
    const changed = await journaled(tx, runId, scopeOfJournal, () => placeTickets(tx, misplaced));
    return { last: changed === 0 ? null : (misplaced.at(-1)?.id ?? null), changed };
  };
}

/** By lead: a ticket's origin depends on the lead's other tickets. */
function ticketPage({ runId, scope }: Correction): Page {
  return async (tx, after) => {
    const leadIds = await readTicketLeads(tx, after, BATCH);
    const tickets = await readOpenTickets(tx, scope, CAME_LIVE_SQL, leadIds);
    const corrected = (await judgeTickets(tx, tickets)).flatMap((judged) => judged.corrected ?? []);
    const conversationIds = [...new Set(corrected.map((ticket) => ticket.conversationId))];
    const changed =
      corrected.length === 0
        ? 0
        : await journaled(tx, runId, { conversationIds }, () => updateTickets(tx, corrected));
    return { last: leadIds.length < BATCH ? null : (leadIds.at(-1) ?? null), changed };
  };
}
