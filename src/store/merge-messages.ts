import type { JsonObject } from '../model/json.js';
import { arrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';

/** Puts media that this tool does not know (a URL, a size) back beside those that it does, where an update left them out. */
export async function addUnknownMedia(
  tx: Sql,
  rows: readonly { id: string; media: JsonObject }[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(
    `update messages m
     set media = r.unknown || coalesce(case when jsonb_typeof(m.media) = 'object' then m.media end, '{}')
     from unnest($1::uuid[], $2::jsonb[]) as r (id, unknown)
     where m.id = r.id and (m.media @> r.unknown) is not true`,
    [arrayLiteral(rows.map((row) => row.id)), arrayLiteral(rows.map((row) => JSON.stringify(row.media)))],
  );
}

/** A row that did not say which raw entry and run brought it takes over what a double of it says. */
export async function adoptOrigins(
  tx: Sql,
  rows: readonly { id: string; batchId: string | null; runId: string | null }[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(
    `update messages m set batch_id = coalesce(m.batch_id, r.batch_id), run_id = coalesce(m.run_id, r.run_id)
     from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as r (id, batch_id, run_id) where m.id = r.id`,
    [
      arrayLiteral(rows.map((row) => row.id)),
      arrayLiteral(rows.map((row) => row.batchId)),
      arrayLiteral(rows.map((row) => row.runId)),
    ],
  );
}

/** Replies name what they answer, in their own conversation; when that gets its wamid, they follow (M10). */
export async function renameContexts(
  tx: Sql,
  renames: readonly { conversationId: string; from: string; to: string }[],
): Promise<number> {
  if (renames.length === 0) return 0;
  // Each conversation is read once, whatever the number of names in it: the list in brackets is hashed.
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
    [
      arrayLiteral(renames.map((rename) => rename.conversationId)),
      arrayLiteral(renames.map((rename) => rename.from)),
      arrayLiteral(renames.map((rename) => rename.to)),
    ],
  );
}
