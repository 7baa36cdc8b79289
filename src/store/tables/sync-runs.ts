import {
  RUN_STATUSES,
  type RunStatus,
  INCLUDABLE_CHATS,
  type IncludableChat,
} from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import { arrayLiteral } from '../array-literal.js';
import {
  uuid,
  text,
  integer,
  bigint,
  time,
  json,
  word,
  type RowOf,
  columns,
  rowsOf,
  jsonObject,
  orNull,
  boolean,
  rowOf,
} from '../columns.js';
import { jsonObjectOrNull, textOf, textOrNull, timeOf, timeOrNull, wordOf } from '../row.js';
import type { Sql, SqlParameter, SqlRow } from '../sql.js';
import { coversSql, IMPORTED_CONTACT_SQL } from './run-cover.js';
import { rfc3339 } from '../../model/time.js';

export interface NewRun {
  id: string;
  command: string;
  options: JsonObject;
  host: string;
  pid: number;
  startedAt: number;
  /** The run that started this one. */
  parentRunId?: string | null;
  /** The run's task, in a form equal for runs with the same one; null if unknown. */
  work?: string | null;
  /** The stopped run that this one resumes, and where. */
  resumed: { runId: string; checkpoint: JsonObject } | null;
  /** Where the next run resumes this one if it is killed before its first batch; absent: it starts again. */
  checkpoint?: JsonObject | null;
}

/** Opens a run. In the same statement, the resumed run ends and hands over its checkpoint: none is resumed twice. */
export async function insertRun(sql: Sql, run: NewRun): Promise<void> {
  await sql.execute(
    `with resumed as (
       update sync_runs set status = 'interrupted', checkpoint = null,
         completed_at = coalesce(completed_at, $6::timestamptz)
       where id = $7::uuid
     )
     insert into sync_runs
       (id, command, options, status, host, pid, started_at, resumed_run_id, checkpoint, parent_run_id, work)
     values
       ($1::uuid, $2, $3::jsonb, 'running', $4, $5::int, $6::timestamptz, $7::uuid, $8::jsonb, $9::uuid, $10)`,
    [
      run.id,
      run.command,
      JSON.stringify(run.options),
      run.host,
      run.pid,
      new Date(run.startedAt).toISOString(),
      run.resumed?.runId ?? null,
      jsonOrNull(run.resumed?.checkpoint ?? run.checkpoint ?? null),
      run.parentRunId ?? null,
      run.work ?? null,
    ],
  );
}

