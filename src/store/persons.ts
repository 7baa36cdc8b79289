import { IDENTITY_KINDS, LEAD_SOURCES, type LeadSource } from '../model/enumerations.js';
import type { IdentityKind } from '../model/enumerations.js';
import { arrayLiteral } from './array-literal.js';
import { columnNames, time, unnestFound, unnestParameters, unnestTable, type Column } from './columns.js';
import { booleanOf, textOf, textOrNull, timeOf, timeOrNull, wordOf, wordOrNull } from './row.js';
import type { Sql, SqlRow } from './sql.js';

/** A row of lead_identities, flat as it is stored. Times are ms since 1970. */
export interface IdentityRow {
  kind: IdentityKind;
  value: string;
  personId: string;
  leadId: string | null;
  firstSeenAt: number | null;
  profileName: string | null;
  profileNameAt: number | null;
  username: string | null;
  usernameAt: number | null;
  bookName: string | null;
  bookNameAt: number | null;
  bookState: 'added' | 'removed' | null;
  bookStateAt: number | null;
  bookFirstAt: number | null;
  liveFirstAt: number | null;
}

/** A row of leads. */
export interface LeadRow {
  id: string;
  phoneNumber: string | null;
  pushName: string | null;
  username: string | null;
  source: LeadSource;
  firstSeenAt: number;
  isActive: boolean;
  deletedAt: number | null;
  lastMessageAt: number | null;
}

const IDENTITY_COLUMNS: readonly Column<IdentityRow>[] = [
  { name: 'kind', type: 'text', of: (row) => row.kind },
  { name: 'value', type: 'text', of: (row) => row.value },
  { name: 'person_id', type: 'uuid', of: (row) => row.personId },
  { name: 'lead_id', type: 'uuid', of: (row) => row.leadId },
  { name: 'first_seen_at', type: 'timestamptz', of: (row) => time(row.firstSeenAt) },
  { name: 'profile_name', type: 'text', of: (row) => row.profileName },
  { name: 'profile_name_at', type: 'timestamptz', of: (row) => time(row.profileNameAt) },
  { name: 'username', type: 'text', of: (row) => row.username },
  { name: 'username_at', type: 'timestamptz', of: (row) => time(row.usernameAt) },
  { name: 'book_name', type: 'text', of: (row) => row.bookName },
  { name: 'book_name_at', type: 'timestamptz', of: (row) => time(row.bookNameAt) },
  { name: 'book_state', type: 'text', of: (row) => row.bookState },
  { name: 'book_state_at', type: 'timestamptz', of: (row) => time(row.bookStateAt) },
  { name: 'book_first_at', type: 'timestamptz', of: (row) => time(row.bookFirstAt) },
  { name: 'live_first_at', type: 'timestamptz', of: (row) => time(row.liveFirstAt) },
];

const LEAD_COLUMNS: readonly Column<LeadRow>[] = [
  { name: 'id', type: 'uuid', of: (row) => row.id },
  { name: 'phone_number', type: 'text', of: (row) => row.phoneNumber },
  { name: 'push_name', type: 'text', of: (row) => row.pushName },
  { name: 'username', type: 'text', of: (row) => row.username },
  { name: 'source', type: 'text', of: (row) => row.source },
  { name: 'first_seen_at', type: 'timestamptz', of: (row) => time(row.firstSeenAt) },
  { name: 'is_active', type: 'boolean', of: (row) => row.isActive },
  { name: 'deleted_at', type: 'timestamptz', of: (row) => time(row.deletedAt) },
  { name: 'last_message_at', type: 'timestamptz', of: (row) => time(row.lastMessageAt) },
];

/**
 * Every identity of every person that one of the given names belongs to: the whole person, since a lead is a projection
 * of all of its identities.
 */
export async function readIdentities(
  tx: Sql,
  organizationId: string,
  nodes: readonly { kind: IdentityKind; value: string }[],
): Promise<IdentityRow[]> {
  if (nodes.length === 0) return [];
  const rows = await tx.query(
    `select ${columnNames(IDENTITY_COLUMNS)}
     from lead_identities
     where person_id = any(array(
       select known.person_id
       from unnest($2::text[], $3::text[]) as wanted (kind, value)
       cross join lateral (
         select person_id from lead_identities
         where organization_id = $1::uuid and kind = wanted.kind and value = wanted.value limit 1
       ) known
     ))`,
    [
      organizationId,
      arrayLiteral(nodes.map((node) => node.kind)),
      arrayLiteral(nodes.map((node) => node.value)),
    ],
  );
  return rows.map(identityOf);
}

/** Every identity of the given persons. */
export async function readIdentitiesOfPersons(tx: Sql, personIds: readonly string[]): Promise<IdentityRow[]> {
  if (personIds.length === 0) return [];
  const rows = await tx.query(
    `select ${columnNames(IDENTITY_COLUMNS)} from lead_identities where person_id = any($1::uuid[])`,
    [arrayLiteral(personIds)],
  );
  return rows.map(identityOf);
}

