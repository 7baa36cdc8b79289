import {
  CONNECTION_KINDS,
  HISTORY_SYNC_STATUSES,
  type ConnectionKind,
  type HistorySyncStatus,
} from '../model/enumerations.js';
import { arrayLiteral } from './array-literal.js';
import { columnNames, time, unnestFound, unnestParameters, unnestTable, type Column } from './columns.js';
import { integerOf, integerOrNull, textOf, textOrNull, timeOrNull, wordOf } from './row.js';
import type { Sql } from './sql.js';

export interface ConnectionRow {
  id: string;
  organizationId: string;
  name: string;
  kind: ConnectionKind;
  phoneNumberId: string | null;
  wabaId: string | null;
  displayPhoneNumber: string | null;
  lastLiveEventAt: number | null;
  historySyncStatus: HistorySyncStatus;
  historySyncStartedAt: number | null;
  historySyncCompletedAt: number | null;
  historySyncProgress: number | null;
  historySyncPhase: number | null;
  historySyncChunkOrder: number | null;
  historySyncError: string | null;
}

/** One row of the history ledger. */
export interface HistoryChunkRow {
  connectionId: string;
  phase: number;
  chunkOrder: number;
  progress: number | null;
  messages: number;
  receivedAt: number | null;
  processedAt: number;
  webhookLogId: string | null;
}

const COLUMNS: readonly Column<ConnectionRow>[] = [
  { name: 'id', type: 'uuid', of: (row) => row.id },
  { name: 'organization_id', type: 'uuid', of: (row) => row.organizationId },
  { name: 'name', type: 'text', of: (row) => row.name },
  { name: 'kind', type: 'text', of: (row) => row.kind },
  { name: 'phone_number_id', type: 'text', of: (row) => row.phoneNumberId },
  { name: 'waba_id', type: 'text', of: (row) => row.wabaId },
  { name: 'display_phone_number', type: 'text', of: (row) => row.displayPhoneNumber },
  { name: 'last_live_event_at', type: 'timestamptz', of: (row) => time(row.lastLiveEventAt) },
  { name: 'history_sync_status', type: 'text', of: (row) => row.historySyncStatus },
  { name: 'history_sync_started_at', type: 'timestamptz', of: (row) => time(row.historySyncStartedAt) },
  { name: 'history_sync_completed_at', type: 'timestamptz', of: (row) => time(row.historySyncCompletedAt) },
  { name: 'history_sync_progress', type: 'integer', of: (row) => row.historySyncProgress },
  { name: 'history_sync_phase', type: 'integer', of: (row) => row.historySyncPhase },
  { name: 'history_sync_chunk_order', type: 'integer', of: (row) => row.historySyncChunkOrder },
  { name: 'history_sync_error', type: 'text', of: (row) => row.historySyncError },
];

const CHANGING = COLUMNS.filter((column) => !['id', 'organization_id', 'name'].includes(column.name));

const CHUNK_COLUMNS: readonly Column<HistoryChunkRow>[] = [
  { name: 'connection_id', type: 'uuid', of: (row) => row.connectionId },
  { name: 'phase', type: 'integer', of: (row) => row.phase },
  { name: 'chunk_order', type: 'integer', of: (row) => row.chunkOrder },
  { name: 'progress', type: 'integer', of: (row) => row.progress },
  { name: 'messages', type: 'integer', of: (row) => row.messages },
  { name: 'received_at', type: 'timestamptz', of: (row) => time(row.receivedAt) },
  { name: 'processed_at', type: 'timestamptz', of: (row) => time(row.processedAt) },
  { name: 'webhook_log_id', type: 'uuid', of: (row) => row.webhookLogId },
];

/** All connections: there are few, and a run keeps them in sight. */
export async function readConnections(sql: Sql): Promise<ConnectionRow[]> {
  const rows = await sql.query(`select ${columnNames(COLUMNS)} from connections order by name, id`);
  return rows.map((row) => ({
    id: textOf(row, 'id'),
    organizationId: textOf(row, 'organization_id'),
    name: textOf(row, 'name'),
    kind: wordOf(row, 'kind', CONNECTION_KINDS),
    phoneNumberId: textOrNull(row, 'phone_number_id'),
    wabaId: textOrNull(row, 'waba_id'),
    displayPhoneNumber: textOrNull(row, 'display_phone_number'),
    lastLiveEventAt: timeOrNull(row, 'last_live_event_at'),
    historySyncStatus: wordOf(row, 'history_sync_status', HISTORY_SYNC_STATUSES),
    historySyncStartedAt: timeOrNull(row, 'history_sync_started_at'),
    historySyncCompletedAt: timeOrNull(row, 'history_sync_completed_at'),
    historySyncProgress: integerOrNull(row, 'history_sync_progress'),
    historySyncPhase: integerOrNull(row, 'history_sync_phase'),
    historySyncChunkOrder: integerOrNull(row, 'history_sync_chunk_order'),
    historySyncError: textOrNull(row, 'history_sync_error'),
  }));
}

