import {
  CONNECTION_KINDS,
  HISTORY_SYNC_STATUSES,
  type ConnectionKind,
  type HistorySyncStatus,
  type Provider,
} from '../../model/enumerations.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import {
  uuid,
  text,
  texts,
  integer,
  time,
  word,
  orNull,
  type RowOf,
  columns,
  without,
  rowsOf,
  columnNames,
  named,
  rowOf,
  insertRows,
  updateRows,
} from '../columns.js';
import { textOf, integerOf } from '../row.js';
import type { Sql } from '../sql.js';
import { rfc3339 } from '../../model/time.js';

const CONNECTION = {
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
  /** Every WABA and number (E.164) by which entries have named it. */
  wabaIds: texts,
  numbers: texts,
};

const COLUMNS = columns(CONNECTION);

export type ConnectionRow = RowOf<typeof COLUMNS>;

/** Excludes what only {@link fillInConnections} changes. */
const NEWS = without(COLUMNS, 'wabaIds', 'numbers');
const CHANGING = without(NEWS, 'id', 'organizationId', 'name', 'wabaId', 'displayPhoneNumber');

/** All connections: there are few, and a run keeps them in memory. */
export async function readConnections(sql: Sql): Promise<ConnectionRow[]> {
  const rows = await sql.query(`select ${columnNames(COLUMNS)} from connections order by name, id`);
  return rowsOf(COLUMNS, rows);
}

/** The organization for registered connections; the migration creates it. */
export async function readDefaultOrganization(sql: Sql): Promise<string> {
  const [row] = await sql.query(`select id from organizations where slug = 'default'`);
  if (row === undefined) throw new Error('the organization `default` is missing');
  return textOf(row, 'id');
}

/** Inserts connections; one registered meanwhile by another run stays unchanged (the caller reads again). */
export async function insertConnections(tx: Sql, rows: readonly ConnectionRow[]): Promise<number> {
  return insertRows(tx, 'connections', COLUMNS, rows, `on conflict do nothing`);
}

export async function updateConnections(tx: Sql, rows: readonly ConnectionRow[]): Promise<number> {
  return updateRows(tx, 'connections', NEWS, CHANGING, rows);
}

/**
 * Fills in what entries say about connections: the phone_number_id, if there was none; all WABAs and numbers. Of
 * several, the greatest is shown. Values entered by a person stay, and nothing is learned beside them. A connection
 * named after its phone_number_id for lack of a number, or after a number from entries, takes the shown number as its
 * name, if free. Returns the number of changed connections.
 */
export async function fillInConnections(tx: Sql, rows: readonly ConnectionRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  const isLearned = (column: string, all: string): string =>
    `(c.${column} is null or c.${column} = any(c.${all}))`;
  const union = (column: string, all: string): string =>
    `case when ${isLearned(column, all)}
       then (select coalesce(array_agg(distinct x collate "C" order by x collate "C"), '{}')
             from unnest(c.${all} || string_to_array(r.${all}, ' ')) x where x <> '')
       else c.${all} end`;
  const shown = (column: string, all: string): string =>
    `case when ${isLearned(column, all)} then coalesce(f.${all}[cardinality(f.${all})], c.${column}) else c.${column} end`;
  return tx.execute(
    `update connections set phone_number_id = due.phone_number_id, waba_ids = due.waba_ids, numbers = due.numbers,
       waba_id = due.waba_id, display_phone_number = due.number,
       name = case
         when (connections.name = connections.phone_number_id and connections.display_phone_number is null
             or connections.name = any(connections.numbers) and connections.name = connections.display_phone_number)
           and not exists (
             select from connections other
             where other.organization_id = connections.organization_id and other.name = due.number
           )
         then coalesce(due.number, connections.name) else connections.name end
     from (
       select c.id, coalesce(c.phone_number_id, r.phone_number_id) as phone_number_id, f.waba_ids, f.numbers,
         ${shown('waba_id', 'waba_ids')} as waba_id, ${shown('display_phone_number', 'numbers')} as number
       from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as r (id, phone_number_id, waba_ids, numbers)
       join connections c on c.id = r.id
       cross join lateral (
         select ${union('waba_id', 'waba_ids')} as waba_ids, ${union('display_phone_number', 'numbers')} as numbers
       ) f
     ) due
     where connections.id = due.id
       and (connections.phone_number_id, connections.waba_ids, connections.numbers, connections.waba_id,
            connections.display_phone_number)
         is distinct from (due.phone_number_id, due.waba_ids, due.numbers, due.waba_id, due.number)`,
    arraysOf(
      rows.map(({ id, phoneNumberId, wabaIds, numbers }) => ({
        id,
        phoneNumberId,
        wabaIds: wabaIds.join(' '),
        numbers: numbers.join(' '),
      })),
      'id',
      'phoneNumberId',
      'wabaIds',
      'numbers',
    ),
  );
}

