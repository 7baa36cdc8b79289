import { arrayLiteral } from '../array-literal.js';
import { bigint, columns, rowsOf, text, type RowOf } from '../columns.js';
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

/** A regular expression for texts with one of these words that is not a part of a longer one, as a number may be of another. */
export function naming(words: readonly string[]): string {
  const escaped = words.map((word) => word.replace(/[^\w@-]/g, '\\$&'));
  // Of nobody, nothing.
  return escaped.length === 0 ? '$.' : `(^|[^0-9A-Za-z])(${escaped.join('|')})([^0-9A-Za-z]|$)`;
}

const TABLE_ROWS = columns({ table: text, rows: bigint });

/** How many rows of a table are about the person, or name them. */
export type TableRows = RowOf<typeof TABLE_ROWS>;

/** A condition: the row `m` of messages is of these leads, or these people wrote it in a group. The parameters are texts of SQL. */
export function isOfThem(leadIds: string, authors: string): string {
  return `(m.lead_id = any(${leadIds}::uuid[]) or m.raw_meta ->> 'participant' = any(${authors}::text[]))`;
}

const MESSAGES = `(select m.id, m.connection_id, m.external_id from messages m where ${isOfThem('$1', '$4')})`;

/** Whether the row `t` names the person. */
const NAMES_THEM = `t::text ~ $3`;

/** What rows are found by: the lead where they have one, their message, and else what they say. `cameLive`: a row `m` of messages did. */
const rulesOf = (cameLive: string): readonly (readonly [table: string, condition: string])[] => [
  ['leads', 't.id = any($1::uuid[])'],
  ['lead_identities', 't.person_id = any($1::uuid[]) or t.value = any($2::text[])'],
  ['conversations', 't.lead_id = any($1::uuid[])'],
  ['messages', `t.id in (select id from ${MESSAGES} m)`],
  ['message_revisions', `t.message_id in (select id from ${MESSAGES} m)`],
  [
    'message_reactions',
    `(t.connection_id, t.target_external_id) in (select connection_id, external_id from ${MESSAGES} m) or t.reactor = any($2::text[] || $4::text[])`,
  ],
  // With the person gone, nobody has opened the ticket of a group in which nobody else wrote.
  [
    'tickets',
    `t.lead_id = any($1::uuid[]) or t.source = 'incoming_message'
      and t.conversation_id in (select m.conversation_id from messages m where ${isOfThem('$1', '$4')})
      and not exists (
        select from messages m where m.conversation_id = t.conversation_id and m.direction = 'INBOUND' and ${cameLive}
          and ${isOfThem('$1', '$4')} is not true
      )`,
  ],
  ['sync_logs', `t.lead_id = any($1::uuid[]) or ${NAMES_THEM}`],
  [
    'media_files',
    `(t.connection_id, t.message_id) in (select connection_id, external_id from ${MESSAGES} m)`,
  ],
  ...['rejects', 'change_journal', 'history_gaps', 'alert_acks', 'saved_comparisons', 'sync_runs'].map(
    (table) => [table, NAMES_THEM] as const,
  ),
  ['owed_files', 't.chat_jid ~ $3'],
  ['discarded_bodies', `encode(t.raw_body, 'escape') ~ $3`],
];

/** What of a person is in each table but the raw log; tables without anything are left out. Reads all of them once. */
export async function countRowsOf(
  sql: Sql,
  { leadIds, names, words, authors }: ErasedPerson,
  cameLive: string,
): Promise<TableRows[]> {
  const counts = rulesOf(cameLive).map(
    ([table, condition], place) =>
      `select ${place} as place, '${table}' as table, count(*) as rows from ${table} t where ${condition}`,
  );
  const rows = await sql.query(
    `select "table", rows from (${counts.join(' union all ')}) c where rows > 0 order by place`,
    [arrayLiteral(leadIds), arrayLiteral(names), naming([...words, ...leadIds]), arrayLiteral(authors)],
  );
  return rowsOf(TABLE_ROWS, rows);
}

/**
 * The messages of these authors in groups to which somebody has reacted: the reaction goes with its message, and does not always say
 * whose that is.
 */
export async function readReactedTo(sql: Sql, authors: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `select distinct m.external_id as id from messages m
     join message_reactions r on r.connection_id = m.connection_id and r.target_external_id = m.external_id
     where m.raw_meta ->> 'participant' = any($1::text[])`,
    [arrayLiteral(authors)],
  );
  return rowsOf(columns({ id: text }), rows).map(({ id }) => id);
}

/** The ids of what these authors wrote in groups. */
export async function readWrittenInGroups(sql: Sql, authors: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `select distinct m.external_id as id from messages m
     where m.external_id is not null and m.raw_meta ->> 'participant' = any($1::text[])`,
    [arrayLiteral(authors)],
  );
  return rowsOf(columns({ id: text }), rows).map(({ id }) => id);
}

/** Whether one of these authors wrote in a group. */
export async function hasWritten(sql: Sql, authors: readonly string[]): Promise<boolean> {
  const rows = await sql.query(
    `select from messages m where m.raw_meta ->> 'participant' = any($1::text[]) limit 1`,
    [arrayLiteral(authors)],
  );
  return rows.length > 0;
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

/** How much waits for messages with these ids. */
export async function countPendingOf(sql: Sql, targets: readonly string[]): Promise<number> {
  if (targets.length === 0) return 0;
  const rows = await sql.query(
    `select count(*) as rows from pending_facts p join connections c on c.id = p.connection_id
     where p.target_external_id = any($1::text[])`,
    [arrayLiteral(targets)],
  );
  return rowsOf(columns({ rows: bigint }), rows)[0]?.rows ?? 0;
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
