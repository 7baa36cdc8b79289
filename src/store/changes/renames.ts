import { arraysOf } from '../array-literal.js';
import type { Sql } from '../sql.js';
import { deleteReactions, readReactions, writeReactions } from '../tables/amendments.js';

/** An external id that a message gave up for another one. */
interface Rename {
  connectionId: string;
  conversationId: string;
  from: string;
  to: string;
}

/** When a key id becomes a wamid, its reactions and its ticket follow (M10). Returns the number of reactions. */
export async function followRenames(tx: Sql, renames: readonly Rename[]): Promise<number> {
  if (renames.length === 0) return 0;
  const to = new Map(renames.map((rename) => [`${rename.connectionId} ${rename.from}`, rename.to]));
  const old = renames.map((rename) => ({ connectionId: rename.connectionId, id: rename.from }));
  const reactions = await readReactions(tx, old);
  await writeReactions(
    tx,
    reactions.map((row) => ({
      ...row,
      targetExternalId: to.get(`${row.connectionId} ${row.targetExternalId}`) ?? row.targetExternalId,
    })),
  );
  await deleteReactions(tx, old);
  await renameTicketOpeners(tx, renames);
  return reactions.length;
}

/** Replies name their target within their own conversation; when it gets its wamid, they follow (M10). */
export async function renameContexts(
  tx: Sql,
  renames: readonly { conversationId: string; from: string; to: string }[],
): Promise<number> {
  if (renames.length === 0) return 0;
  // Reads each conversation once, whatever the number of names in it: the subquery list is hashed.
  return tx.execute(
    `update messages m set context_external_id = r.new_id
     from (
       select reply.id, r.new_id
       from (select distinct x.id from unnest($1::uuid[]) as x (id)) thread
       cross join lateral (
         select c.id, c.conversation_id, c.context_external_id from messages c
         where c.conversation_id = thread.id and c.context_external_id is not null
           and (c.context_external_id in (select n.id from unnest($2::text[]) as n (id))) is true offset 0
       ) reply
       join unnest($1::uuid[], $2::text[], $3::text[]) as r (conversation_id, old_id, new_id)
         on r.conversation_id = reply.conversation_id and r.old_id = reply.context_external_id
     ) r
     where m.id = r.id`,
    arraysOf(renames, 'conversationId', 'from', 'to'),
  );
}

/** Tickets name the message that opened them; when it gets its wamid, they follow (M10). */
async function renameTicketOpeners(
  tx: Sql,
  renames: readonly { conversationId: string; from: string; to: string }[],
): Promise<void> {
  if (renames.length === 0) return;
  // By conversation, which is indexed: by id alone, every batch of renames would read all tickets.
  await tx.execute(
    `update tickets t set opened_by_external_id = r.new_id
     from unnest($1::uuid[], $2::text[], $3::text[]) as r (conversation_id, old_id, new_id)
     cross join lateral (
       select id from tickets c
       where c.conversation_id = r.conversation_id and c.opened_by_external_id = r.old_id offset 0
     ) found
     where t.id = found.id`,
    arraysOf(renames, 'conversationId', 'from', 'to'),
  );
}