/** Marks when a run last wrote to these connections. */
export async function touchConnections(tx: Sql, ids: readonly string[], at: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.execute(`update connections set last_sync_at = $2::timestamptz where id = any($1::uuid[])`, [
    arrayLiteral(ids),
    new Date(at).toISOString(),
  ]);
}

const RECORD_COLUMNS = columns({
  ...CONNECTION,
  /** Slug. */
  organization: named('slug', text),
  webhookActivatedAt: orNull(time),
  lastSyncAt: orNull(time),
  createdAt: time,
  archivedAt: orNull(time),
});

/**
 * A connection as entered and edited by a person, with its organization's slug. Times are milliseconds since 1970, UTC.
 */
export type ConnectionRecord = RowOf<typeof RECORD_COLUMNS>;

/** The fields of a connection that people enter. */
export type ConnectionFields = Pick<
  ConnectionRow,
  'name' | 'kind' | 'displayPhoneNumber' | 'phoneNumberId' | 'wabaId'
>;

/** Connections by organization and name: all, those of one organization, or one by id. */
export async function readConnectionRecords(
  sql: Sql,
  only: { organization?: string | undefined; id?: string } = {},
): Promise<ConnectionRecord[]> {
  const rows = await sql.query(
    `select c.*, o.slug from connections c join organizations o on o.id = c.organization_id
     where ($1::text is null or o.slug = $1) and ($2::uuid is null or c.id = $2) order by o.slug, c.name`,
    [only.organization ?? null, only.id ?? null],
  );
  return rowsOf(RECORD_COLUMNS, rows);
}

/** The id of the organization with a slug; undefined if there is none. */
export async function findOrganization(sql: Sql, slug: string): Promise<string | undefined> {
  const [row] = await sql.query('select id from organizations where slug = $1', [slug]);
  return row === undefined ? undefined : textOf(row, 'id');
}

/** The organization with a slug, created with the id `fresh` if missing. */
export async function ensureOrganization(
  sql: Sql,
  slug: string,
  fresh: string,
): Promise<{ id: string; isCreated: boolean }> {
  // A no-op update also returns a row just inserted by another process.
  const [row] = await sql.query(
    `with known as (select id from organizations where slug = $1),
          made as (insert into organizations (id, slug, name)
                   select $2::uuid, $1, $1 where not exists (select from known)
                   on conflict (slug) do update set slug = excluded.slug returning id)
     select id from known union all select id from made`,
    [slug, fresh],
  );
  if (row === undefined) throw new Error('the organization that was just stored is gone');
  const id = textOf(row, 'id');
  return { id, isCreated: id === fresh };
}

/** Throws the violation (SQLSTATE 23505) of whichever name, id or number is taken. */
export async function insertConnectionRecord(
  sql: Sql,
  row: ConnectionFields & { id: string; organizationId: string; historySyncStatus: HistorySyncStatus },
): Promise<void> {
  await sql.execute(
    `insert into connections (id, organization_id, history_sync_status, name, kind, display_phone_number, phone_number_id, waba_id)
     values ($1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8)`,
    [row.id, row.organizationId, row.historySyncStatus, ...parametersOf(row)],
  );
}

/** The same for a change. `historySyncStatus`: null keeps it. `isPhoneEntered`: also if it is the number that is shown already. */
export async function updateConnectionRecord(
  sql: Sql,
  row: ConnectionFields & {
    id: string;
    historySyncStatus: HistorySyncStatus | null;
    isPhoneEntered: boolean;
  },
): Promise<void> {
  await sql.execute(
    `update connections set history_sync_status = coalesce($2, history_sync_status), name = $3, kind = $4,
       display_phone_number = $5, phone_number_id = $6, waba_id = $7,
       -- What a person enters takes the place of all that entries have said.
       numbers = case when display_phone_number is distinct from $5 or $8::boolean and not numbers <@ array[$5::text] then '{}' else numbers end,
       waba_ids = case when waba_id is distinct from $7 then '{}' else waba_ids end
     where id = $1::uuid`,
    [row.id, row.historySyncStatus, ...parametersOf(row), row.isPhoneEntered],
  );
}

