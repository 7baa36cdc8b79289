import { arrayLiteral } from './array-literal.js';
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
  // Open tickets become one: that of the conversation that stays, with the earliest opening and the newest last message.
  // What people did with one of them (its stage) is kept. The doubled ones go first, because at most one may be open.
  await tx.execute(
    `with thread as (
       select move.lost_id as id, move.kept_id as kept_id from ${move}
       union
       select move.kept_id, move.kept_id from ${move}
     ),
     ranked as (
       select t.*, thread.kept_id,
         row_number() over (
           partition by thread.kept_id
           order by (t.conversation_id = thread.kept_id) desc, t.opened_at, t.opened_by_external_id collate "C", t.id
         ) as place
       from thread
       cross join lateral (select * from tickets where conversation_id = thread.id and status = 'open' offset 0) t
     ),
     earliest as (
       select distinct on (kept_id) kept_id, opened_at, opened_by_external_id from ranked
       order by kept_id, opened_at, opened_by_external_id collate "C" nulls last
     ),
     gone as (delete from tickets t using ranked where t.id = ranked.id and ranked.place > 1)
     update tickets t set
       opened_at = earliest.opened_at,
       opened_by_external_id = coalesce(earliest.opened_by_external_id, t.opened_by_external_id),
       last_inbound_at = greatest(t.last_inbound_at, others.last_inbound_at),
       stage = case when t.stage = 'new' then coalesce(others.stage, t.stage) else t.stage end
     from ranked kept
     join earliest on earliest.kept_id = kept.kept_id
     join (
       select kept_id, max(last_inbound_at) as last_inbound_at,
         (array_agg(stage order by last_inbound_at desc nulls last, id) filter (where stage <> 'new'))[1] as stage
       from ranked where place > 1 group by kept_id
     ) others on others.kept_id = kept.kept_id
     where t.id = kept.id and kept.place = 1`,
    ids,
  );
  await tx.execute(
    `update tickets t set conversation_id = move.kept_id, lead_id = move.kept_lead_id
     from ${move} where t.conversation_id = move.lost_id`,
    ids,
  );
  await tx.execute(`delete from conversations c using ${move} where c.id = move.lost_id`, ids);
}
