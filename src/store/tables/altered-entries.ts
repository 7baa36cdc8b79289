import { arrayLiteral, arraysOf } from '../array-literal.js';
import { columns, orNull, rowOf, rowsOf, text, texts, uuid, type RowOf } from '../columns.js';
import { hashTailSql, idTailSql } from '../entry-id.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { BAD_SIGNATURE, IS_INTACT_SQL } from './webhook-log.js';

/**
 * Gives entries the hash of their bytes back where it was changed, so that the same bytes are one row: the file that brings them
 * proves that they are what was stored. And the hash of the bytes that their id is made of, where others were put in their place
 * with their hash: the file's bytes follow.
 */
export async function restoreHashes(
  tx: Sql,
  entries: readonly { connectionScope: string; sha256: Uint8Array }[],
): Promise<void> {
  if (entries.length === 0) return;
  // In the words of the index `webhook_log_altered`, which holds next to nothing.
  await tx.execute(
    `update webhook_log set sha256 = due.sha256
     from (
       select distinct on (k.connection_scope, k.sha256) w.id, k.sha256
       from (
         select id, connection_scope, sha256(raw_body) as actual from webhook_log
         where ${IS_INTACT_SQL}::integer = 0 offset 0
       ) w
       join unnest($1::uuid[], $2::bytea[]) as k (connection_scope, sha256)
         on k.connection_scope = w.connection_scope and case when substr(w.id::text, 15, 1) = '8'
           then ${idTailSql('w.id')} = ${hashTailSql('k.sha256')} else k.sha256 = w.actual end
       where not exists (
         select from webhook_log own where own.connection_scope = k.connection_scope and own.sha256 = k.sha256
       )
       order by k.connection_scope, k.sha256, w.id
     ) due
     where webhook_log.id = due.id`,
    [...arraysOf(entries, 'connectionScope', 'sha256')],
  );
}

/** The tables whose rows name a raw entry, and the column that does. */
const NAMED_BY = [
  ['messages', 'batch_id'],
  ['rejects', 'webhook_log_id'],
  ['history_chunks', 'webhook_log_id'],
  ['pending_facts', 'webhook_log_id'],
] as const;

/**
 * Gives entries the id back under which they were stored, where another program changed it: rows name the old one, which holds the
 * beginning of the hash of these bytes, and the file that brings the bytes proves that they are the entry. If no row names one, only an
 * id that contradicts the bytes becomes `fitting`. Reads every name of an entry: for the few entries that need it. Returns whether any id changed.
 */
export async function restoreIds(
  tx: Sql,
  entries: readonly { id: string; sha256: Uint8Array; fitting: string }[],
): Promise<boolean> {
  if (entries.length === 0) return false;
  const named = NAMED_BY.map(([table, column]) => `select ${column} as id from ${table}`).join(' union ');
  const rows = await tx.query(
    `select k.id, coalesce(old.id, k.fitting) as right_id
     from unnest($1::uuid[], $2::bytea[], $3::uuid[]) as k (id, sha256, fitting)
     left join lateral (
       select min(named.id::text)::uuid as id from (${named}) named
       where substr(named.id::text, 15, 1) = '8' and ${idTailSql('named.id')} = ${hashTailSql('k.sha256')}
         and not exists (select from webhook_log w where w.id = named.id)
     ) old on true
     where old.id is not null or substr(k.id::text, 15, 1) = '8'`,
    arraysOf(entries, 'id', 'sha256', 'fitting'),
  );
  if (rows.length === 0) return false;
  const pairs = [
    arrayLiteral(rows.map((row) => textOf(row, 'id'))),
    arrayLiteral(rows.map((row) => textOf(row, 'right_id'))),
  ];
  // Written under the changed id, and under the old one before.
  await tx.execute(
    `delete from rejects r using unnest($1::uuid[], $2::uuid[]) as k (id, right_id)
     where r.webhook_log_id = k.id and exists (
       select from rejects o where o.webhook_log_id = k.right_id and o.path = r.path and o.reason = r.reason
     )`,
    pairs,
  );
  for (const [table, column] of [['webhook_log', 'id'] as const, ...NAMED_BY])
    await tx.execute(
      `update ${table} set ${column} = k.right_id from unnest($1::uuid[], $2::uuid[]) as k (id, right_id)
       where ${table}.${column} = k.id`,
      pairs,
    );
  return true;
}