/** The organization that registered connections belong to; the migration creates it. */
export async function readDefaultOrganization(sql: Sql): Promise<string> {
  const [row] = await sql.query(`select id from organizations where slug = 'default'`);
  if (row === undefined) throw new Error('the organization `default` is missing');
  return textOf(row, 'id');
}

/** Inserts connections; one that another run registered in the meantime is left as it is (the caller reads again). */
export async function insertConnections(tx: Sql, rows: readonly ConnectionRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into connections (${columnNames(COLUMNS)}) select r.* from ${unnestTable(COLUMNS)} on conflict do nothing`,
    unnestParameters(COLUMNS, rows),
  );
}

export async function updateConnections(tx: Sql, rows: readonly ConnectionRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `update connections set ${CHANGING.map((column) => `${column.name} = r.${column.name}`).join(', ')}
     from ${unnestFound('connections', COLUMNS)}
     where connections.id = r.found_id
       and (${CHANGING.map((column) => `connections.${column.name}`).join(', ')})
           is distinct from (${CHANGING.map((column) => `r.${column.name}`).join(', ')})`,
    unnestParameters(COLUMNS, rows),
  );
}

/**
 * Fills in what entries say about connections that nobody had entered: phone_number_id, WABA, number. One that is called by
 * its phone_number_id, for want of a number, is called by its number then, where no other one is.
 */
export async function fillInConnections(tx: Sql, rows: readonly ConnectionRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(
    `update connections set
       phone_number_id = coalesce(connections.phone_number_id, r.phone_number_id),
       waba_id = coalesce(connections.waba_id, r.waba_id),
       display_phone_number = coalesce(connections.display_phone_number, r.number),
       name = case
         when connections.name = connections.phone_number_id and connections.display_phone_number is null
           and not exists (
             select from connections other
             where other.organization_id = connections.organization_id and other.name = r.number
           )
         then coalesce(r.number, connections.name) else connections.name end
     from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as r (id, phone_number_id, waba_id, number)
     where connections.id = r.id
       and ((connections.phone_number_id is null and r.phone_number_id is not null)
         or (connections.waba_id is null and r.waba_id is not null)
         or (connections.display_phone_number is null and r.number is not null))`,
    [
      arrayLiteral(rows.map((row) => row.id)),
      arrayLiteral(rows.map((row) => row.phoneNumberId)),
      arrayLiteral(rows.map((row) => row.wabaId)),
      arrayLiteral(rows.map((row) => row.displayPhoneNumber)),
    ],
  );
}

/** One ledger row per chunk (H2); a chunk that comes again keeps the larger counts, in any order. */
export async function writeHistoryChunks(tx: Sql, rows: readonly HistoryChunkRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into history_chunks (${columnNames(CHUNK_COLUMNS)})
     select r.* from ${unnestTable(CHUNK_COLUMNS)}
     on conflict (connection_id, phase, chunk_order) do update set
       progress = greatest(history_chunks.progress, excluded.progress),
       messages = greatest(history_chunks.messages, excluded.messages),
       received_at = least(history_chunks.received_at, excluded.received_at)
     -- Only a chunk that says more is written, so a second replay leaves no dead rows.
     where history_chunks.progress is distinct from greatest(history_chunks.progress, excluded.progress)
        or history_chunks.messages < excluded.messages
        or history_chunks.received_at is distinct from least(history_chunks.received_at, excluded.received_at)`,
    unnestParameters(CHUNK_COLUMNS, rows),
  );
}

/** Orders of chunks that a phase lacks, up to the highest that came; Meta counts from 1, a chunk 0 is taken as the start. */
export async function readMissingChunks(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<{ connectionId: string; phase: number; chunkOrder: number }[]> {
  if (connectionIds.length === 0) return [];
  const rows = await sql.query(
    `select seen.connection_id, seen.phase, wanted.chunk_order
     from (
       select connection_id, phase, least(min(chunk_order), 1) as first, max(chunk_order) as last
       from history_chunks where connection_id = any($1::uuid[])
       group by connection_id, phase
     ) seen
     cross join lateral generate_series(seen.first, least(seen.last, seen.first + 10000)) as wanted (chunk_order)
     where not exists (
       select from history_chunks h
       where h.connection_id = seen.connection_id and h.phase = seen.phase and h.chunk_order = wanted.chunk_order
     )
     order by seen.connection_id, seen.phase, wanted.chunk_order`,
    [arrayLiteral(connectionIds)],
  );
  return rows.map((row) => ({
    connectionId: textOf(row, 'connection_id'),
    phase: integerOf(row, 'phase'),
    chunkOrder: integerOf(row, 'chunk_order'),
  }));
}

/** Marks when a run last wrote for these connections. */
export async function touchConnections(tx: Sql, ids: readonly string[], at: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(`update connections set last_sync_at = $2::timestamptz where id = any($1::uuid[])`, [
    arrayLiteral(ids),
    new Date(at).toISOString(),
  ]);
}
