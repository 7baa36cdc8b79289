import type { Sql } from '../../store/sql.js';
import { readConversationsById, type ConversationRow } from '../../store/tables/conversations.js';
import { readTicketsOfConversations, type TicketRow } from '../../store/tables/tickets.js';
import { groupBy } from '../../rules/group-by.js';
import type { Candidate } from './candidate.js';
import type { Merge } from './merge-candidates.js';

/** Conversations that merged messages move, each with its lead. */
export interface MovedThreads {
  /** Whose first or last message may be another one now. */
  ends: ReadonlyMap<string, string>;
  /** Whose open ticket rests on a message that has another time or name now. */
  tickets: ReadonlyMap<string, string>;
}

/** Looks for what moves: exact copies that go move nothing, nor does a time in the middle of a conversation. */
export async function findMoved(tx: Sql, merges: readonly Merge[]): Promise<MovedThreads> {
  const shifted = merges.filter(({ kept, lost, state }) =>
    [kept, ...lost].some(({ row }) => row.timestamp !== state.timestamp || row.source !== state.source),
  );
  const threads = new Map((await readConversationsById(tx, threadsOf(shifted))).map((row) => [row.id, row]));
  const ends = shifted.filter((merge) => movesEnds(merge, threads.get(merge.kept.row.conversationId)));

  const opening = merges.filter(({ kept, lost, state }) =>
    [kept, ...lost].some(
      (candidate) =>
        mayOpen(candidate) &&
        (candidate.row.timestamp !== state.timestamp || candidate.row.externalId !== state.externalId),
    ),
  );
  const tickets = groupBy(
    await readTicketsOfConversations(tx, threadsOf(opening)),
    (ticket) => ticket.conversationId,
  );
  const reread = opening.filter((merge) =>
    (tickets.get(merge.kept.row.conversationId) ?? []).some((ticket) => restsOn(ticket, merge)),
  );
  return { ends: leadsOf(ends), tickets: leadsOf(reread) };
}

function movesEnds({ kept, lost, state }: Merge, thread: ConversationRow | undefined): boolean {
  const { firstMessageAt: first = null, lastMessageAt: last = null } = thread ?? {};
  if (first === null || last === null) return true;
  return [state.timestamp, ...[kept, ...lost].map(({ row }) => row.timestamp)].some(
    (time) => time <= first || time >= last,
  );
}

/** A ticket is opened and refreshed by inbound messages (T1). Whether they came live, rows of other programs do not say. */
function mayOpen({ row }: Candidate): boolean {
  return row.direction === 'INBOUND';
}

function restsOn(ticket: TicketRow, { kept, lost, state }: Merge): boolean {
  if (ticket.status !== 'open') return false;
  if (kept.row.timestamp !== state.timestamp) return true;
  return [kept, ...lost].some(
    ({ row }) =>
      row.timestamp === ticket.openedAt ||
      row.timestamp === ticket.lastInboundAt ||
      row.externalId === ticket.openedByExternalId,
  );
}

function threadsOf(merges: readonly Merge[]): string[] {
  return [...new Set(merges.map(({ kept }) => kept.row.conversationId))].sort();
}

function leadsOf(merges: readonly Merge[]): Map<string, string> {
  return new Map(merges.map(({ kept: { row } }) => [row.conversationId, row.leadId]));
}
