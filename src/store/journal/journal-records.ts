import { arrayLiteral } from '../array-literal.js';
import { uuid, text, time, exactObject, orNull, named, type RowOf, columns, rowsOf } from '../columns.js';
import type { Sql } from '../sql.js';

const JOURNAL_RECORD = columns({
  runId: uuid,
  table: named('table_name', text),
  key: exactObject,
  before: orNull(exactObject),
  after: orNull(exactObject),
  createdAt: time,
});

/** A row of the change journal. `after` is null if the row is gone, `before` if it was created. */
export type JournalRecord = RowOf<typeof JOURNAL_RECORD>;

/** More than a person reads; a row changed by a thousand runs is a different problem. */
const MOST = 200;

const COLUMNS = 'j.run_id, j.table_name, j.key, j.before, j.after, j.created_at';

/**
 * Changes to a message's row, and removed rows that had one of its ids (a duplicate message's other copy). The journal
 * has no index for this and is read once; it holds only merges and dedupes, not incoming messages.
 */
export async function readJournalOfMessage(
  sql: Sql,
  rowId: string | null,
  ids: readonly string[],
): Promise<JournalRecord[]> {
  const rows = await sql.query(
    `select ${COLUMNS} from change_journal j
     where j.table_name = 'messages'
       and (j.key->>'id' = $1 or (j.before->>'external_id' = any($2::text[]) or j.before->>'stanza_id' = any($2::text[])))
     order by j.id limit ${MOST}`,
    [rowId, arrayLiteral(ids)],
  );
  return rowsOf(JOURNAL_RECORD, rows);
}

/**
 * The leads merged into these people: those that gave them names, conversations or tickets, over any number of merges;
 * and those that had nothing but one of `phones`.
 */
export async function readMergesInto(
  sql: Sql,
  personIds: readonly string[],
  phones: readonly string[],
): Promise<JournalRecord[]> {
  if (personIds.length === 0) return [];
  const rows = await sql.query(
    `with recursive moved as materialized (
       select distinct coalesce(before->>'person_id', before->>'lead_id') as lost,
         coalesce(after->>'person_id', after->>'lead_id') as kept
       from change_journal
       where table_name in ('lead_identities', 'conversations', 'tickets')
         and coalesce(before->>'person_id', before->>'lead_id') <> coalesce(after->>'person_id', after->>'lead_id')
     ), trail (id) as (
       select lost from moved where kept = any($1::text[])
       union
       select moved.lost from trail join moved on moved.kept = trail.id
     )
     select ${COLUMNS} from change_journal j
     where j.table_name = 'leads' and (j.before is null or j.after is null or j.after ? 'merged_into')
       and (j.key->>'id' in (select id from trail)
         or coalesce(j.before, j.after)->>'phone_number' = any($2::text[]))
       and j.key->>'id' <> all($1::text[])
     order by j.id limit ${MOST}`,
    [arrayLiteral(personIds), arrayLiteral(phones)],
  );
  return rowsOf(JOURNAL_RECORD, rows);
}
