import { RUN_STATUSES, type RunStatus } from '../model/enumerations.js';
import type { JsonObject } from '../model/json.js';
import {
  integerOf,
  jsonObjectOf,
  jsonObjectOrNull,
  textOf,
  textOrNull,
  timeOf,
  timeOrNull,
  wordOf,
} from './row.js';
import type { Sql } from './sql.js';

export interface RunRow {
  id: string;
  command: string;
  options: JsonObject;
  status: RunStatus;
  counters: JsonObject | null;
  verdict: string | null;
  host: string;
  pid: number;
  startedAt: number;
  completedAt: number | null;
  error: string | null;
  /** A later run of the same command with the same options came to its end. */
  isSucceeded: boolean;
}

/** The newest runs, and besides them every one that is recorded as running. */
export async function readRuns(sql: Sql, limit: number): Promise<RunRow[]> {
  const rows = await sql.query(
    `select id, command, options, status, counters, verdict, host, pid, started_at, completed_at, error,
       exists (
         select from sync_runs later
         where later.command = r.command and later.options = r.options and later.started_at > r.started_at
           and later.status in ('completed', 'partial')
       ) as is_succeeded
     from (
       select *, row_number() over (order by started_at desc, id desc) as nth from sync_runs
     ) r
     where nth <= $1::int or status = 'running'
     order by started_at desc, id desc`,
    [limit],
  );
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    command: textOf(row, 'command'),
    options: jsonObjectOf(row, 'options'),
    status: wordOf(row, 'status', RUN_STATUSES),
    counters: jsonObjectOrNull(row, 'counters'),
    verdict: textOrNull(row, 'verdict'),
    host: textOf(row, 'host'),
    pid: integerOf(row, 'pid'),
    startedAt: timeOf(row, 'started_at'),
    completedAt: timeOrNull(row, 'completed_at'),
    error: textOrNull(row, 'error'),
    isSucceeded: row['is_succeeded'] === true,
  }));
}

/** How many messages a run created: on one connection where it says so, else (killed before its end) altogether. */
export interface CreatedByRun {
  runId: string;
  connectionId: string | null;
  created: number;
}

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
  return rows.map((row) => ({
    runId: textOf(row, 'run_id'),
    connectionId: textOrNull(row, 'connection_id'),
    created: integerOf(row, 'created'),
  }));
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
