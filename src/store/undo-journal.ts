import { JOURNALED_TABLES, rowJson, rowOfEntry, type JournaledTable } from './journaled-tables.js';
import { integerOf, jsonObjectOf, textOf, textOrNull, timeOf, wordOf } from './row.js';
import type { JsonObject } from '../model/json.js';
import type { Sql } from './sql.js';

const TABLES: readonly JournaledTable[] = Object.values(JOURNALED_TABLES);

/** How a row differs from what the run left: another value, gone, or there again. */
export const TOUCHES = ['changed', 'gone', 'back'] as const;

/** A row that somebody touched after the run whose journal is being put back. */
export interface TouchedRow {
  entryId: number;
  table: string;
  key: JsonObject;
  how: (typeof TOUCHES)[number];
}

/** The newest run that has a row in its journal. */
export interface LaterRun {
  table: string;
  key: JsonObject;
  runId: string;
  command: string | null;
  at: number;
}

/** How many rows a run has in its journal. */
export async function countEntries(sql: Sql, runId: string): Promise<number> {
  const [row] = await sql.query(
    `select count(*)::int as entries from change_journal where run_id = $1::uuid`,
    [runId],
  );
  return row === undefined ? 0 : integerOf(row, 'entries');
}

/**
 * Journals under `undoId`, before anything is touched, what putting `runId` back is going to change: every row that the run
 * changed once, from how the run left it at last to how it had found it at first. That journal is the list of what is to be
 * done, and it makes the undo a run that can be undone. Gives the number of rows. Sets the zone in which times are written.
 */
export async function invertJournal(tx: Sql, runId: string, undoId: string): Promise<number> {
  await tx.query(
    `select set_config('TimeZone', 'UTC', true),
       -- Look-ups by key in tables that may have no statistics yet.
       set_config('enable_seqscan', 'off', true), set_config('enable_mergejoin', 'off', true)`,
  );
  return tx.execute(
    `with entries as (
       select id, table_name, key, before, after,
         count(*) over same_row as times,
         first_value(before is null) over (same_row order by id) as made,
         last_value(after is null) over (same_row order by id range between unbounded preceding and unbounded following)
           as removed
       from change_journal where run_id = $1::uuid
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
}

/** The rows of an undo's journal that are not as the undone run left them; the others are locked until the end. */
export async function readTouched(tx: Sql, undoId: string): Promise<TouchedRow[]> {
  const rows = await tx.query(`${compareWith('before')} order by table_name, id`, [undoId]);
  return rows.map((row) => ({
    entryId: integerOf(row, 'id'),
    table: textOf(row, 'table_name'),
    key: jsonObjectOf(row, 'key'),
    how: wordOf(row, 'how', TOUCHES),
  }));
}

/** How many rows of an undo's journal are not as they were before the undone run: after the work there must be none. */
export async function countUnrestored(tx: Sql, undoId: string): Promise<number> {
  const [row] = await tx.query(`select count(*)::int as rows from (${compareWith('after')}) x`, [undoId]);
  return row === undefined ? 0 : integerOf(row, 'rows');
}

/** Entries of the journal `$1` whose row is not what its column `side` says. */
function compareWith(side: 'before' | 'after'): string {
  const parts = TABLES.map((table) => {
    const row = rowJson(table);
    return `select e.id, e.table_name, e.key,
              case when e.${side} is null then 'back' when t.${firstKey(table)} is null then 'gone' else 'changed' end as how
            from change_journal e left join ${rowOfEntry(table, 'e', ' for update')} on true
            where e.run_id = $1::uuid and e.table_name = '${table.name}'
              -- A part of a row is compared with that part.
              and case when e.${side} is null then t.${firstKey(table)} is not null
                       when t.${firstKey(table)} is null then true
                       else ((${row}) || e.${side})::text is distinct from (${row})::text end`;
  });
  return parts.join(' union all ');
}

/** Which later run has each of these rows in its journal, where one has. */
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
    [undoId, undoneId, `{${entryIds.join(',')}}`],
  );
  return rows.map((row) => ({
    table: textOf(row, 'table_name'),
    key: jsonObjectOf(row, 'key'),
    runId: textOf(row, 'run_id'),
    command: textOrNull(row, 'command'),
    at: timeOf(row, 'created_at'),
  }));
}

/** Takes entries out of an undo's journal: their rows stay as they are. */
export async function dropEntries(tx: Sql, entryIds: readonly number[]): Promise<void> {
  if (entryIds.length === 0) return;
  await tx.execute(`delete from change_journal where id = any($1::bigint[])`, [`{${entryIds.join(',')}}`]);
}

function firstKey(table: JournaledTable): string {
  const [first] = table.key;
  if (first === undefined) throw new Error(`${table.name} has no key`);
  return first.name;
}
