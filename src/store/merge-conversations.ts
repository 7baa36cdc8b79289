import { arrayLiteral } from './array-literal.js';
import { mergeOpenTickets } from './merge-tickets.js';
import type { Sql } from './sql.js';

/** Two conversations of one lead on one connection, as ids: `from` ends, `into` stays. */
export interface ConversationMove {
  from: string;
  into: string;
  /** The lead of `into`. */
  leadId: string;
}

/** The order of conversations that are one: the earlier comes first, and survives. */
export function earlierFirst(conversation: string): string {
  return ['first_message_at', 'created_at', 'id'].map((column) => `${conversation}.${column}`).join(', ');
}

/**
 * Moves messages and tickets of `from` to `into`; several may go into one. The times of `into` are left to the caller, who
 * reads them from its messages. Set-based; no `into` may be a `from`.
 */
export async function mergeConversations(tx: Sql, moves: readonly ConversationMove[]): Promise<void> {
  if (moves.length === 0) return;
  const move = `unnest($1::uuid[], $2::uuid[], $3::uuid[]) as move (lost_id, kept_id, kept_lead_id)`;
  const ids = [
    arrayLiteral(moves.map((pair) => pair.from)),
    arrayLiteral(moves.map((pair) => pair.into)),
    arrayLiteral(moves.map((pair) => pair.leadId)),
  ];
  await tx.execute(
    `update messages m set conversation_id = move.kept_id, lead_id = move.kept_lead_id
     from ${move} where m.conversation_id = move.lost_id`,
    ids,
  );
  await mergeOpenTickets(
    tx,
    moves.flatMap(({ from, into }) => [
      { id: from, keptId: into },
      { id: into, keptId: into },
    ]),
  );
  await tx.execute(
    `update tickets t set conversation_id = move.kept_id, lead_id = move.kept_lead_id
     from ${move} where t.conversation_id = move.lost_id`,
    ids,
  );
  await tx.execute(`delete from conversations c using ${move} where c.id = move.lost_id`, ids);
}
