import type { RunStatus } from '../model/enumerations.js';
import { RUN_STATUSES } from '../model/enumerations.js';
import { jsonObjectOf, textOf, timeOf, wordOf } from './row.js';
import type { Sql, SqlRow } from './sql.js';

export interface RecordedRun {
  id: string;
  command: string;
  status: RunStatus;
  startedAt: number;
  /** For an undo: the run that it undid. */
  undid: string | null;
}

const SELECTED = 'select id, command, status, started_at, options from sync_runs';

/** Runs whose id begins with `prefix` (hexadecimal digits and dashes), at most ten, the newest first. */
export async function findRuns(sql: Sql, prefix: string): Promise<RecordedRun[]> {
  const rows = await sql.query(
    `${SELECTED} where starts_with(id::text, $1) order by started_at desc, id desc limit 10`,
    [prefix],
  );
  return rows.map(runOf);
}

/** Every finished undo, the newest first. */
export async function readUndos(sql: Sql): Promise<RecordedRun[]> {
  const rows = await sql.query(
    `${SELECTED} where command = 'undo' and status in ('completed', 'partial') order by started_at desc, id desc`,
  );
  return rows.map(runOf);
}

/** The newest runs that have something in the journal. */
export async function readJournaledRuns(
  sql: Sql,
  commands: readonly string[],
  limit: number,
): Promise<RecordedRun[]> {
  const rows = await sql.query(
    `${SELECTED} r where command = any($1::text[])
       and exists (select from change_journal j where j.run_id = r.id)
     order by started_at desc, id desc limit $2::int`,
    [`{${commands.join(',')}}`, limit],
  );
  return rows.map(runOf);
}

/** The run is over, and nothing of it is to be gone on with: what it had done so far is no longer there. */
export async function endUndoneRun(tx: Sql, runId: string, at: number): Promise<void> {
  await tx.execute(
    `update sync_runs set checkpoint = null, completed_at = coalesce(completed_at, $2::timestamptz),
       status = case when status = 'running' then 'interrupted' else status end
     where id = $1::uuid`,
    [runId, new Date(at).toISOString()],
  );
}

function runOf(row: SqlRow): RecordedRun {
  const undid = jsonObjectOf(row, 'options')['undoes'];
  return {
    id: textOf(row, 'id'),
    command: textOf(row, 'command'),
    status: wordOf(row, 'status', RUN_STATUSES),
    startedAt: timeOf(row, 'started_at'),
    undid: typeof undid === 'string' ? undid : null,
  };
}
