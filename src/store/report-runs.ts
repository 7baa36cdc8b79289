import { uuid, integer, orNull, type RowOf, columns, rowsOf } from './columns.js';
import { textOrNull, integerOf } from './row.js';
import type { Sql } from './sql.js';

const CREATED_BY_RUN = columns({
  runId: uuid,
  connectionId: orNull(uuid),
  created: integer,
});

/** How many messages a run created: on one connection where it says so, else (killed before its end) altogether. */
export type CreatedByRun = RowOf<typeof CREATED_BY_RUN>;

/**
 * What every run says that it created. The total is written with each batch, in its transaction; the parts of each connection
 * at the end of the run, so a killed run has none.
 */
export async function readCreatedByRuns(sql: Sql): Promise<CreatedByRun[]> {
  const rows = await sql.query(
    `with parts as (
       select run_id, connection_id, sum((counters ->> 'created')::bigint)::bigint as created
       from sync_logs
       where lead_id is null and sync_type <> 'initial_contact' and counters ? 'created'
       group by run_id, connection_id
     )
     select run_id, connection_id, created from parts
     union all
     select r.id, null, (r.counters -> 'messages' ->> 'created')::bigint
     from sync_runs r
     where r.counters -> 'messages' ? 'created' and not exists (select from parts p where p.run_id = r.id)`,
  );
  return rowsOf(CREATED_BY_RUN, rows);
}

/** Messages that were removed and are in the journal (merged by dedupe), per connection. */
export async function countJournaledRemovals(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.query(
    `select before ->> 'connection_id' as connection_id, count(*) as count
     from change_journal
     where table_name = 'messages' and before ? 'connection_id' and after is null
     group by 1`,
  );
  return new Map(
    rows.flatMap((row): [string, number][] => {
      const id = textOrNull(row, 'connection_id');
      return id === null ? [] : [[id, integerOf(row, 'count')]];
    }),
  );
}