function parametersOf(
  row: ConnectionFields,
): [string, ConnectionKind, string | null, string | null, string | null] {
  return [row.name, row.kind, row.displayPhoneNumber, row.phoneNumberId, row.wabaId];
}

export async function setArchived(sql: Sql, id: string, at: number | null): Promise<void> {
  await sql.execute('update connections set archived_at = $2::timestamptz where id = $1::uuid', [
    id,
    rfc3339(at),
  ]);
}

/** Records when a number was connected to the platform, ms since 1970; returns whether that is new. */
export async function setWebhookActivated(sql: Sql, id: string, at: number): Promise<boolean> {
  const changed = await sql.execute(
    `update connections set webhook_activated_at = $2::timestamptz
     where id = $1::uuid and webhook_activated_at is distinct from $2::timestamptz`,
    [id, new Date(at)],
  );
  return changed > 0;
}

const COUNTS = columns({
  conversations: integer,
  messages: integer,
  openTickets: integer,
  historyChunks: integer,
  /** Statuses, edits and the like without their message so far. */
  pendingFacts: integer,
});

export type ConnectionCounts = RowOf<typeof COUNTS>;

export async function countContents(sql: Sql, connectionId: string): Promise<ConnectionCounts> {
  const [row = {}] = await sql.query(
    `select (select count(*) from conversations where connection_id = $1::uuid) as conversations,
       (select count(*) from messages where connection_id = $1::uuid) as messages,
       (select count(*) from tickets t join conversations c on c.id = t.conversation_id
        where t.status = 'open' and c.connection_id = $1::uuid) as open_tickets,
       (select count(*) from history_chunks where connection_id = $1::uuid) as history_chunks,
       (select count(*) from pending_facts where connection_id = $1::uuid) as pending_facts`,
    [connectionId],
  );
  return rowOf(COUNTS, row);
}

/** Pending entries that name a phone_number_id, and those of some providers regardless of what they name. */
export async function countPendingEntries(
  sql: Sql,
  { phoneNumberId, providers }: { phoneNumberId: string | null; providers: readonly Provider[] },
): Promise<{ named: number; ofProviders: number }> {
  const [row = {}] = await sql.query(
    `select count(*) filter (where phone_number_ids @> array[$1::text]) as named,
       count(*) filter (where provider = any($2::text[])) as of_providers
     from webhook_log where status = 'pending'`,
    [phoneNumberId, arrayLiteral(providers)],
  );
  return { named: integerOf(row, 'named'), ofProviders: integerOf(row, 'of_providers') };
}

/** Deletes a connection with its bookkeeping; throws a foreign-key violation (SQLSTATE 23503) if it has conversations. */
export async function deleteConnection(tx: Sql, id: string): Promise<void> {
  const bookkeeping = [
    'pending_facts',
    'history_chunks',
    'owed_files',
    'history_gaps',
    'sync_logs',
    'graph_credentials',
    'history_requests',
    'media_files',
  ];
  for (const table of bookkeeping)
    await tx.execute(`delete from ${table} where connection_id = $1::uuid`, [id]);
  await tx.execute('delete from connections where id = $1::uuid', [id]);
}

const CONNECTION_TIMES = columns({
  id: uuid,
  organization: named('slug', text),
  webhookActivatedAt: orNull(time),
  lastSyncAt: orNull(time),
  createdAt: time,
  /** When it was archived; null if in use. */
  archivedAt: orNull(time),
  /** When its newest history chunk arrived (else was processed). */
  lastChunkAt: orNull(time),
  firstChunkAt: orNull(time),
});

/** The times of a connection other than its history state. */
export type ConnectionTimes = RowOf<typeof CONNECTION_TIMES>;

export async function readConnectionTimes(sql: Sql): Promise<ConnectionTimes[]> {
  const rows = await sql.query(
    `select c.id, o.slug, c.webhook_activated_at, c.last_sync_at, c.created_at, c.archived_at, h.last_chunk_at, h.first_chunk_at
     from connections c
     join organizations o on o.id = c.organization_id
     left join (
       select connection_id, max(coalesce(received_at, processed_at)) as last_chunk_at, min(received_at) as first_chunk_at
       from history_chunks group by connection_id
     ) h on h.connection_id = c.id`,
  );
  return rowsOf(CONNECTION_TIMES, rows);
}
