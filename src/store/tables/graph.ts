import { REQUEST_OUTCOMES, SMB_SYNC_TYPES, type RequestOutcome } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import {
  bytes,
  columnNames,
  columns,
  insertRows,
  jsonObject,
  orNull,
  rowOf,
  rowsOf,
  text,
  time,
  uuid,
  word,
  type RowOf,
} from '../columns.js';
import type { Sql } from '../sql.js';

const CREDENTIAL = columns({
  connectionId: uuid,
  /** Sealed. */
  token: bytes,
  savedAt: time,
  checkedAt: orNull(time),
  appId: orNull(text),
  /** Null for a token that does not expire, and for an unchecked one. */
  expiresAt: orNull(time),
  findings: orNull(jsonObject),
});

/** An access token, and the last result of `connection check` with it. Times are ms since 1970. */
export type GraphCredentialRow = RowOf<typeof CREDENTIAL>;

export async function readCredential(sql: Sql, connectionId: string): Promise<GraphCredentialRow | null> {
  const [row] = await sql.query(
    `select ${columnNames(CREDENTIAL)} from graph_credentials where connection_id = $1::uuid`,
    [connectionId],
  );
  return row === undefined ? null : rowOf(CREDENTIAL, row);
}

export async function readCredentials(sql: Sql): Promise<GraphCredentialRow[]> {
  return rowsOf(
    CREDENTIAL,
    await sql.query(`select ${columnNames(CREDENTIAL)} from graph_credentials order by connection_id`),
  );
}

/** The leading bytes of a sealed value that identify its key. */
const SEAL_BYTES = 9;

/**
 * Stores a token, replacing an earlier one, and forgets the earlier one's check results. False if the earlier one is
 * sealed with another key: it then stays unchanged.
 */
export async function saveCredential(
  sql: Sql,
  { connectionId, token, now }: { connectionId: string; token: Uint8Array; now: number },
): Promise<boolean> {
  const written = await sql.execute(
    `insert into graph_credentials (connection_id, token, saved_at)
     values ($1::uuid, $2, $3::timestamptz)
     on conflict (connection_id) do update set
       token = excluded.token, saved_at = excluded.saved_at, checked_at = null, app_id = null, expires_at = null, findings = null
     -- A wrong key must never replace what only the right one can open.
     where substr(graph_credentials.token, 1, ${SEAL_BYTES}) = substr(excluded.token, 1, ${SEAL_BYTES})`,
    [connectionId, token, new Date(now)],
  );
  return written > 0;
}

/** Replaces it with the same token sealed with another key. */
export async function resealCredential(tx: Sql, connectionId: string, token: Uint8Array): Promise<void> {
  await tx.execute(`update graph_credentials set token = $2 where connection_id = $1::uuid`, [
    connectionId,
    token,
  ]);
}

/** Returns whether one existed. */
export async function deleteCredential(sql: Sql, connectionId: string): Promise<boolean> {
  const deleted = await sql.execute(`delete from graph_credentials where connection_id = $1::uuid`, [
    connectionId,
  ]);
  return deleted > 0;
}

/** Records the result of a check. */
export async function recordCheck(
  sql: Sql,
  connectionId: string,
  seen: { at: number; appId: string | null; expiresAt: number | null; findings: JsonObject },
): Promise<void> {
  await sql.execute(
    `update graph_credentials set checked_at = $2::timestamptz, app_id = coalesce($3, app_id),
       expires_at = $4::timestamptz, findings = $5::jsonb
     where connection_id = $1::uuid`,
    [
      connectionId,
      new Date(seen.at),
      seen.appId,
      seen.expiresAt === null ? null : new Date(seen.expiresAt),
      JSON.stringify(seen.findings),
    ],
  );
}

const HISTORY_REQUEST = columns({
  connectionId: uuid,
  syncType: word(SMB_SYNC_TYPES),
  /** The onboarding of the number that it belongs to. */
  onboardedAt: time,
  requestedAt: time,
  deadline: time,
  outcome: word(REQUEST_OUTCOMES),
  requestId: orNull(text),
  fbtraceId: orNull(text),
  error: orNull(text),
  requestedBy: text,
  host: text,
});

/** One request to send contacts or history. Times are ms since 1970. */
export type HistoryRequestRow = RowOf<typeof HISTORY_REQUEST>;

/** The requests of these connections (null: all), newest first. */
export async function readHistoryRequests(
  sql: Sql,
  connectionId: string | null = null,
): Promise<HistoryRequestRow[]> {
  const rows = await sql.query(
    `select ${columnNames(HISTORY_REQUEST)} from history_requests
     where $1::uuid is null or connection_id = $1::uuid
     order by requested_at desc, connection_id, sync_type`,
    [connectionId],
  );
  return rowsOf(HISTORY_REQUEST, rows);
}

/** Claims a request before it is sent; false if any process made it before. */
export async function claimHistoryRequest(sql: Sql, row: HistoryRequestRow): Promise<boolean> {
  return (await insertRows(sql, 'history_requests', HISTORY_REQUEST, [row], 'on conflict do nothing')) > 0;
}

/** Records the outcome of a claimed request. */
export async function recordHistoryOutcome(
  sql: Sql,
  {
    connectionId,
    syncType,
    onboardedAt,
  }: Pick<HistoryRequestRow, 'connectionId' | 'syncType' | 'onboardedAt'>,
  outcome: {
    outcome: RequestOutcome;
    requestId: string | null;
    fbtraceId: string | null;
    error: string | null;
  },
): Promise<void> {
  await sql.execute(
    `update history_requests set outcome = $4, request_id = $5, fbtrace_id = $6, error = $7
     where connection_id = $1::uuid and sync_type = $2 and onboarded_at = $3::timestamptz`,
    [
      connectionId,
      syncType,
      new Date(onboardedAt),
      outcome.outcome,
      outcome.requestId,
      outcome.fbtraceId,
      outcome.error,
    ],
  );
}

/** Withdraws a claim without effect at Meta, so that the request can be made again; never one answered meanwhile. */
export async function releaseHistoryRequest(
  sql: Sql,
  {
    connectionId,
    syncType,
    onboardedAt,
    outcome,
  }: Pick<HistoryRequestRow, 'connectionId' | 'syncType' | 'onboardedAt' | 'outcome'>,
): Promise<void> {
  await sql.execute(
    `delete from history_requests
     where connection_id = $1::uuid and sync_type = $2 and onboarded_at = $3::timestamptz and outcome = $4`,
    [connectionId, syncType, new Date(onboardedAt), outcome],
  );
}