/** Leads by id, and those that only their phone tells (written by other programs, without rows of lead_identities). */
export async function readLeads(
  tx: Sql,
  organizationId: string,
  ids: readonly string[],
  phones: readonly string[],
): Promise<LeadRow[]> {
  // Fenced look-ups, one per name: left free, the planner may walk the organization's whole index for every batch when it
  // has no statistics of the table yet. `union` and not `union all`: a lead may be named both ways.
  const rows = await tx.query(
    `select l.* from unnest($2::uuid[]) as k (id)
     cross join lateral (select ${columnNames(LEAD_COLUMNS)} from leads where id = k.id limit 1) l
     union
     select l.* from unnest($3::text[]) as k (phone_number)
     cross join lateral (
       select ${columnNames(LEAD_COLUMNS)} from leads
       where organization_id = $1::uuid and phone_number = k.phone_number offset 0
     ) l`,
    [organizationId, arrayLiteral(ids), arrayLiteral(phones)],
  );
  return rows.map(leadOf);
}

export async function readLeadsById(tx: Sql, ids: readonly string[]): Promise<LeadRow[]> {
  if (ids.length === 0) return [];
  const rows = await tx.query(`select ${columnNames(LEAD_COLUMNS)} from leads where id = any($1::uuid[])`, [
    arrayLiteral(ids),
  ]);
  return rows.map(leadOf);
}

/** Writes identities with all that is known under them; the caller has merged what was stored (under the batch lock). */
export async function writeIdentities(
  tx: Sql,
  organizationId: string,
  rows: readonly IdentityRow[],
): Promise<number> {
  if (rows.length === 0) return 0;
  const changing = IDENTITY_COLUMNS.filter((column) => column.name !== 'kind' && column.name !== 'value');
  return tx.execute(
    `insert into lead_identities (organization_id, ${columnNames(IDENTITY_COLUMNS)})
     select $1::uuid, r.* from ${unnestTable(IDENTITY_COLUMNS, 2)}
     -- A name that somebody stored in the meantime keeps its row; what we know of it is complete, so it replaces.
     on conflict (organization_id, kind, value) do update set
       ${changing.map((column) => `${column.name} = excluded.${column.name}`).join(', ')}`,
    [organizationId, ...unnestParameters(IDENTITY_COLUMNS, rows)],
  );
}

export async function insertLeads(
  tx: Sql,
  organizationId: string,
  rows: readonly LeadRow[],
): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `insert into leads (organization_id, last_synced_at, ${columnNames(LEAD_COLUMNS)})
     select $1::uuid, current_timestamp, r.* from ${unnestTable(LEAD_COLUMNS, 2)}`,
    [organizationId, ...unnestParameters(LEAD_COLUMNS, rows)],
  );
}

/** Updates the leads whose projection changed; rows that are equal already are not touched (no dead tuples). */
export async function updateLeads(tx: Sql, rows: readonly LeadRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  const changing = LEAD_COLUMNS.filter((column) => column.name !== 'id');
  return tx.execute(
    `update leads set ${changing.map((column) => `${column.name} = r.${column.name}`).join(', ')},
       last_synced_at = current_timestamp
     from ${unnestFound('leads', LEAD_COLUMNS)}
     where leads.id = r.found_id
       and (${changing.map((column) => `leads.${column.name}`).join(', ')})
           is distinct from (${changing.map((column) => `r.${column.name}`).join(', ')})`,
    unnestParameters(LEAD_COLUMNS, rows),
  );
}

/** A person that becomes a lead: its identities learned before point to the lead from now on. */
export async function attachIdentities(tx: Sql, personIds: readonly string[]): Promise<void> {
  if (personIds.length === 0) return;
  await tx.execute(
    `update lead_identities set lead_id = person_id where person_id = any($1::uuid[]) and lead_id is null`,
    [arrayLiteral(personIds)],
  );
}

function identityOf(row: SqlRow): IdentityRow {
  return {
    kind: wordOf(row, 'kind', IDENTITY_KINDS),
    value: textOf(row, 'value'),
    personId: textOf(row, 'person_id'),
    leadId: textOrNull(row, 'lead_id'),
    firstSeenAt: timeOrNull(row, 'first_seen_at'),
    profileName: textOrNull(row, 'profile_name'),
    profileNameAt: timeOrNull(row, 'profile_name_at'),
    username: textOrNull(row, 'username'),
    usernameAt: timeOrNull(row, 'username_at'),
    bookName: textOrNull(row, 'book_name'),
    bookNameAt: timeOrNull(row, 'book_name_at'),
    bookState: wordOrNull(row, 'book_state', ['added', 'removed'] as const),
    bookStateAt: timeOrNull(row, 'book_state_at'),
    bookFirstAt: timeOrNull(row, 'book_first_at'),
    liveFirstAt: timeOrNull(row, 'live_first_at'),
  };
}

function leadOf(row: SqlRow): LeadRow {
  return {
    id: textOf(row, 'id'),
    phoneNumber: textOrNull(row, 'phone_number'),
    pushName: textOrNull(row, 'push_name'),
    username: textOrNull(row, 'username'),
    source: wordOf(row, 'source', LEAD_SOURCES),
    firstSeenAt: timeOf(row, 'first_seen_at'),
    isActive: booleanOf(row, 'is_active'),
    deletedAt: timeOrNull(row, 'deleted_at'),
    lastMessageAt: timeOrNull(row, 'last_message_at'),
  };
}