/** Of larger entries it is only asked whom they are about: a search for many ids in megabytes would take long. */
const SEARCHED_BYTES = { many: 256 * 1024, few: 8 * 1024 };

/**
 * Which of these messages name an entry whose bytes do not, or that is about others, or that has a bad signature: it may not hold
 * them. `searches`: how large the entries are in which the ids are looked for.
 */
export async function findUnlikelyClaims(
  tx: Sql,
  messageIds: readonly string[],
  searches: keyof typeof SEARCHED_BYTES = 'many',
): Promise<Set<string>> {
  if (messageIds.length === 0) return new Set();
  const rows = await tx.query(
    `select m.id from unnest($1::uuid[]) as k (id)
     cross join lateral (
       select id, batch_id, lead_id, external_id, stanza_id from messages where id = k.id offset 0
     ) m
     cross join lateral (select * from webhook_log where id = m.batch_id limit 1) w
     where w.error is not distinct from '${BAD_SIGNATURE}' or case when octet_length(w.raw_body) <= ${SEARCHED_BYTES[searches]}
       then position(convert_to(m.external_id, 'UTF8') in w.raw_body) = 0
         and (m.stanza_id is null or position(convert_to(m.stanza_id, 'UTF8') in w.raw_body) = 0)
       else not exists (
         select from lead_identities i where i.lead_id = m.lead_id and i.value = any(w.chat_ids)
       ) end`,
    [arrayLiteral(messageIds)],
  );
  return new Set(rows.map((row) => textOf(row, 'id')));
}

const REPLACED_ENTRY = columns({ id: uuid, runId: orNull(uuid), origin: orNull(text) });

/**
 * One of the entries which these messages name, whose bytes do not name the contact of the message although they did when the
 * entry was stored: other bytes stand in their place. Null where there is none.
 */
export async function findReplacedEntry(
  sql: Sql,
  messageIds: readonly string[],
): Promise<RowOf<typeof REPLACED_ENTRY> | null> {
  if (messageIds.length === 0) return null;
  const [row] = await sql.query(
    `select w.id, w.run_id, w.origin from unnest($1::uuid[]) as k (id)
     cross join lateral (select lead_id, batch_id from messages where id = k.id offset 0) m
     cross join lateral (select * from webhook_log where id = m.batch_id limit 1) w
     cross join lateral (
       select bool_or(i.value = any(w.chat_ids)) as was_named,
         bool_or(position(convert_to(split_part(ltrim(i.value, '+'), '@', 1), 'UTF8') in w.raw_body) > 0) as is_named
       from lead_identities i where i.lead_id = m.lead_id
     ) names
     where names.was_named and not names.is_named
     order by w.id limit 1`,
    [arrayLiteral(messageIds)],
  );
  return row === undefined ? null : rowOf(REPLACED_ENTRY, row);
}

const ORPHAN_OWNER = columns({ connectionId: orNull(uuid), phoneNumberIds: texts });

/** Whose messages an entry brought that names numbers which no connection has. */
export type OrphanOwner = RowOf<typeof ORPHAN_OWNER>;

/**
 * The connections whose messages name entries of numbers that no connection has, with these numbers;
 * null for entries without messages. The first three: more is not asked.
 */
export async function readOrphanOwners(sql: Sql): Promise<OrphanOwner[]> {
  const rows = await sql.query(
    `select distinct m.connection_id, w.phone_number_ids
     from webhook_log w left join messages m on m.batch_id = w.id
     where w.phone_number_ids <> '{}' and w.status in ('processed', 'partial')
       and not exists (select from connections c where c.phone_number_id = any(w.phone_number_ids))
     order by m.connection_id limit 3`,
  );
  return rowsOf(ORPHAN_OWNER, rows);
}