function jsonOrNull(value: JsonObject | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

/**
 * Inside a batch's transaction: the counters, and the new position, if any, up to which everything is in the database.
 */
export async function saveCheckpoint(
  tx: Sql,
  runId: string,
  checkpoint: JsonObject | null,
  counters: JsonObject,
): Promise<void> {
  await tx.execute(
    `update sync_runs set checkpoint = coalesce($2::jsonb, checkpoint), counters = $3::jsonb where id = $1::uuid`,
    [runId, jsonOrNull(checkpoint), JSON.stringify(counters)],
  );
}

export async function finishRun(
  sql: Sql,
  run: {
    id: string;
    status: RunStatus;
    counters: JsonObject;
    verdict: string;
    completedAt: number;
    error: string | null;
    /** A run that finished has nothing to resume. */
    clearCheckpoint: boolean;
  },
): Promise<void> {
  await sql.execute(
    `update sync_runs set status = $2, counters = $3::jsonb, verdict = $4, completed_at = $5::timestamptz, error = $6,
       checkpoint = case when $7::boolean then null else checkpoint end
     where id = $1::uuid`,
    [
      run.id,
      run.status,
      JSON.stringify(run.counters),
      run.verdict,
      new Date(run.completedAt).toISOString(),
      run.error,
      run.clearCheckpoint,
    ],
  );
}

const UNFINISHED_RUN = columns({
  id: uuid,
  pid: integer,
  host: text,
  status: word(RUN_STATUSES),
  startedAt: time,
  checkpoint: json((row, name) => jsonObjectOrNull(row, name) ?? {}),
});

export type UnfinishedRun = RowOf<typeof UNFINISHED_RUN>;

/** Runs of a command that stopped early and can be resumed, newest first. */
export async function readUnfinishedRuns(sql: Sql, command: string): Promise<UnfinishedRun[]> {
  const rows = await sql.query(
    `select id, pid, host, status, started_at, checkpoint from sync_runs
     where command = $1 and status in ('running', 'interrupted', 'failed') and checkpoint is not null
     order by started_at desc, id desc limit 20`,
    [command],
  );
  return rowsOf(UNFINISHED_RUN, rows);
}

const RUN = columns({
  id: uuid,
  command: text,
  options: jsonObject,
  status: word(RUN_STATUSES),
  counters: orNull(jsonObject),
  verdict: orNull(text),
  host: text,
  pid: integer,
  startedAt: time,
  completedAt: orNull(time),
  error: orNull(text),
  /** The run that this one is a step of. */
  parentRunId: orNull(uuid),
  /** The stopped run that this one resumed. */
  resumedRunId: orNull(uuid),
  /**
   * For a run that did not complete: the later run that did its work or undid it, or the parent run, which is
   * responsible for its steps. Null if nothing makes up for it.
   */
  coveredBy: orNull(uuid),
  /** The run's task, as written by `workOf`. */
  work: orNull(text),
  /** For an import of one contact: its lead, the connection's name now, and how far back it was to go, ms since 1970. */
  importedLeadId: orNull(uuid),
  importedOver: orNull(text),
  importedUntil: orNull(bigint),
  /** Whether that import had searched the raw log, and gone to the phone. */
  hasGoneToPhone: boolean,
  /** Whether the journal has rows for it. */
  isJournaled: boolean,
});

export interface RunRow extends RowOf<typeof RUN> {
  isSucceeded: boolean;
  /** For an undo: the run that it undid. */
  undid: string | null;
}

function selectRuns(from: string, current = 'null::uuid'): string {
  return `
    select r.id, r.command, r.options, r.status, r.counters, r.verdict, r.host, r.pid, r.started_at, r.completed_at,
      r.error, r.parent_run_id, r.resumed_run_id, r.work,
      imported.lead_id as imported_lead_id, imported.connection as imported_over, imported.until as imported_until,
      coalesce(imported.went_to_phone, false) as has_gone_to_phone,
      case when r.status in ('running', 'interrupted', 'failed') then coalesce(
        (select id from sync_runs later where later.started_at > r.started_at and ${coversSql(current)}
         order by later.started_at limit 1),
        (select id from sync_runs parent where parent.id = r.parent_run_id)
      ) end as covered_by,
      exists (select from change_journal j where j.run_id = r.id) as is_journaled
    from ${from} ${IMPORTED_CONTACT_SQL}
    order by r.started_at desc, r.id desc`;
}

/**
 * The newest runs, plus every one recorded as running. Runs that the asking run `current` makes up for count as
 * covered.
 */
export async function readRecentRuns(
  sql: Sql,
  limit: number,
  current: string | null = null,
): Promise<RunRow[]> {
  const newest = `(select *, row_number() over (order by started_at desc, id desc) as nth from sync_runs)`;
  const from = `(select * from ${newest} n where nth <= $1::int or status = 'running') r`;
  return (await sql.query(selectRuns(from, '$2::uuid'), [limit, current])).map(runOf);
}

/** The newest runs not started by another. */
export function readTopRuns(sql: Sql, limit: number): Promise<RunRow[]> {
  return query(
    sql,
    `(select * from sync_runs where parent_run_id is null order by started_at desc, id desc limit $1::int) r`,
    [limit],
  );
}

/** Which runs to list. Times are ms since 1970. */
interface RunSelection {
  command: string | null;
  since: number | null;
  until: number | null;
  limit: number;
}

/** The newest of the selected runs. */
export function selectNewestRuns(
  sql: Sql,
  { command, since, until, limit }: RunSelection,
): Promise<RunRow[]> {
  return query(
    sql,
    `(select * from sync_runs
      where ($1::text is null or command = $1) and ($2::timestamptz is null or started_at >= $2)
        and ($3::timestamptz is null or started_at < $3)
      order by started_at desc, id desc limit $4::int) r`,
    [command, rfc3339(since), rfc3339(until), limit],
  );
}

/** Runs with an id that begins with `prefix` (hexadecimal digits and dashes), at most ten, newest first. */
export function findRuns(sql: Sql, prefix: string): Promise<RunRow[]> {
  return query(
    sql,
    `(select * from sync_runs where starts_with(id::text, $1) order by started_at desc, id desc limit 10) r`,
    [prefix],
  );
}

/** Runs by id, newest first. */
export async function readRunsById(sql: Sql, ids: readonly string[]): Promise<RunRow[]> {
  if (ids.length === 0) return [];
  return query(sql, `(select * from sync_runs where id = any($1::uuid[])) r`, [arrayLiteral(ids)]);
}

/** Every finished undo, newest first. */
export function readUndos(sql: Sql): Promise<RunRow[]> {
  return query(
    sql,
    `(select * from sync_runs where command = 'undo' and status in ('completed', 'partial')) r`,
    [],
  );
}

/** The newest runs of some commands, and adoptions, with journal rows. */
export function readJournaledRuns(sql: Sql, commands: readonly string[], limit: number): Promise<RunRow[]> {
  return query(
    sql,
    `(select * from sync_runs journaled where (command = any($1::text[]) or command = 'replay' and options ? 'adopt')
        and exists (select from change_journal j where j.run_id = journaled.id)
      order by started_at desc, id desc limit $2::int) r`,
    [arrayLiteral(commands), limit],
  );
}

/** The runs started by a run, or that resumed it, newest first. */
export function readRunsAfter(sql: Sql, runId: string): Promise<RunRow[]> {
  return query(
    sql,
    `(select * from sync_runs where parent_run_id = $1::uuid or resumed_run_id = $1::uuid) r`,
    [runId],
  );
}

/** The commands with recorded runs. */
export async function readRunCommands(sql: Sql): Promise<string[]> {
  const rows = await sql.query('select distinct command from sync_runs order by command');
  return rows.map((row) => textOf(row, 'command'));
}

const RUN_COUNT = columns({ command: text, status: word(RUN_STATUSES), runs: integer, lastStartedAt: time });

/** Number of runs by command and outcome. */
export type RunCountRow = RowOf<typeof RUN_COUNT>;

export async function countRuns(sql: Sql): Promise<RunCountRow[]> {
  const rows = await sql.query(
    `select command, status, count(*) as runs, max(started_at) as last_started_at
     from sync_runs group by command, status order by command, status`,
  );
  return rowsOf(RUN_COUNT, rows);
}

/** Ends an undone run; it cannot be resumed, because its work is gone. */
export async function endUndoneRun(tx: Sql, runId: string, at: number): Promise<void> {
  await tx.execute(
    `update sync_runs set checkpoint = null, completed_at = coalesce(completed_at, $2::timestamptz),
       status = case when status = 'running' then 'interrupted' else status end
     where id = $1::uuid`,
    [runId, new Date(at).toISOString()],
  );
}

async function query(sql: Sql, from: string, parameters: SqlParameter[]): Promise<RunRow[]> {
  return (await sql.query(selectRuns(from), parameters)).map(runOf);
}

function runOf(row: SqlRow): RunRow {
  const run = rowOf(RUN, row);
  const { undoes } = run.options;
  return { ...run, isSucceeded: run.coveredBy !== null, undid: typeof undoes === 'string' ? undoes : null };
}

/** The options of a run that decide how its stored entries are decoded. */
interface RunChoice {
  include: ReadonlySet<IncludableChat>;
  /** Name or id of `--connection`. */
  connection: string | null;
}

/** The choices of these runs, by run id; omits runs without any. */
export async function readRunChoices(sql: Sql, runIds: readonly string[]): Promise<Map<string, RunChoice>> {
  if (runIds.length === 0) return new Map();
  const rows = await sql.query(
    `select id, options->'include' as include, coalesce(options->>'connectionId', options->>'connection') as connection from sync_runs
     where id = any($1::uuid[]) and options ?| array['include', 'connection', 'connectionId']`,
    [arrayLiteral(runIds)],
  );
  return new Map(
    rows.map((row) => {
      const named: unknown = row['include'];
      const include = INCLUDABLE_CHATS.filter((chat) => Array.isArray(named) && named.includes(chat));
      return [
        textOf(row, 'id'),
        { include: new Set(include), connection: textOrNull(row, 'connection') },
      ] as const;
    }),
  );
}

/** How far reconcile has got. Times are ms since 1970. */
export interface LastReconcile {
  /** The time up to which everything was accounted for; null before the first finished run. */
  proven: { since: number; through: string | null } | null;
  /** The newest run, if it did not finish: killed, interrupted or failed. */
  unfinished: { runId: string; startedAt: number; status: RunStatus } | null;
}

/**
 * The overlap checked twice: machine clocks differ, and a transaction may commit after a later one began. Checking
 * again costs little and changes nothing.
 */
const OVERLAP = '1 hour';

/** The marks that earlier runs left in sync_runs: when they began, and the last entry they saw. */
export async function readLastReconcile(sql: Sql): Promise<LastReconcile> {
  const [mark] = await sql.query(
    // A mark in the future comes from a wrong clock: until then, every run would check nothing.
    `select mark - interval '${OVERLAP}' as since, through
     from (
       select (counters ->> 'watermark')::timestamptz as mark, counters ->> 'through' as through
       from sync_runs where command = 'reconcile' and counters ? 'watermark'
     ) made
     where made.mark <= clock_timestamp() order by made.mark desc limit 1`,
  );
  const [newest] = await sql.query(
    `select id, started_at, status from sync_runs where command = 'reconcile'
     order by started_at desc, id desc limit 1`,
  );
  const status = newest === undefined ? undefined : wordOf(newest, 'status', RUN_STATUSES);
  const ended = status === undefined || status === 'completed' || status === 'partial';
  const since = mark === undefined ? null : timeOrNull(mark, 'since');
  return {
    proven: mark === undefined || since === null ? null : { since, through: textOrNull(mark, 'through') },
    unfinished:
      newest === undefined || ended
        ? null
        : {
            runId: textOf(newest, 'id'),
            startedAt: timeOf(newest, 'started_at'),
            status: wordOf(newest, 'status', RUN_STATUSES),
          },
  };
}
