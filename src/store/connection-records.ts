import {
  CONNECTION_KINDS,
  HISTORY_SYNC_STATUSES,
  type ConnectionKind,
  type HistorySyncStatus,
  type Provider,
} from '../model/enumerations.js';
import { arrayLiteral } from './array-literal.js';
import { integerOf, integerOrNull, textOf, textOrNull, timeOf, timeOrNull, wordOf } from './row.js';
import type { Sql, SqlRow } from './sql.js';

/** A connection as a person enters and edits it, with its organization's slug. Times are milliseconds since 1970, UTC. */
export interface ConnectionRecord extends ConnectionFields {
  id: string;
  organizationId: string;
  /** Slug. */
  organization: string;
  historySyncStatus: HistorySyncStatus;
  historySyncStartedAt: number | null;
  historySyncCompletedAt: number | null;
  historySyncProgress: number | null;
  historySyncPhase: number | null;
  historySyncChunkOrder: number | null;
  historySyncError: string | null;
  webhookActivatedAt: number | null;
  lastSyncAt: number | null;
  lastLiveEventAt: number | null;
  createdAt: number;
  archivedAt: number | null;
}

/** What a person says about a connection. */
export interface ConnectionFields {
  name: string;
  kind: ConnectionKind;
  displayPhoneNumber: string | null;
  phoneNumberId: string | null;
  wabaId: string | null;
}

/** Connections by organization and name: all, those of one organization, or the one of an id. */
export async function readConnectionRecords(
  sql: Sql,
  only: { organization?: string | undefined; id?: string } = {},
): Promise<ConnectionRecord[]> {
  const rows = await sql.query(
    `select c.*, o.slug from connections c join organizations o on o.id = c.organization_id
     where ($1::text is null or o.slug = $1) and ($2::uuid is null or c.id = $2) order by o.slug, c.name`,
    [only.organization ?? null, only.id ?? null],
  );
  return rows.map(recordOf);
}

function recordOf(row: SqlRow): ConnectionRecord {
  return {
    id: textOf(row, 'id'),
    organizationId: textOf(row, 'organization_id'),
    organization: textOf(row, 'slug'),
    name: textOf(row, 'name'),
    kind: wordOf(row, 'kind', CONNECTION_KINDS),
    displayPhoneNumber: textOrNull(row, 'display_phone_number'),
    phoneNumberId: textOrNull(row, 'phone_number_id'),
    wabaId: textOrNull(row, 'waba_id'),
    historySyncStatus: wordOf(row, 'history_sync_status', HISTORY_SYNC_STATUSES),
    historySyncStartedAt: timeOrNull(row, 'history_sync_started_at'),
    historySyncCompletedAt: timeOrNull(row, 'history_sync_completed_at'),
    historySyncProgress: integerOrNull(row, 'history_sync_progress'),
    historySyncPhase: integerOrNull(row, 'history_sync_phase'),
    historySyncChunkOrder: integerOrNull(row, 'history_sync_chunk_order'),
    historySyncError: textOrNull(row, 'history_sync_error'),
    webhookActivatedAt: timeOrNull(row, 'webhook_activated_at'),
    lastSyncAt: timeOrNull(row, 'last_sync_at'),
    lastLiveEventAt: timeOrNull(row, 'last_live_event_at'),
    createdAt: timeOf(row, 'created_at'),
    archivedAt: timeOrNull(row, 'archived_at'),
  };
}

/** The organization of a slug, made with the id `fresh` where there is none. */
export async function ensureOrganization(
  sql: Sql,
  slug: string,
  fresh: string,
): Promise<{ id: string; isCreated: boolean }> {
  // Updating nothing makes the row that another process has just inserted come back, too.
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

/** The same for a change. `historySyncStatus`: null leaves it as it is. */
export async function updateConnectionRecord(
  sql: Sql,
  row: ConnectionFields & { id: string; historySyncStatus: HistorySyncStatus | null },
): Promise<void> {
  await sql.execute(
    `update connections set history_sync_status = coalesce($2, history_sync_status), name = $3, kind = $4,
       display_phone_number = $5, phone_number_id = $6, waba_id = $7
     where id = $1::uuid`,
    [row.id, row.historySyncStatus, ...parametersOf(row)],
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
    at === null ? null : new Date(at).toISOString(),
  ]);
}

export interface ConnectionCounts {
  conversations: number;
  messages: number;
  openTickets: number;
  historyChunks: number;
  /** Statuses, edits and the like whose message is not stored yet. */
  pendingFacts: number;
}

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
  return {
    conversations: integerOf(row, 'conversations'),
    messages: integerOf(row, 'messages'),
    openTickets: integerOf(row, 'open_tickets'),
    historyChunks: integerOf(row, 'history_chunks'),
    pendingFacts: integerOf(row, 'pending_facts'),
  };
}

/** Pending entries that name a phone_number_id, and those of some providers, whatever they name. */
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
  for (const table of ['pending_facts', 'history_chunks', 'owed_files', 'history_gaps', 'sync_logs'])
    await tx.execute(`delete from ${table} where connection_id = $1::uuid`, [id]);
  await tx.execute('delete from connections where id = $1::uuid', [id]);
}
