import { arrayLiteral } from '../array-literal.js';
import { columns, rowsOf, text, uuid, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';

/** Whom an erasure is about. */
export interface ErasedPerson {
  /** The person's leads, and what they were called before they were merged. */
  leadIds: readonly string[];
  /** Every name of theirs, as identities have it. */
  names: readonly string[];
  /** How a message in a group may write who wrote it. */
  authors: readonly string[];
  /** How texts may write their numbers and ids; nothing that another person may be called. */
  words: readonly string[];
}

/** The same, with the rows that are found by neither. */
export interface ErasedRows extends ErasedPerson {
  /** Messages that a CRM files under somebody else, although WhatsApp put the person's number into their ids. */
  misfiled: readonly string[];
}

/** A regular expression for texts with one of these words that is not a part of a longer one, as a number may be of another. */
export function naming(words: readonly string[]): string {
  const escaped = words.map((word) => word.replace(/[^\w@-]/g, '\\$&'));
  // Of nobody, nothing.
  return escaped.length === 0 ? '$.' : `(^|[^0-9A-Za-z])(${escaped.join('|')})([^0-9A-Za-z]|$)`;
}

/** How many rows of a table are about the person, or name them. */
export interface TableRows {
  table: string;
  rows: number;
}

/**
 * A condition: these people wrote the row `m` of messages in a group. Of a message that was revoked only its earlier versions say who
 * did. The parameter is a text of SQL.
 */
function isWrittenBy(authors: string): string {
  return `(m.raw_meta ->> 'participant' = any(${authors}::text[]) or m.id in (
    select r.message_id from message_revisions r where r.raw_meta ->> 'participant' = any(${authors}::text[])))`;
}

/**
 * A condition: the row `m` of messages is of these leads, these people wrote it in a group, or it is one of these rows. The parameters are
 * texts of SQL.
 */
export function isOfThem(leadIds: string, authors: string, ids: string): string {
  return `(m.lead_id = any(${leadIds}::uuid[]) or m.id = any(${ids}::uuid[]) or ${isWrittenBy(authors)})`;
}

/**
 * The messages of these authors in groups to which somebody has reacted: the reaction goes with its message, and does not always say
 * whose that is.
 */
export async function readReactedTo(sql: Sql, authors: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `select distinct m.external_id as id from messages m
     join message_reactions r on r.connection_id = m.connection_id and r.target_external_id = m.external_id
     where ${isWrittenBy('$1')}`,
    [arrayLiteral(authors)],
  );
  return rowsOf(columns({ id: text }), rows).map(({ id }) => id);
}

/** The ids of what these authors wrote in groups. */
export async function readWrittenInGroups(sql: Sql, authors: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `select distinct m.external_id as id from messages m
     where m.external_id is not null and ${isWrittenBy('$1')}`,
    [arrayLiteral(authors)],
  );
  return rowsOf(columns({ id: text }), rows).map(({ id }) => id);
}

/** Whether one of these authors wrote in a group. */
export async function hasWritten(sql: Sql, authors: readonly string[]): Promise<boolean> {
  const rows = await sql.query(`select from messages m where ${isWrittenBy('$1')} limit 1`, [
    arrayLiteral(authors),
  ]);
  return rows.length > 0;
}

const CHAT_BY_ID = columns({ leadId: uuid, externalId: text });

/**
 * Messages whose ids begin so, in chats with people of whom no number is known (a group has a name of its own). The
 * beginning of a wamid proves nothing: whoever asks has to decode it. Reads all messages.
 */
export async function readChatsByIds(
  sql: Sql,
  prefixes: readonly string[],
): Promise<RowOf<typeof CHAT_BY_ID>[]> {
  if (prefixes.length === 0) return [];
  const rows = await sql.query(
    `select m.lead_id, m.external_id from messages m
     join leads l on l.id = m.lead_id and l.phone_number is null
     where m.external_id like any($1::text[])
       and not exists (
         select from lead_identities i where i.person_id = m.lead_id and i.kind in ('phone', 'wa_id')
       )`,
    // Base64 has no character that a pattern reads as another one.
    [arrayLiteral(prefixes.map((prefix) => `${prefix}%`))],
  );
  return rowsOf(CHAT_BY_ID, rows);
}

const ROW_BY_ID = columns({ id: uuid, externalId: text });

/**
 * Messages of other people, known only from a CRM (`adopted`: SQL), whose ids begin so. The beginning of a wamid proves nothing: whoever
 * asks has to decode it. Reads all messages.
 */
export async function readMisfiled(
  sql: Sql,
  { leadIds }: Pick<ErasedPerson, 'leadIds'>,
  prefixes: readonly string[],
  adopted: string,
): Promise<RowOf<typeof ROW_BY_ID>[]> {
  if (prefixes.length === 0) return [];
  const rows = await sql.query(
    `select m.id, m.external_id from messages m
     where m.external_id like any($1::text[]) and m.lead_id <> all($2::uuid[]) and ${adopted}`,
    [arrayLiteral(prefixes.map((prefix) => `${prefix}%`)), arrayLiteral(leadIds)],
  );
  return rowsOf(ROW_BY_ID, rows);
}

/** Names of stored people after `after`, in order. */
export async function readStoredNames(sql: Sql, after: string, limit: number): Promise<string[]> {
  const rows = await sql.query(
    `select value from (
       select value from lead_identities where value > $1
       union select phone_number from leads where phone_number > $1
     ) n order by value limit $2::int`,
    [after, limit],
  );
  return rowsOf(columns({ value: text }), rows).map(({ value }) => value);
}

/** Who wrote in groups, or reacted there, as the items say it. */
export async function readStoredAuthors(sql: Sql): Promise<string[]> {
  const rows = await sql.query(
    `select distinct m.raw_meta ->> 'participant' as author from messages m where m.raw_meta ->> 'participant' is not null
     union select raw_meta ->> 'participant' from message_revisions where raw_meta ->> 'participant' is not null
     union select reactor from message_reactions where reactor is not null`,
  );
  return rowsOf(columns({ author: text }), rows).map(({ author }) => author);
}

/** What the person is called: names that may stand in a text. */
export async function readNamesOfPerson(sql: Sql, leadIds: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `select distinct name from (
       select unnest(array[push_name, username]) as name from leads where id = any($1::uuid[])
       union all
       select unnest(array[profile_name, username, book_name]) from lead_identities where person_id = any($1::uuid[])
     ) n where name is not null and btrim(name) <> '' order by name`,
    [arrayLiteral(leadIds)],
  );
  return rowsOf(columns({ name: text }), rows).map(({ name }) => name);
}

/** Who has one of these names, in any organization, by what is known of them or by the phone of their row. */
export async function findPeopleNamed(sql: Sql, names: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `select person_id as id from lead_identities where value = any($1::text[])
     union select id from leads where phone_number = any($1::text[])`,
    [arrayLiteral(names)],
  );
  return rowsOf(columns({ id: text }), rows).map(({ id }) => id);
}
