import { CONNECTION_KINDS, HISTORY_SYNC_STATUSES } from '../model/enumerations.js';
import {
  uuid,
  text,
  integer,
  time,
  word,
  orNull,
  type RowOf,
  columns,
  without,
  rowsOf,
  columnNames,
  assignments,
  unnestTable,
  unnestFound,
  unnestParameters,
} from './columns.js';
import { textOf, integerOf } from './row.js';
import { arrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';

const COLUMNS = columns({
  id: uuid,
  organizationId: uuid,
  name: text,
  kind: word(CONNECTION_KINDS),
  phoneNumberId: orNull(text),
  wabaId: orNull(text),
  displayPhoneNumber: orNull(text),
  lastLiveEventAt: orNull(time),
  historySyncStatus: word(HISTORY_SYNC_STATUSES),
  historySyncStartedAt: orNull(time),
  historySyncCompletedAt: orNull(time),
  historySyncProgress: orNull(integer),
  historySyncPhase: orNull(integer),
  historySyncChunkOrder: orNull(integer),
  historySyncError: orNull(text),
});

export type ConnectionRow = RowOf<typeof COLUMNS>;

const CHUNK_COLUMNS = columns({
  connectionId: uuid,
  phase: integer,
  chunkOrder: integer,
  progress: orNull(integer),
  messages: integer,
  receivedAt: orNull(time),
  processedAt: time,
  webhookLogId: orNull(uuid),
});

/** One row of the history ledger. */
export type HistoryChunkRow = RowOf<typeof CHUNK_COLUMNS>;

const CHANGING = without(COLUMNS, 'id', 'organizationId', 'name');

/** All connections: there are few, and a run keeps them in sight. */
export async function readConnections(sql: Sql): Promise<ConnectionRow[]> {
  const rows = await sql.query(`select ${columnNames(COLUMNS)} from connections order by name, id`);
  return rowsOf(COLUMNS, rows);
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
    `update connections set ${assignments(CHANGING)}
     from ${unnestFound('connections', COLUMNS)}
     where connections.id = r.found_id
       and (${columnNames(CHANGING, 'connections')})
           is distinct from (${columnNames(CHANGING, 'r')})`,
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
