import { arrayLiteral, isOneOfMany } from '../array-literal.js';
import { isKeySound, MESSAGE_KEY } from '../checks/schema.js';
import { streamRows } from '../columns.js';
import { integerOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { MESSAGES_SQL } from './expected-messages.js';

/** An entry that retention empties, with what tells later whether a message that names it has been written, or is gone. */
export interface PrunableEntry {
  id: string;
  /** As they are expected later: two rows of one id are one message. */
  messages: number;
  rows: number;
  /** The sum of the transactions that last wrote these messages. */
  versions: bigint;
  /** The places of these messages in their table, as elements of an array literal; empty if none name it. */
  places: string;
}

/**
 * The messages that name each of these entries, which are in storage order. One pass over the messages for all of them: no index leads
 * from an entry to its messages. In a transaction.
 */
export async function readPrunableMessages(tx: Sql, ids: readonly string[]): Promise<PrunableEntry[]> {
  const entries = ids.map((id) => ({ id, messages: 0, rows: 0, versions: 0n, places: '' }));
  const pages = streamRows(
    tx,
    `select batch_id, ${MESSAGES_SQL} as messages, count(*)::int as rows, sum(xmin::text::bigint)::text as versions,
       string_agg('"' || ctid::text || '"', ',') as places
     from messages m where ${isOneOfMany('batch_id', '$1')} group by batch_id order by batch_id`,
    [arrayLiteral(ids)],
  );
  let at = 0;
  for await (const page of pages)
    for (const row of page) {
      const id = textOf(row, 'batch_id');
      while ((entries[at]?.id ?? id) < id) at += 1;
      const entry = entries[at];
      if (entry?.id !== id) continue;
      entry.messages = integerOf(row, 'messages');
      entry.rows = integerOf(row, 'rows');
      entry.versions = BigInt(textOf(row, 'versions'));
      entry.places = textOf(row, 'places');
    }
  return entries;
}

/**
 * Those of the entries of which a message has been written since it was read, is gone, or is being written. The others' messages stay as
 * they are until the caller's transaction ends: whoever wants to write one waits. Nobody is waited for here. A row version that is
 * replaced leaves its place, and what comes to that place is of a later transaction.
 */
export async function holdUnchanged(tx: Sql, entries: readonly PrunableEntry[]): Promise<Set<string>> {
  const named = entries.filter(({ rows }) => rows > 0);
  if (named.length === 0) return new Set();
  const rows = await tx.query(
    `select batch_id, count(*)::int as rows, sum(xmin::text::bigint)::text as versions
     from (select batch_id, xmin from messages where ctid = any($1::tid[]) for share skip locked) m
     where batch_id is not null group by batch_id`,
    [`{${named.map(({ places }) => places).join(',')}}`],
  );
  const held = new Map(
    rows.map((row) => [textOf(row, 'batch_id'), [integerOf(row, 'rows'), textOf(row, 'versions')]]),
  );
  return new Set(
    named.flatMap(({ id, rows: read, versions }) => {
      const [still, versionsNow] = held.get(id) ?? [];
      return still === read && versionsNow === String(versions) ? [] : [id];
    }),
  );
}

/** The messages that name one of these entries. Reads all messages: no index leads to them. */
export async function readMessagesNaming(sql: Sql, entryIds: readonly string[]): Promise<string[]> {
  const rows = await sql.query(`select id from messages where ${isOneOfMany('batch_id', '$1')}`, [
    arrayLiteral(entryIds),
  ]);
  return rows.map((row) => textOf(row, 'id'));
}

/**
 * The entries that a repair may need: those that name somebody whom one of `entryIds` names, or to whom one of these messages belongs, and
 * those that the messages name.
 */
export async function findEntriesConcerning(
  sql: Sql,
  { entryIds, messageIds }: { entryIds: readonly string[]; messageIds: readonly string[] },
): Promise<Set<string>> {
  if (entryIds.length + messageIds.length === 0) return new Set();
  const rows = await sql.query(
    `with concerned as materialized (
       select lead_id, batch_id from messages where id = any($2::uuid[])
     ), names as materialized (
       select name from webhook_log cross join unnest(chat_ids) as name where id = any($1::uuid[])
       union
       select i.value from lead_identities i
       where i.person_id in (select lead_id from concerned) or i.lead_id in (select lead_id from concerned)
       union
       select l.phone_number from leads l where l.id in (select lead_id from concerned) and l.phone_number is not null
     )
     select w.id from webhook_log w where w.chat_ids && (select array_agg(name) from names)
     union
     select batch_id from concerned where batch_id is not null`,
    [arrayLiteral(entryIds), arrayLiteral(messageIds)],
  );
  return new Set(rows.map((row) => textOf(row, 'id')));
}

/** The messages that share their id with another one; none if the unique index exists. Reads all messages. */
export async function readDoubledMessages(sql: Sql): Promise<string[]> {
  if (await isKeySound(sql, MESSAGE_KEY)) return [];
  const rows = await sql.query(
    `select unnest(array_agg(id)) as id from messages
     where external_id is not null group by connection_id, external_id having count(*) > 1`,
  );
  return rows.map((row) => textOf(row, 'id'));
}
