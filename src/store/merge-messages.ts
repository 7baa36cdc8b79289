import { arrayLiteral } from './array-literal.js';
import { textOf } from './row.js';
import type { Sql } from './sql.js';

/** Keys of media that this tool writes itself. */
const OWN_KEYS = `'{id,mimeType,sha256,fileName}'::text[]`;

/** What of a row's media this tool does not know: other keys, or, where it is no object, the whole under `value`. */
const UNKNOWN_MEDIA = `case jsonb_typeof(m.media)
    when 'object' then m.media - ${OWN_KEYS}
    when 'null' then '{}'
    else jsonb_build_object('value', m.media) end`;

/** Rows into which others went. */
export interface MergedRows {
  kept: string;
  lost: readonly string[];
}

/**
 * Media as other programs wrote them, beyond what this tool knows: a URL, a size. Read before rows are merged, by row id, as
 * JSON; nearly always nothing.
 */
export async function readUnknownMedia(tx: Sql, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query(
    `select m.id, (${UNKNOWN_MEDIA})::text as unknown from unnest($1::uuid[]) as k (id)
     cross join lateral (select id, media from messages where id = k.id limit 1) m
     where m.media is not null and ${UNKNOWN_MEDIA} <> '{}'`,
    [arrayLiteral(ids)],
  );
  return new Map(rows.map((row) => [textOf(row, 'id'), textOf(row, 'unknown')]));
}

/** Puts back what {@link readUnknownMedia} found: of the row that stays, and of those that go, where the former has no such key. */
export async function keepUnknownMedia(
  tx: Sql,
  merged: readonly MergedRows[],
  unknown: ReadonlyMap<string, string>,
): Promise<void> {
  const parts = merged.flatMap(({ kept, lost }) =>
    [...[...lost].reverse(), kept].flatMap((id, rank) => {
      const json = unknown.get(id);
      return json === undefined ? [] : [{ kept, rank, json }];
    }),
  );
  if (parts.length === 0) return;
  await tx.execute(
    `update messages m set media = part.unknown || coalesce(case when jsonb_typeof(m.media) = 'object' then m.media end, '{}')
     from (
       select kept, jsonb_object_agg(key, value order by rank) as unknown
       from unnest($1::uuid[], $2::int[], $3::jsonb[]) as r (kept, rank, json) cross join lateral jsonb_each(r.json)
       group by kept
     ) part
     where m.id = part.kept and (m.media @> part.unknown) is not true`,
    [
      arrayLiteral(parts.map((part) => part.kept)),
      arrayLiteral(parts.map((part) => part.rank)),
      arrayLiteral(parts.map((part) => part.json)),
    ],
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
