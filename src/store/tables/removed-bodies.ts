import { arrayLiteral } from '../array-literal.js';
import {
  assignments,
  bytes,
  columns,
  integer,
  jsonObject,
  named,
  orNull,
  rowsOf,
  streamRowsOf,
  text,
  texts,
  unnestFound,
  unnestParameters,
  uuid,
  without,
  word,
  type RowOf,
} from '../columns.js';
import { integerOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { MESSAGES_SQL } from './expected-messages.js';
import { BAD_SIGNATURE, REMOVED_BODIES, takeBackRemovals } from './webhook-log.js';

/**
 * The next entries after `afterId` that are found by one of these names, or whose bytes have one of the patterns: at most `limit` are
 * looked at beyond those. `last` is null at the end. Reads the raw log.
 */
export async function findEntriesNaming(
  sql: Sql,
  { names, patterns }: { names: readonly string[]; patterns: readonly Uint8Array[] },
  afterId: string | null,
  limit: number,
): Promise<{ ids: string[]; last: string | null }> {
  const rows = await sql.query(
    `select id from (
       select w.id, w.chat_ids, w.raw_body from webhook_log w
       where ($3::uuid is null or w.id > $3::uuid) order by w.id offset 0
     ) w
     where chat_ids && $1::text[]
       or exists (select from unnest($2::bytea[]) as p (pattern) where position(p.pattern in w.raw_body) > 0)
     limit $4::int`,
    [arrayLiteral(names), arrayLiteral(patterns), afterId, limit],
  );
  const ids = rows.map((row) => textOf(row, 'id'));
  return { ids, last: ids.at(-1) ?? null };
}

const REWRITTEN = columns({
  id: uuid,
  /** Empty for an erased one. */
  rawBody: bytes,
  bodyState: word(['erased', 'redacted'] as const),
  counters: orNull(jsonObject),
  fields: texts,
  phoneNumberIds: texts,
  chatIds: texts,
});

/** An entry without what was about a person, and what it is found by then. */
export type RewrittenBody = RowOf<typeof REWRITTEN>;

/**
 * Puts other bodies in the place of entries that are as they came, or that lost something before, and journals under `runId` how many, in
 * the caller's transaction. The hash of what came stays. Returns their number.
 */
export async function rewriteBodies(tx: Sql, runId: string, rows: readonly RewrittenBody[]): Promise<number> {
  if (rows.length === 0) return 0;
  await takeBackRemovals(
    tx,
    rows.map(({ id }) => id),
  );
  const written = await tx.execute(
    `update webhook_log set ${assignments(without(REWRITTEN, 'id'))},
       -- Of an emptied one nothing is left to be applied, or to be read.
       status = case when r.body_state = 'erased' and error is distinct from '${BAD_SIGNATURE}' then 'processed' else status end,
       error = case when r.body_state = 'erased' and error is distinct from '${BAD_SIGNATURE}' then null else error end,
       body_run_id = $1::uuid, body_sha256 = case when r.body_state = 'redacted' then sha256(r.raw_body) end,
       body_messages = coalesce(webhook_log.body_messages, 0)
     from ${unnestFound('webhook_log', REWRITTEN, { first: 2 })} where webhook_log.id = r.found_id`,
    [runId, ...unnestParameters(REWRITTEN, rows)],
  );
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, before)
     select $1::uuid, '${REMOVED_BODIES}', jsonb_build_object('first', min(k.id), 'last', max(k.id)),
       jsonb_build_object('state', k.state, 'rows', count(*))
     from unnest($2::text[], $3::text[]) as k (id, state) group by k.state`,
    [runId, arrayLiteral(rows.map(({ id }) => id)), arrayLiteral(rows.map(({ bodyState }) => bodyState))],
  );
  return written;
}

/** Takes the names of a person out of what entries are found by. */
export async function unnameEntries(
  tx: Sql,
  ids: readonly string[],
  names: readonly string[],
): Promise<void> {
  await tx.execute(
    `update webhook_log set
       chat_ids = array(select name from unnest(chat_ids) with ordinality as c (name, place) where not name = any($2::text[]) order by place)
     where id = any($1::uuid[]) and chat_ids && $2::text[]`,
    [arrayLiteral(ids), arrayLiteral(names)],
  );
}

/** How many bodies were removed, and what of erased people was in them. */
interface RemovedBodies {
  pruned: number;
  /** Emptied, or written anew. */
  erased: number;
  items: number;
  /** Of the items, those that are messages: only these are in the accounts. */
  messages: number;
}

/** How many entries have no body, or another one than they came with, and how many items of erased people were in these. */
export async function countRemoved(sql: Sql): Promise<RemovedBodies> {
  const [row] = await sql.query(
    `select count(*) filter (where body_state = 'pruned')::int as pruned,
       count(*) filter (where body_state <> 'pruned')::int as erased, coalesce(sum(gone.items), 0)::bigint as items,
       coalesce(sum(gone.messages), 0)::bigint as messages
     from webhook_log w
     cross join lateral (
       select sum((reasons.value ->> 'erased')::bigint) as items,
         sum((reasons.value ->> 'erased')::bigint) filter (where reasons.key = 'message') as messages
       from jsonb_each(case when jsonb_typeof(w.counters -> 'skipped') = 'object' then w.counters -> 'skipped' else '{}' end) reasons
       where jsonb_typeof(reasons.value -> 'erased') = 'number'
     ) gone
     where body_state is not null`,
  );
  return row === undefined
    ? { pruned: 0, erased: 0, items: 0, messages: 0 }
    : {
        pruned: integerOf(row, 'pruned'),
        erased: integerOf(row, 'erased'),
        items: integerOf(row, 'items'),
        messages: integerOf(row, 'messages'),
      };
}

const EXCESS = columns({
  runId: orNull(uuid),
  /** How many entries more name the run than it has on record. */
  entries: integer,
  /** One of those that name it. */
  example: named('id', uuid),
});

/** Entries that name a run for the removal of their bodies, more of them than the run removed. */
export type ExcessRemovals = RowOf<typeof EXCESS>;

export async function readExcessRemovals(sql: Sql): Promise<ExcessRemovals[]> {
  const rows = await sql.query(
    `select w.body_run_id as run_id, (w.entries - coalesce(j.entries, 0))::int as entries, w.id
     from (
       select body_run_id, count(*) as entries, max(id::text)::uuid as id from webhook_log
       where body_state is not null group by body_run_id
     ) w
     left join lateral (
       select sum((before ->> 'rows')::bigint) as entries from change_journal
       where run_id = w.body_run_id and table_name = '${REMOVED_BODIES}'
     ) j on true
     where w.entries > coalesce(j.entries, 0) order by w.id`,
  );
  return rowsOf(EXCESS, rows);
}

const BARE = columns({
  id: uuid,
  origin: orNull(text),
  connectionId: orNull(uuid),
  /** How many messages are gone that named it. */
  messages: integer,
});

/** An entry without a body, from which a message has gone that no run has taken out. */
export type BareEntry = RowOf<typeof BARE>;

/** An entry of which messages are expected that its body no longer tells of, or no longer all. */
const HAS_EXPECTED = 'body_state is not null and body_messages > 0';

/**
 * Nothing but this number tells that they were there: their bodies are gone. Counts messages as retention did: a second row of one would
 * hide that another one is gone.
 */
export async function* streamBareEntries(
  tx: Sql,
  connectionIds: readonly string[] | null,
): AsyncGenerator<BareEntry[], void, undefined> {
  yield* streamRowsOf(
    tx,
    BARE,
    `select w.id, w.origin, c.id as connection_id, (w.body_messages - named.messages)::int as messages
     from (select * from webhook_log where ${HAS_EXPECTED}) w
     left join (
       select m.batch_id, ${MESSAGES_SQL} as messages from messages m
       join (select id from webhook_log where ${HAS_EXPECTED}) bare on bare.id = m.batch_id group by m.batch_id
     ) m on m.batch_id = w.id
     cross join lateral (select coalesce(m.messages, 0) as messages) named
     left join lateral (
       select id from connections where id = w.connection_scope or phone_number_id = any(w.phone_number_ids) order by id limit 1
     ) c on true
     where named.messages < w.body_messages and ($1::uuid[] is null or c.id = any($1::uuid[]))
     order by w.id`,
    [connectionIds === null ? null : arrayLiteral(connectionIds)],
  );
}
