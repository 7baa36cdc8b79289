import { RUN_STATUSES, SYNC_TYPES, type RunStatus } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import { arraysOf } from '../array-literal.js';
import {
  uuid,
  integer,
  time,
  jsonObject,
  word,
  orNull,
  type RowOf,
  columns,
  insertRows,
} from '../columns.js';
import { textOf, textOrNull, timeOrNull } from '../row.js';
import type { Sql } from '../sql.js';

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

type SyncLogRow = RowOf<typeof SYNC_LOG_COLUMNS>;

export async function insertSyncLogs(tx: Sql, rows: readonly SyncLogRow[]): Promise<number> {
  return insertRows(tx, 'sync_logs', SYNC_LOG_COLUMNS, rows);
}

/** Adds a batch's messages to the initial_contact logs of leads first seen by this run. */
export async function addToInitialContacts(
  tx: Sql,
  runId: string,
  created: readonly { leadId: string; connectionId: string; messages: number }[],
): Promise<void> {
  if (created.length === 0) return;
  await tx.execute(
    // The fence (`offset 0`) forces one look-up per row; otherwise the planner compares each of the run's logs with
    // each row.
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
    [runId, ...arraysOf(created, 'leadId', 'connectionId', 'messages')],
  );
}

/** What earlier imports of a contact leave for the next one. */
export interface EarlierImports {
  /** When a finished import last asked the phone, ms since 1970. */
  askedAt: number | null;
  /** The address under which it last answered. */
  answeredAs: string | null;
}

/**
 * Reads the records of earlier imports of this lead over this connection. Ignores a killed one: repeating the same
 * command must finish its work.
 */
export async function readEarlierImports(
  sql: Sql,
  leadId: string,
  connectionId: string,
): Promise<EarlierImports> {
  const rows = await sql.query(
    `select max((counters->>'askedAt')::timestamptz) as asked_at,
       (array_agg(counters->>'answeredAs' order by started_at desc) filter (where counters ? 'answeredAs'))[1] as answered_as
     from sync_logs
     where lead_id = $1::uuid and connection_id = $2::uuid and sync_type = 'manual_recovery' and status <> 'running'`,
    [leadId, connectionId],
  );
  const [row] = rows;
  return row === undefined
    ? { askedAt: null, answeredAs: null }
    : { askedAt: timeOrNull(row, 'asked_at'), answeredAs: textOrNull(row, 'answered_as') };
}

/**
 * The connections whose device was unlinked, as far as the newest import that asked a phone over it, or wanted to, has
 * found out. A device that was linked after that is another one.
 */
export async function readUnlinkedConnections(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(
    `select d.connection_id from linked_devices d
     cross join lateral (
       select l.counters->>'outcome' as outcome from sync_logs l
       where l.connection_id = d.connection_id and l.sync_type = 'manual_recovery' and l.completed_at >= d.created_at
         and (l.counters->>'outcome' = 'logged_out' or (l.counters->>'requests')::int > 0)
       order by l.completed_at desc, l.id desc limit 1
     ) newest
     where newest.outcome = 'logged_out'`,
  );
  return new Set(rows.map((row) => textOf(row, 'connection_id')));
}

/** What is known of an import of one contact by the time that it goes to the phone. */
interface ManualRecoveryStep {
  id: string;
  connectionId: string;
  leadId: string | null;
  counters: JsonObject;
}

export async function updateSyncLog(sql: Sql, log: ManualRecoveryStep): Promise<void> {
  await sql.execute(
    `update sync_logs set connection_id = $2::uuid, lead_id = coalesce($3::uuid, lead_id), counters = $4::jsonb
     where id = $1::uuid`,
    [log.id, log.connectionId, log.leadId, JSON.stringify(log.counters)],
  );
}

/** How an import of one contact ended, for its sync_log. */
interface ManualRecoveryEnd extends ManualRecoveryStep {
  messagesImported: number;
  status: RunStatus;
  error: string | null;
  completedAt: number;
}

export async function finishSyncLog(sql: Sql, log: ManualRecoveryEnd): Promise<void> {
  await sql.execute(
    `update sync_logs set connection_id = $8::uuid, lead_id = coalesce($2::uuid, lead_id), messages_imported = $3::int,
       counters = $4::jsonb, status = $5, error_message = $6, completed_at = $7::timestamptz
     where id = $1::uuid`,
    [
      log.id,
      // A merge may have moved the contact to another lead meanwhile.
      log.leadId,
      log.messagesImported,
      JSON.stringify(log.counters),
      log.status,
      log.error,
      new Date(log.completedAt).toISOString(),
      log.connectionId,
    ],
  );
}
