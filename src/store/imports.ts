import { DIRECTIONS, type Direction, type RunStatus } from '../model/enumerations.js';
import { textOf, textOrNull, timeOf, timeOrNull, bytesOf, wordOf } from './row.js';
import type { JsonObject } from '../model/json.js';
import { arrayLiteral, byteArrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';

/** A stored message that WhatsApp Web knows by a key. */
export interface KeyedMessage {
  /** The key id: of a message that came through the Cloud API, what its wamid holds. */
  keyId: string;
  direction: Direction;
  /** Ms since 1970. */
  timestamp: number;
  /** The raw entry that brought it. */
  entryId: string | null;
}

/** The oldest message of a conversation that has a key; undefined when none has. */
export async function readOldestKeyed(sql: Sql, conversationId: string): Promise<KeyedMessage | undefined> {
  const rows = await sql.query(
    // A wamid that does not decode names nothing that a phone knows. Rows of other programs may have no stanza id.
    `select coalesce(stanza_id, external_id) as key_id, direction, timestamp, batch_id from messages
     where conversation_id = $1::uuid
       and (stanza_id is not null or (external_id is not null and not starts_with(external_id, 'wamid.')))
     order by timestamp, id limit 1`,
    [conversationId],
  );
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        keyId: textOf(row, 'key_id'),
        direction: wordOf(row, 'direction', DIRECTIONS),
        timestamp: timeOf(row, 'timestamp'),
        entryId: textOrNull(row, 'batch_id'),
      };
}

/** When the oldest message of a conversation was sent, whatever names it; null when there is none. */
export async function readOldestTime(sql: Sql, conversationId: string): Promise<number | null> {
  const [row] = await sql.query(
    `select timestamp from messages where conversation_id = $1::uuid order by timestamp limit 1`,
    [conversationId],
  );
  return row === undefined ? null : timeOrNull(row, 'timestamp');
}

/** The bytes of a raw entry; undefined when it is not there. */
export async function readRawBody(sql: Sql, entryId: string): Promise<Uint8Array | undefined> {
  const [row] = await sql.query(`select raw_body from webhook_log where id = $1::uuid`, [entryId]);
  return row === undefined ? undefined : bytesOf(row, 'raw_body');
}

/** The connections that a device of the tool is linked to. */
export async function readLinkedConnections(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(`select connection_id from linked_devices`);
  return new Set(rows.map((row) => textOf(row, 'connection_id')));
}

/** What earlier imports of a contact leave for the next one. */
export interface EarlierImports {
  /** When the phone was last asked by an import that came to its end, ms since 1970. */
  askedAt: number | null;
  /** The address under which it last answered. */
  answeredAs: string | null;
}

/**
 * Reads what earlier imports of this lead over this connection have recorded. One that was killed counts for nothing: to
 * type the same command again must finish its work.
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

/** How an import of one contact ended, for its sync_log. */
export interface ManualRecoveryEnd {
  id: string;
  /** A merge may have given the contact another lead meanwhile. */
  leadId: string | null;
  messagesImported: number;
  counters: JsonObject;
  status: RunStatus;
  error: string | null;
  completedAt: number;
}

export async function finishSyncLog(sql: Sql, log: ManualRecoveryEnd): Promise<void> {
  await sql.execute(
    `update sync_logs set lead_id = $2::uuid, messages_imported = $3::int, counters = $4::jsonb, status = $5,
       error_message = $6, completed_at = $7::timestamptz
     where id = $1::uuid`,
    [
      log.id,
      log.leadId,
      log.messagesImported,
      JSON.stringify(log.counters),
      log.status,
      log.error,
      new Date(log.completedAt).toISOString(),
    ],
  );
}

/**
 * Marks entries of which a contact's part was applied: what they hold of other people is still due, and no later look for
 * what has come beside an answer need read them.
 */
export async function markNarrowed(
  sql: Sql,
  runId: string,
  entries: readonly { connectionScope: string; sha256: Uint8Array }[],
): Promise<void> {
  if (entries.length === 0) return;
  await sql.execute(
    `update webhook_log w set error = 'other_contact', run_id = $3::uuid
     from unnest($1::uuid[], $2::bytea[]) as k (connection_scope, sha256)
     where w.connection_scope = k.connection_scope and w.sha256 = k.sha256
       and w.status = 'pending' and w.error is null`,
    [
      arrayLiteral(entries.map((entry) => entry.connectionScope)),
      byteArrayLiteral(entries.map((entry) => entry.sha256)),
      runId,
    ],
  );
}
