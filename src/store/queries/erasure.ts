import { arrayLiteral } from '../array-literal.js';
import { bigint, columns, rowsOf, text, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';

/** Whom an erasure is about. */
export interface ErasedPerson {
  leadIds: readonly string[];
  /** Every name of theirs, as identities have it. */
  names: readonly string[];
  /** What may stand in a text: digits, ids, what they are called. */
  words: readonly string[];
}

const TABLE_ROWS = columns({ table: text, rows: bigint });

/** How many rows of a table are about the person, or name them. */
export type TableRows = RowOf<typeof TABLE_ROWS>;

const MESSAGES = `(select id, connection_id, external_id from messages where lead_id = any($1::uuid[]))`;

/** Whether one of the person's words is in the row `t`, as text. */
const NAMES_THEM = `exists (select from unnest($3::text[]) as k (word) where position(k.word in t::text) > 0)`;

/** What rows are found by: the lead where they have one, their message, and else what they say. */
const RULES: readonly (readonly [table: string, condition: string])[] = [
  ['leads', 't.id = any($1::uuid[])'],
  ['lead_identities', 't.person_id = any($1::uuid[]) or t.value = any($2::text[])'],
  ['conversations', 't.lead_id = any($1::uuid[])'],
  ['messages', 't.lead_id = any($1::uuid[])'],
  ['message_revisions', `t.message_id in (select id from ${MESSAGES} m)`],
  [
    'message_reactions',
    `(t.connection_id, t.target_external_id) in (select connection_id, external_id from ${MESSAGES} m) or t.reactor = any($2::text[])`,
  ],
  ['tickets', 't.lead_id = any($1::uuid[])'],
  ['sync_logs', `t.lead_id = any($1::uuid[]) or ${NAMES_THEM}`],
  [
    'media_files',
    `(t.connection_id, t.message_id) in (select connection_id, external_id from ${MESSAGES} m)`,
  ],
  ...[
    'pending_facts',
    'rejects',
    'change_journal',
    'history_gaps',
    'alert_acks',
    'saved_comparisons',
    'sync_runs',
  ].map((table) => [table, NAMES_THEM] as const),
  [
    'owed_files',
    `exists (select from unnest($3::text[]) as k (word) where position(k.word in t.chat_jid) > 0)`,
  ],
  [
    'discarded_bodies',
    `exists (select from unnest($3::text[]) as k (word) where position(convert_to(k.word, 'UTF8') in t.raw_body) > 0)`,
  ],
];

/** What of a person is in each table but the raw log; tables without anything are left out. Reads all of them once. */
export async function countRowsOf(sql: Sql, { leadIds, names, words }: ErasedPerson): Promise<TableRows[]> {
  const counts = RULES.map(
    ([table, condition], place) =>
      `select ${place} as place, '${table}' as table, count(*) as rows from ${table} t where ${condition}`,
  );
  const rows = await sql.query(
    `select "table", rows from (${counts.join(' union all ')}) c where rows > 0 order by place`,
    [arrayLiteral(leadIds), arrayLiteral(names), arrayLiteral(words)],
  );
  return rowsOf(TABLE_ROWS, rows);
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
