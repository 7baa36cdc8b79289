import { INCLUDABLE_CHATS, PRUNE_CLASSES, type PruneClass } from '../../model/enumerations.js';
import { arrayLiteral, arraysOf, isOneOfMany } from '../array-literal.js';
import { bigint, columns, orNull, rowsOf, streamRows, text, word, type RowOf } from '../columns.js';
import { integerOf, textOf } from '../row.js';
import type { Sql, SqlParameter } from '../sql.js';
import type { PrunableEntry } from './prunable-messages.js';
import { connectionNamesSql, IS_INTACT_SQL, REMOVED_BODIES } from './webhook-log.js';

/** Which bodies retention is about. */
export interface PruneSelection {
  /** Received before then, ms since 1970; stored before then, where the log does not say. */
  before: number;
  classes: readonly PruneClass[];
  /** Of what says how an account stands, the entries that keep their bodies, because they decide it; null: every one. */
  deciding: readonly string[] | null;
}

/** The class that the reason of a skipped item makes. */
const CLASS_OF_CHAT = INCLUDABLE_CHATS.map(
  (chat) => `when '${chat}' then '${chat === 'status_broadcast' ? 'status' : chat}'`,
).join(' ');

/**
 * The entries that retention may be about, with the classes of what they hold. Never: what is not applied as a whole (pending, failed,
 * rejected or refused items), what is of a connection still to be known, what waits for its message, and what is applied anew when others
 * come: entries that name no number (H1), exported chats (M11, M12) and rows of a CRM (C6). Nor what says how an account stands:
 * alerts are raised from it, unless a later one has overtaken it. (It names an account and no number, and nothing of it is filed.)
 */
const CANDIDATES = `
  select w.id, w.raw_body, w.connection_scope, w.phone_number_ids, held.classes
  from webhook_log w
  cross join lateral (
    select coalesce(sum((e.value)::text::bigint), 0) as items from jsonb_each(
      case when jsonb_typeof(w.counters) = 'object' then w.counters else '{}' end) e
    where jsonb_typeof(e.value) = 'number'
  ) seen
  cross join lateral (
    select coalesce(sum((reason.value)::text::bigint), 0) as items,
      array_agg(distinct case reason.key ${CLASS_OF_CHAT} end) as classes
    from jsonb_each(case when jsonb_typeof(w.counters -> 'skipped') = 'object' then w.counters -> 'skipped' else '{}' end) kind
    cross join lateral jsonb_each(kind.value) reason
    where reason.key = any(array[${INCLUDABLE_CHATS.map((chat) => `'${chat}'`).join(', ')}])
  ) left_out
  cross join lateral (
    select case when seen.items > 0 and left_out.items = seen.items and not w.counters ? 'include'
      then left_out.classes else array['processed'] end as classes
  ) held
  where w.status in ('processed', 'ignored') and w.body_state is null
    and coalesce(w.received_at, w.created_at) < $1::timestamptz
    and held.classes <@ $2::text[]
    and (w.provider = 'baileys' or w.provider = 'meta' and (w.phone_number_ids <> '{}' or w.fields = '{account_update}'))
    and not 'whatsapp_chat_exporter' = any(w.fields)
    and (not 'account_update' = any(w.fields) or $3::uuid[] is not null and not w.id = any($3::uuid[]))
    and not exists (select from pending_facts p where p.webhook_log_id = w.id)
    and not exists (select from rejects r where r.webhook_log_id = w.id)`;

function parametersOf({ before, classes, deciding }: PruneSelection): SqlParameter[] {
  return [new Date(before), arrayLiteral(classes), deciding === null ? null : arrayLiteral(deciding)];
}

const PRUNE_GROUP = columns({
  /** Of several, the first in the order of {@link PRUNE_CLASSES}. */
  class: word(PRUNE_CLASSES),
  /** Names of the entries' connections; phone_number_ids for unknown ones. */
  connection: orNull(text),
  entries: bigint,
  /** As they are stored: large ones are compressed. */
  bytes: bigint,
});

/** Bodies of one class and connection that retention is about. */
export type PruneGroup = RowOf<typeof PRUNE_GROUP>;

