import { RUN_STATUSES, SYNC_TYPES, type RunStatus } from '../model/enumerations.js';
import {
  uuid,
  text,
  integer,
  time,
  jsonObject,
  json,
  word,
  orNull,
  type RowOf,
  columns,
  rowsOf,
  columnNames,
  unnestTable,
  unnestParameters,
} from './columns.js';
import { jsonObjectOrNull } from './row.js';
import type { JsonObject } from '../model/json.js';
import { arrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';

const REJECT_COLUMNS = columns({
  id: uuid,
  runId: uuid,
  webhookLogId: uuid,
  connectionId: orNull(uuid),
  path: text,
  subject: text,
  reason: text,
  externalId: orNull(text),
  excerpt: text,
});

export type RejectRow = RowOf<typeof REJECT_COLUMNS>;

const SYNC_LOG_COLUMNS = columns({
  id: uuid,
  runId: uuid,
  connectionId: uuid,
  leadId: orNull(uuid),
  syncType: word(SYNC_TYPES),
  messagesImported: integer,
  counters: orNull(jsonObject),
  status: word(RUN_STATUSES),
  startedAt: time,
  completedAt: orNull(time),
});

export type SyncLogRow = RowOf<typeof SYNC_LOG_COLUMNS>;

export async function insertRejects(tx: Sql, rows: readonly RejectRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into rejects (${columnNames(REJECT_COLUMNS)})
     select r.* from ${unnestTable(REJECT_COLUMNS)}
     -- The same item, rejected again by a later replay, is on record already.
     on conflict (webhook_log_id, path, reason) do nothing`,
    unnestParameters(REJECT_COLUMNS, rows),
  );
}

/**
 * Forgets what was rejected of entries that are decided again, but for what still is: that stays on record since when it was
 * rejected first, so that nobody has to acknowledge it again.
 */
export async function deleteRejects(
  tx: Sql,
  webhookLogIds: readonly string[],
  still: readonly RejectRow[],
): Promise<void> {
  if (webhookLogIds.length === 0) return;
  await tx.execute(
    `delete from rejects r where r.webhook_log_id = any($1::uuid[]) and not exists (
       select from unnest($2::uuid[], $3::text[], $4::text[]) as still (id, path, reason)
       where still.id = r.webhook_log_id and still.path = r.path and still.reason = r.reason
     )`,
    [
      arrayLiteral(webhookLogIds),
      arrayLiteral(still.map((row) => row.webhookLogId)),
      arrayLiteral(still.map((row) => row.path)),
      arrayLiteral(still.map((row) => row.reason)),
    ],
  );
}

export interface NewRun {
  id: string;
  command: string;
  options: JsonObject;
  host: string;
  pid: number;
  startedAt: number;
  /** The run that started this one. */
  parentRunId?: string | null;
  /** What the run is to do, in a form that is equal for runs that do the same; null where that cannot be said. */
  work?: string | null;
  /** The stopped run that this one takes up, and where. */
  resumed: { runId: string; checkpoint: JsonObject } | null;
}

/** Opens a run. One that it takes up is over in the same moment and hands on its checkpoint: nobody goes on with it twice. */
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
      run.resumed === null ? null : JSON.stringify(run.resumed.checkpoint),
      run.parentRunId ?? null,
      run.work ?? null,
    ],
  );
}

/** Inside a batch's transaction: the counters, and the place up to which everything is in the database, if it is a new one. */
export async function saveCheckpoint(
  tx: Sql,
  runId: string,
  checkpoint: JsonObject | null,
  counters: JsonObject,
): Promise<void> {
  await tx.execute(
    `update sync_runs set checkpoint = coalesce($2::jsonb, checkpoint), counters = $3::jsonb where id = $1::uuid`,
    [runId, checkpoint === null ? null : JSON.stringify(checkpoint), JSON.stringify(counters)],
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
    /** A run that came to its end has nothing to go on from. */
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

/** Runs of a command that stopped before their end and can be gone on with, newest first. */
export async function readUnfinishedRuns(sql: Sql, command: string): Promise<UnfinishedRun[]> {
  const rows = await sql.query(
    `select id, pid, host, status, started_at, checkpoint from sync_runs
     where command = $1 and status in ('running', 'interrupted', 'failed') and checkpoint is not null
     order by started_at desc, id desc limit 20`,
    [command],
  );
  return rowsOf(UNFINISHED_RUN, rows);
}

export async function insertSyncLogs(tx: Sql, rows: readonly SyncLogRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into sync_logs (${columnNames(SYNC_LOG_COLUMNS)}) select r.* from ${unnestTable(SYNC_LOG_COLUMNS)}`,
    unnestParameters(SYNC_LOG_COLUMNS, rows),
  );
}

/** Adds a batch's messages to the initial_contact logs of leads that this run saw first. */
export async function addToInitialContacts(
  tx: Sql,
  runId: string,
  created: readonly { leadId: string; connectionId: string; messages: number }[],
): Promise<void> {
  if (created.length === 0) return;
  await tx.execute(
    // The fence (`offset 0`) makes it one look-up per row; the planner would compare each of the run's logs with each row.
    `update sync_logs set messages_imported = sync_logs.messages_imported + due.messages
     from (
       select l.id, r.messages
       from unnest($2::uuid[], $3::uuid[], $4::int[]) as r (lead_id, connection_id, messages)
       cross join lateral (
         select id from sync_logs
         where run_id = $1::uuid and lead_id = r.lead_id and connection_id = r.connection_id
           and sync_type = 'initial_contact' offset 0
       ) l
     ) due
     where sync_logs.id = due.id`,
    [
      runId,
      arrayLiteral(created.map((row) => row.leadId)),
      arrayLiteral(created.map((row) => row.connectionId)),
      arrayLiteral(created.map((row) => row.messages)),
    ],
  );
}
