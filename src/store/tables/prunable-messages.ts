import { arrayLiteral, isOneOfMany } from '../array-literal.js';
import { isKeySound, MESSAGE_KEY } from '../checks/schema.js';
import { streamRows } from '../columns.js';
import { integerOf, textOf } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';
import { MESSAGES_SQL } from './expected-messages.js';
import { WHOLE_ROW_SQL } from './messages.js';

/** What tells whether the messages that name an entry are as they were. Sums, because their order does not matter. */
export interface MessagesOfEntry {
  id: string;
  rows: number;
  /** Of the transactions that last wrote them: cheap, and another one even if nothing else changed. */
  versions: string;
}

/** The same with what the messages say, whoever wrote them last. */
export interface ContentsOfEntry extends MessagesOfEntry {
  contents: string;
}

/** An entry that retention empties, with the messages that name it. */
export interface PrunableEntry extends MessagesOfEntry {
  /** As they are expected later: two rows of one id are one message. */
  messages: number;
  /** Their ids, as elements of an array literal; empty if none name it. */
  messageIds: string;
}

const ROWS_SQL = `m.batch_id, count(*)::int as rows, sum(m.xmin::text::bigint)::text as versions`;
const CONTENTS_SQL = `sum(hashtextextended(${WHOLE_ROW_SQL}, 0))::text as contents`;

/**
 * The messages that name each of these entries, which are in storage order. One pass over the messages for all of them: no index leads
 * from an entry to its messages. In a transaction.
 */
export async function readPrunableMessages(tx: Sql, ids: readonly string[]): Promise<PrunableEntry[]> {
  const named = `${MESSAGES_SQL} as messages, string_agg(m.id::text, ',') as message_ids`;
  return readNaming(tx, ids, named, (id, row) => ({
    ...messagesOf(id, row),
    messages: row === undefined ? 0 : integerOf(row, 'messages'),
    messageIds: row === undefined ? '' : textOf(row, 'message_ids'),
  }));
}

/** What the messages say that name each of these entries, which are in storage order. One pass over the messages, too. */
export async function readContents(tx: Sql, ids: readonly string[]): Promise<ContentsOfEntry[]> {
  return readNaming(tx, ids, CONTENTS_SQL, contentsOf);
}

async function readNaming<T>(
  tx: Sql,
  ids: readonly string[],
  what: string,
  entryOf: (id: string, row?: SqlRow) => T,
): Promise<T[]> {
  const pages = streamRows(
    tx,
    `select ${ROWS_SQL}, ${what}
     from messages m where ${isOneOfMany('m.batch_id', '$1')} group by m.batch_id order by m.batch_id`,
    [arrayLiteral(ids)],
  );
  const entries: T[] = [];
  let at = 0;
  for await (const page of pages)
    for (const row of page) {
      const named = textOf(row, 'batch_id');
      for (let id = ids[at]; id !== undefined && id <= named; id = ids[at]) {
        entries.push(entryOf(id, id === named ? row : undefined));
        at += 1;
      }
    }
  return [...entries, ...ids.slice(at).map((id) => entryOf(id))];
}

/**
 * Keeps the messages of these entries as they are until the caller's transaction ends: whoever wants to write one waits. Nobody is waited
 * for here. Gives the entries of which all messages are kept, as they are now: of the others one is gone, or is being written.
 */
export async function holdMessages(
  tx: Sql,
  entries: readonly PrunableEntry[],
): Promise<Map<string, MessagesOfEntry>> {
  const held = new Map<string, MessagesOfEntry>(
    entries.filter(({ rows }) => rows === 0).map((entry) => [entry.id, entry]),
  );
  if (held.size === entries.length) return held;
  const rows = await tx.query(
    `select ${ROWS_SQL} from (select batch_id, xmin from messages where id = any($1::uuid[]) for share skip locked) m
     where m.batch_id is not null group by m.batch_id`,
    [idsOfMessages(entries)],
  );
  const now = new Map(rows.map((row) => [textOf(row, 'batch_id'), row]));
  for (const entry of entries) {
    const row = now.get(entry.id);
    if (row !== undefined && integerOf(row, 'rows') === entry.rows)
      held.set(entry.id, messagesOf(entry.id, row));
  }
  return held;
}

/** What the messages say that these entries were found to have, by their ids: for so many as one batch holds. */
export async function readContentsOfHeld(
  tx: Sql,
  entries: readonly PrunableEntry[],
): Promise<ContentsOfEntry[]> {
  const rows = await tx.query(
    `select ${ROWS_SQL}, ${CONTENTS_SQL} from messages m
     where m.id = any($1::uuid[]) and m.batch_id is not null group by m.batch_id`,
    [idsOfMessages(entries)],
  );
  return rows.map((row) => contentsOf(textOf(row, 'batch_id'), row));
}

function idsOfMessages(entries: readonly PrunableEntry[]): string {
  return `{${entries.flatMap(({ messageIds }) => (messageIds === '' ? [] : messageIds)).join(',')}}`;
}

function messagesOf(id: string, row?: SqlRow): MessagesOfEntry {
  return row === undefined
    ? { id, rows: 0, versions: '' }
    : { id, rows: integerOf(row, 'rows'), versions: textOf(row, 'versions') };
}

function contentsOf(id: string, row?: SqlRow): ContentsOfEntry {
  return { ...messagesOf(id, row), contents: row === undefined ? '' : textOf(row, 'contents') };
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