/**
 * What would be removed, by class and connection, without the entries that keep their bodies. Reads the raw log once, of its bodies only
 * how large they are.
 */
export async function groupPrunable(
  sql: Sql,
  selection: PruneSelection,
  kept: readonly string[] = [],
): Promise<PruneGroup[]> {
  const order = PRUNE_CLASSES.map((name, at) => `when '${name}' = any(c.classes) then ${at}`).join(' ');
  const rows = await sql.query(
    `select (array[${PRUNE_CLASSES.map((name) => `'${name}'`).join(', ')}])[place + 1] as class, connection,
       count(*) as entries, sum(bytes) as bytes
     from (
       select case ${order} end as place, named.names as connection, pg_column_size(c.raw_body) as bytes
       from (${CANDIDATES}) c
       cross join lateral (
         select ${connectionNamesSql('c')} as names
       ) named
       where not ${isOneOfMany('c.id', '$4')}
     ) grouped
     group by place, connection order by place, connection nulls last`,
    [...parametersOf(selection), arrayLiteral(kept)],
  );
  return rowsOf(PRUNE_GROUP, rows);
}

/** Ids of the next entries of a selection after `afterId`, in storage order: at most `limit`. Empty at the end. In a transaction. */
export async function readPrunable(
  tx: Sql,
  selection: PruneSelection,
  afterId: string | null,
  limit: number,
): Promise<string[]> {
  const ids: string[] = [];
  const pages = streamRows(
    tx,
    `select c.id from (${CANDIDATES} and ($4::uuid is null or w.id > $4::uuid)) c
     order by c.id limit $5::int`,
    [...parametersOf(selection), afterId, limit],
  );
  for await (const page of pages) for (const row of page) ids.push(textOf(row, 'id'));
  return ids;
}

/** Those of these entries that a selection is not about, also those that are gone. */
export async function readOutside(
  sql: Sql,
  selection: PruneSelection,
  ids: readonly string[],
): Promise<string[]> {
  const rows = await sql.query(
    `select k.id from unnest($4::uuid[]) as k (id)
     where k.id not in (select c.id from (${CANDIDATES} and w.id = any($4::uuid[])) c)`,
    [...parametersOf(selection), arrayLiteral(ids)],
  );
  return rows.map((row) => textOf(row, 'id'));
}

/**
 * Empties the bodies of entries that are as they came, and journals under `runId` how many, in the caller's transaction: what is
 * on record with a run is what the run did. Returns their number, and how much they took.
 */
export async function pruneBodies(
  tx: Sql,
  runId: string,
  entries: readonly Pick<PrunableEntry, 'id' | 'messages'>[],
): Promise<{ entries: number; bytes: number }> {
  const none = { entries: 0, bytes: 0 };
  if (entries.length === 0) return none;
  const [row] = await tx.query(
    `with pruned as (
       update webhook_log set raw_body = ''::bytea, body_state = 'pruned', body_run_id = $1::uuid, body_messages = due.messages
       from (
         select k.id, k.messages, w.bytes from unnest($2::uuid[], $3::int[]) as k (id, messages)
         cross join lateral (
           select pg_column_size(raw_body) as bytes from webhook_log
           where id = k.id and body_state is null and status in ('processed', 'ignored') and ${IS_INTACT_SQL} offset 0
         ) w
       ) due
       where webhook_log.id = due.id returning due.id, due.bytes
     ), told as (
       insert into change_journal (run_id, table_name, key, before)
       select $1::uuid, '${REMOVED_BODIES}', jsonb_build_object('first', min(id::text), 'last', max(id::text)),
         jsonb_build_object('state', 'pruned', 'rows', count(*), 'bytes', sum(bytes))
       from pruned having count(*) > 0
     )
     select count(*)::int as entries, coalesce(sum(bytes), 0)::bigint as bytes from pruned`,
    [runId, ...arraysOf(entries, 'id', 'messages')],
  );
  return row === undefined ? none : { entries: integerOf(row, 'entries'), bytes: integerOf(row, 'bytes') };
}
