import { CHAT_EXPORT_ID } from '../../model/chat-line.js';
import { arrayLiteral } from '../array-literal.js';
import {
  columns,
  named,
  integer,
  text,
  exactObject,
  word,
  list,
  type RowOf,
  uuid,
  orNull,
  time,
  rowsOf,
} from '../columns.js';
import { integerOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { REMOVED_BODIES } from '../tables/webhook-log.js';
import {
  JOURNALED_TABLES,
  keyJson,
  rowJson,
  rowOfEntry,
  WHOLE_ENTRY_JSON,
  type JournaledTable,
} from './journaled-tables.js';

const TABLES: readonly JournaledTable[] = Object.values(JOURNALED_TABLES);

/** How a row differs from the run's result: another value, gone, or present again. */
const TOUCHES = ['changed', 'gone', 'back'] as const;

const TOUCHED_ROW = columns({
  entryId: named('id', integer),
  table: named('table_name', text),
  key: exactObject,
  how: word(TOUCHES),
  /** Columns changed since the run, for a changed row. */
  columns: list(' '),
});

/** A row changed after the run being undone. */
export type TouchedRow = RowOf<typeof TOUCHED_ROW>;

const LATER_RUN = columns({
  table: named('table_name', text),
  key: exactObject,
  runId: uuid,
  command: orNull(text),
  at: named('created_at', time),
});

/** The newest run that journaled a row. */
type LaterRun = RowOf<typeof LATER_RUN>;

/** Number of journaled rows of a run, by table. */
export async function countJournaled(sql: Sql, runId: string): Promise<{ table: string; rows: number }[]> {
  const rows = await sql.query(
    // Of removed bodies there is one entry for many.
    `select table_name, sum(case when table_name = '${REMOVED_BODIES}' then (before ->> 'rows')::int else 1 end)::int as rows
     from change_journal where run_id = $1::uuid
     group by table_name order by table_name`,
    [runId],
  );
  return rows.map((row) => ({ table: textOf(row, 'table_name'), rows: integerOf(row, 'rows') }));
}

/**
 * Journals under `undoId`, before anything is touched, what undoing `runId` will change: every row that the run
 * changed, once, from its last state to its first. That journal is the work list, and makes the undo itself undoable.
 * Returns the number of rows. Sets the time zone for writing.
 */
export async function invertJournal(tx: Sql, runId: string, undoId: string): Promise<number> {
  await tx.query(
    `select set_config('TimeZone', 'UTC', true),
       -- Look-ups by key in tables that may have no statistics yet.
       set_config('enable_seqscan', 'off', true), set_config('enable_mergejoin', 'off', true)`,
  );
  const { sync_logs } = JOURNALED_TABLES;
  // Also removes the run's own counts: a report must not count restored rows as merged.
  await tx.execute(
    `insert into change_journal (run_id, table_name, key, before)
     select $2::uuid, '${sync_logs.name}', ${keyJson(sync_logs)}, ${rowJson(sync_logs)} from sync_logs t
     where t.run_id = $1::uuid`,
    [runId, undoId],
  );
  const inverted = await tx.execute(
    `with entries as (
       select id, table_name, key, before, after,
         count(*) over same_row as times,
         first_value(before is null) over (same_row order by id) as made,
         last_value(after is null) over (same_row order by id range between unbounded preceding and unbounded following)
           as removed
       -- A body without an erased person stays so.
       from change_journal where run_id = $1::uuid and table_name <> '${REMOVED_BODIES}'
       window same_row as (partition by table_name, key)
     ),
     -- A row that several batches touched: of each column the first value before, and the last one after.
     first as (
       select e.table_name, e.key, jsonb_object_agg(c.key, c.value order by e.id desc) as before
       from entries e cross join lateral jsonb_each(e.before) c where e.times > 1 and not e.made
       group by e.table_name, e.key
     ),
     last as (
       select e.table_name, e.key, jsonb_object_agg(c.key, c.value order by e.id) as after
       from entries e cross join lateral jsonb_each(e.after) c where e.times > 1 and not e.removed
       group by e.table_name, e.key
     ),
     net as (
       select table_name, key, before, after from entries where times = 1
       union all
       select several.table_name, several.key, first.before, last.after
       from (select distinct table_name, key from entries where times > 1) several
       left join first on first.table_name = several.table_name and first.key = several.key
       left join last on last.table_name = several.table_name and last.key = several.key
     )
     insert into change_journal (run_id, table_name, key, before, after)
     select $2::uuid, table_name, key, after, before from net where before::text is distinct from after::text`,
    [runId, undoId],
  );
  // A line of an exported chat that the run stored, since replaced by its message (M11), is already gone.
  const replaced = await tx.execute(
    `delete from change_journal e
     where e.run_id = $1::uuid and e.table_name = '${JOURNALED_TABLES.messages.name}' and e.after is null
       and starts_with(e.before ->> 'external_id', '${CHAT_EXPORT_ID}')
       and not exists (select from messages m where m.id = (e.key ->> 'id')::uuid)`,
    [undoId],
  );
  return inverted - replaced;
}

/** The rows of an undo's journal that differ from the undone run's result; locks the others until the end. */
export async function readTouched(tx: Sql, undoId: string): Promise<TouchedRow[]> {
  const rows = await tx.query(`${compareWith('before')} order by table_name, id`, [undoId]);
  return rowsOf(TOUCHED_ROW, rows);
}

/** Number of rows in an undo's journal that differ from their state before the undone run: zero after the work. */
export async function countUnrestored(tx: Sql, undoId: string): Promise<number> {
  const [row] = await tx.query(`select count(*)::int as rows from (${compareWith('after')}) x`, [undoId]);
  return row === undefined ? 0 : integerOf(row, 'rows');
}

/** Entries of the journal `$1` with a row that differs from its column `side`. */
function compareWith(side: 'before' | 'after'): string {
  const parts = TABLES.map((table) => {
    const missing = `t.${firstKey(table)} is null`;
    return `select e.id, e.table_name, e.key,
              case when e.${side} is null then 'back' when ${missing} then 'gone' else 'changed' end as how,
              (select string_agg(c.key, ' ' order by c.key) from jsonb_each(e.${side}) c
               where not (${missing}) and (now.json -> c.key)::text is distinct from c.value::text) as columns
            from change_journal e left join ${rowOfEntry(table, 'e', ' for update')} on true
            -- Made once: several comparisons follow.
            cross join lateral (select case when ${missing} then null else ${comparable(table, side)} end as json offset 0) now
            where e.run_id = $1::uuid and e.table_name = '${table.name}'
              and case when e.${side} is null then not (${missing})
                       when ${missing} then true
                       when now.json::text = e.${side}::text then false
                       -- A part of a row is compared with that part.
                       else (now.json || e.${side})::text <> now.json::text end`;
  });
  return parts.join(' union all ');
}

/** The row `t` in the form of the entry `e`. */
function comparable(table: JournaledTable, side: 'before' | 'after'): string {
  const row = rowJson(table);
  return table.name === JOURNALED_TABLES.webhook_log.name
    ? `case when e.${side} ? 'sha256' then ${WHOLE_ENTRY_JSON} else ${row} end`
    : row;
}

/** Which later run journaled each of these rows, if any. */
export async function readLaterRuns(
  tx: Sql,
  undoId: string,
  undoneId: string,
  entryIds: readonly number[],
): Promise<LaterRun[]> {
  if (entryIds.length === 0) return [];
  const rows = await tx.query(
    `select distinct on (mine.id) mine.table_name, mine.key, later.run_id, r.command, later.created_at
     from change_journal mine
     join change_journal later on later.table_name = mine.table_name and later.key = mine.key
       and later.id > (select max(id) from change_journal where run_id = $2::uuid)
       and later.run_id <> $1::uuid
     left join sync_runs r on r.id = later.run_id
     where mine.id = any($3::bigint[])
     order by mine.id, later.id desc`,
    [undoId, undoneId, arrayLiteral(entryIds)],
  );
  return rowsOf(LATER_RUN, rows);
}

/** Columns that only make sense together: the row's owner. */
const OWNERS = ['conversation_id', 'lead_id', 'person_id'];

/**
 * Leaves later changes alone: for a changed row, the entry keeps only columns that the run changed and that nothing
 * touched since; for others, and rows that the run created, nothing. This frees values other rows need, such as a phone
 * or an id.
 */
export async function leaveTouched(tx: Sql, touched: readonly TouchedRow[]): Promise<void> {
  const changed = touched.filter(({ how, columns }) => how === 'changed' && columns.length > 0);
  const pairs = changed.flatMap(({ entryId, columns }) =>
    (columns.some((name) => OWNERS.includes(name)) ? [...columns, ...OWNERS] : columns).map(
      (column) => ({ entryId, column }) as const,
    ),
  );
  const narrowed = await tx.query(
    `with touched as (
       select * from unnest($2::bigint[], $3::text[]) as x (id, name)
     ),
     narrow as (
       select e.id, jsonb_object_agg(c.key, c.value) as before, jsonb_object_agg(c.key, e.after -> c.key) as after
       from unnest($1::bigint[]) as x (id)
       cross join lateral (select * from change_journal where id = x.id and after is not null limit 1) e
       cross join lateral jsonb_each(e.before) c
       where c.value::text is distinct from (e.after -> c.key)::text
         -- In brackets: a hashed list.
         and ((e.id, c.key) in (select id, name from touched)) is not true
       group by e.id
     )
     update change_journal j set before = narrow.before, after = narrow.after from narrow
     where j.id = narrow.id returning j.id`,
    [
      arrayLiteral(changed.map((row) => row.entryId)),
      arrayLiteral(pairs.map((pair) => pair.entryId)),
      arrayLiteral(pairs.map((pair) => pair.column)),
    ],
  );
  const kept = new Set(narrowed.map((row) => integerOf(row, 'id')));
  const rest = touched.map((row) => row.entryId).filter((id) => !kept.has(id));
  await tx.execute(`delete from change_journal where id = any($1::bigint[])`, [arrayLiteral(rest)]);
}

const BEREFT = columns({ messageId: uuid, entryId: uuid, conversationId: uuid });

/** A message that stays although the undo takes out the raw entry that it names: a later one said the same, or changed it. */
export type BereftMessage = RowOf<typeof BEREFT>;

export async function readBereft(tx: Sql, undoId: string): Promise<BereftMessage[]> {
  const rows = await tx.query(
    `select m.id as message_id, m.batch_id as entry_id, m.conversation_id
     from change_journal w join messages m on m.batch_id = (w.key ->> 'id')::uuid
     where w.run_id = $1::uuid and w.table_name = '${JOURNALED_TABLES.webhook_log.name}' and w.after is null
       and not exists (
         select from change_journal e
         where e.run_id = $1::uuid and e.table_name = '${JOURNALED_TABLES.messages.name}'
           and e.key = jsonb_build_object('id', m.id) and (e.after is null or e.after ? 'batch_id')
       )`,
    [undoId],
  );
  return rowsOf(BEREFT, rows);
}

/** Leaves raw entries where they are that the undo would take out. */
export async function leaveEntries(tx: Sql, undoId: string, entryIds: readonly string[]): Promise<void> {
  if (entryIds.length === 0) return;
  await tx.execute(
    `delete from change_journal
     where run_id = $1::uuid and table_name = '${JOURNALED_TABLES.webhook_log.name}' and after is null
       and (key ->> 'id')::uuid = any($2::uuid[])`,
    [undoId, arrayLiteral(entryIds)],
  );
}

function firstKey(table: JournaledTable): string {
  const [first] = table.key;
  if (first === undefined) throw new Error(`${table.name} has no key`);
  return first.name;
}
