import { LEAD_SOURCES, IDENTITY_KINDS, type IdentityKind } from '../../model/enumerations.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import {
  uuid,
  text,
  boolean,
  time,
  word,
  orNull,
  type RowOf,
  columns,
  without,
  rowsOf,
  columnNames,
  named,
  insertRows,
  updateRows,
  readByIds,
  excluded,
} from '../columns.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';

const LEAD = {
  id: uuid,
  phoneNumber: orNull(text),
  pushName: orNull(text),
  username: orNull(text),
  source: word(LEAD_SOURCES),
  firstSeenAt: time,
  isActive: boolean,
  deletedAt: orNull(time),
  lastMessageAt: orNull(time),
};

const LEAD_COLUMNS = columns(LEAD);
const OWNED_LEAD = columns({ ...LEAD, organizationId: uuid });

/** A row of leads. */
export type LeadRow = RowOf<typeof LEAD_COLUMNS>;

/** Leads by id, and those known by phone only (written by other programs, without rows in lead_identities). */
export async function readLeads(
  tx: Sql,
  organizationId: string,
  ids: readonly string[],
  phones: readonly string[],
): Promise<LeadRow[]> {
  // Fenced look-ups, one per name: unfenced and without statistics, the planner may walk the organization's whole index
  // for every batch. `union` and not `union all`: a lead may match both ways.
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
  return rowsOf(LEAD_COLUMNS, rows);
}

export async function readLeadsById(tx: Sql, ids: readonly string[]): Promise<LeadRow[]> {
  return readByIds(tx, 'leads', LEAD_COLUMNS, 'id', ids);
}

/**
 * Which of these leads this tool made: it inserts a lead and the lead's first conversation in one transaction, whose time both
 * have. The time of its last write alone does not tell: it writes to other programs' leads, too.
 */
export async function readOwnLeads(tx: Sql, leadIds: readonly string[]): Promise<Set<string>> {
  if (leadIds.length === 0) return new Set();
  const rows = await tx.query(
    `select l.id from leads l
     where l.id = any($1::uuid[]) and l.last_synced_at is not null
       and exists (select from conversations c where c.lead_id = l.id and c.created_at = l.created_at)`,
    [arrayLiteral(leadIds)],
  );
  return new Set(rows.map((row) => textOf(row, 'id')));
}

const PHONE_HOLDER = columns({
  leadId: uuid,
  phoneNumber: text,
  isMisnamed: boolean,
});

/** Another lead with a phone; misnamed if its identities have phones, and not this one: another program wrote it. */
type PhoneHolder = RowOf<typeof PHONE_HOLDER>;

/** The other leads that have the phones of these, in the organization, or in the one of each lead. */
export async function readPhoneHolders(
  tx: Sql,
  rows: readonly Pick<LeadRow, 'id' | 'phoneNumber'>[],
  organizationId: string | null = null,
): Promise<PhoneHolder[]> {
  const owned = rows.filter(({ phoneNumber }) => phoneNumber !== null);
  if (owned.length === 0) return [];
  const found = await tx.query(
    `select held.id as lead_id, k.phone_number, names.phones > 0 and names.own = 0 as is_misnamed
     from unnest($1::uuid[], $2::text[]) as k (id, phone_number)
     cross join lateral (
       select id from leads
       where organization_id = coalesce($3::uuid, (select organization_id from leads where id = k.id))
         and phone_number = k.phone_number and id <> k.id offset 0
     ) held
     cross join lateral (
       select count(*) as phones, count(*) filter (where value = k.phone_number) as own
       from lead_identities where lead_id = held.id and kind = 'phone' offset 0
     ) names`,
    [...arraysOf(owned, 'id', 'phoneNumber'), organizationId],
  );
  return rowsOf(PHONE_HOLDER, found);
}

/**
 * Takes the phones from these leads, so that a statement can give them to others: no two leads of an organization may
 * have one phone at any moment.
 */
export async function clearPhones(tx: Sql, leadIds: readonly string[]): Promise<void> {
  if (leadIds.length === 0) return;
  await tx.execute(
    `update leads set phone_number = null where id = any($1::uuid[]) and phone_number is not null`,
    [arrayLiteral(leadIds)],
  );
}

export async function insertLeads(
  tx: Sql,
  organizationId: string,
  rows: readonly LeadRow[],
): Promise<number> {
  const owned = rows.map((row) => ({ ...row, organizationId }));
  return insertRows(tx, 'leads', OWNED_LEAD, owned, '', { last_synced_at: 'current_timestamp' });
}

/** Updates leads with a changed projection; skips equal rows (no dead tuples). */
export async function updateLeads(tx: Sql, rows: readonly LeadRow[]): Promise<number> {
  const changing = without(LEAD_COLUMNS, 'id');
  return updateRows(tx, 'leads', LEAD_COLUMNS, changing, rows, {
    also: ', last_synced_at = current_timestamp',
  });
}

/** Condition on a lead `l`: its phone_number alone says whose it is, because no identity of it is a phone. */
export const HAS_NO_PHONE = `not exists (
  select from lead_identities own where own.person_id = l.id and own.kind = 'phone'
)`;

const LEAD_SUMMARY = columns({
  leadId: uuid,
  organizationId: uuid,
  /** Slug. */
  organization: text,
  name: orNull(text),
  phone: named('phone_number', orNull(text)),
});

/** A lead as people recognize it. */
export type LeadSummary = RowOf<typeof LEAD_SUMMARY>;

/**
 * Leads by id, and those with one of these phones that no identity contradicts (other programs write none); of one
 * organization, or of all. By organization and age.
 */
export function findLeads(
  sql: Sql,
  ids: readonly string[],
  phones: readonly string[],
  organizationId?: string,
): Promise<LeadSummary[]> {
  return readSummaries(sql, ids, phones, organizationId, `and ${HAS_NO_PHONE}`);
}

/** Leads with one of these phones in the table, whatever their identities say: another program may have changed it. */
export function findLeadsByPhone(
  sql: Sql,
  phones: readonly string[],
  organizationId?: string,
): Promise<LeadSummary[]> {
  return readSummaries(sql, [], phones, organizationId, '');
}

async function readSummaries(
  sql: Sql,
  ids: readonly string[],
  phones: readonly string[],
  organizationId: string | undefined,
  restriction: string,
): Promise<LeadSummary[]> {
  const rows = await sql.query(
    `select l.id as lead_id, o.id as organization_id, o.slug as organization, l.phone_number,
       coalesce(l.push_name, l.username) as name
     from organizations o
     cross join lateral (
       select id, phone_number, push_name, username, first_seen_at from leads
       where id = any($1::uuid[]) and organization_id = o.id
       union
       select l.id, l.phone_number, l.push_name, l.username, l.first_seen_at from leads l
       where l.organization_id = o.id and l.phone_number = any($2::text[]) ${restriction}
     ) l
     where $3::uuid is null or o.id = $3::uuid
     order by o.slug, l.first_seen_at, l.id`,
    [arrayLiteral(ids), arrayLiteral(phones), organizationId ?? null],
  );
  return rowsOf(LEAD_SUMMARY, rows);
}

/** The lead that a merged one became, over any number of merges; undefined if no merger took this id. */
export async function findSurvivor(sql: Sql, leadId: string): Promise<string | undefined> {
  // Only called for ids without a lead: the journal has no index for this, and is read once.
  const rows = await sql.query(
    `with recursive merged as materialized (
       select key->>'id' as lost_id, after->>'merged_into' as kept_id
       from change_journal where table_name = 'leads' and after ? 'merged_into'
     ), trail (id, step) as (
       select $1::text, 0
       union
       select merged.kept_id, trail.step + 1 from trail join merged on merged.lost_id = trail.id where trail.step < 100
     )
     select l.id from trail join leads l on l.id::text = trail.id order by trail.step desc limit 1`,
    [leadId],
  );
  return rows[0] === undefined ? undefined : textOf(rows[0], 'id');
}

/** The leads that were merged into these, step by step; they are no rows any more. */
export async function findMergedInto(sql: Sql, leadIds: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `with recursive merged as materialized (
       select key->>'id' as lost_id, after->>'merged_into' as kept_id
       from change_journal where table_name = 'leads' and after ? 'merged_into'
     ), trail (id) as (
       select unnest($1::text[])
       union
       select merged.lost_id from trail join merged on merged.kept_id = trail.id
     )
     select id from trail`,
    [arrayLiteral(leadIds)],
  );
  return rows.map((row) => textOf(row, 'id')).filter((id) => !leadIds.includes(id));
}

const BOOK_STATES = ['added', 'removed'] as const;

const IDENTITY = {
  kind: word(IDENTITY_KINDS),
  value: text,
  personId: uuid,
  leadId: orNull(uuid),
  firstSeenAt: orNull(time),
  profileName: orNull(text),
  profileNameAt: orNull(time),
  username: orNull(text),
  usernameAt: orNull(time),
  bookName: orNull(text),
  bookNameAt: orNull(time),
  bookState: orNull(word(BOOK_STATES)),
  bookStateAt: orNull(time),
  bookFirstAt: orNull(time),
  liveFirstAt: orNull(time),
};

const IDENTITY_COLUMNS = columns(IDENTITY);
const OWNED_IDENTITY = columns({ ...IDENTITY, organizationId: uuid });

/** A row of lead_identities, flat as it is stored. Times are ms since 1970. */
export type IdentityRow = RowOf<typeof IDENTITY_COLUMNS>;

/**
 * Every identity of every person with one of the given names: the whole person, since a lead is a projection of all of
 * its identities.
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
    [organizationId, ...arraysOf(nodes, 'kind', 'value')],
  );
  return rowsOf(IDENTITY_COLUMNS, rows);
}

/** Every identity of the given people. */
export async function readIdentitiesOfPeople(tx: Sql, personIds: readonly string[]): Promise<IdentityRow[]> {
  return readByIds(tx, 'lead_identities', IDENTITY_COLUMNS, 'person_id', personIds);
}

/** Writes identities with all their evidence; the caller has merged the stored part (under the batch lock). */
export async function writeIdentities(
  tx: Sql,
  organizationId: string,
  rows: readonly IdentityRow[],
): Promise<number> {
  const owned = rows.map((row) => ({ ...row, organizationId }));
  return insertRows(
    tx,
    'lead_identities',
    OWNED_IDENTITY,
    owned,
    `-- A name that another program stored in the meantime keeps its row; what we know of it is complete, so it replaces.
     on conflict (organization_id, kind, value) do update set
       ${excluded(without(IDENTITY_COLUMNS, 'kind', 'value'))}`,
  );
}

/** A person becomes a lead: their earlier identities point to the lead from now on. */
export async function attachIdentities(tx: Sql, personIds: readonly string[]): Promise<void> {
  if (personIds.length === 0) return;
  await tx.execute(
    `update lead_identities set lead_id = person_id where person_id = any($1::uuid[]) and lead_id is null`,
    [arrayLiteral(personIds)],
  );
}

const KNOWN_IDENTITY = columns({
  organizationId: uuid,
  personId: uuid,
  kind: word(IDENTITY_KINDS),
  value: text,
});

/** An identity with its owner. */
type KnownIdentity = RowOf<typeof KNOWN_IDENTITY>;

/** The people with one of these names, of any kind; of one organization, or of all. */
export async function findPeople(
  sql: Sql,
  names: readonly string[],
  organizationId?: string,
): Promise<string[]> {
  // Organization and kind come first in the only index on values: name both, or every identity would be read.
  const rows = await sql.query(
    `select distinct known.person_id
     from organizations o
     cross join unnest($2::text[]) as wanted (kind)
     cross join lateral (
       select person_id from lead_identities
       where organization_id = o.id and kind = wanted.kind and value = any($1::text[]) offset 0
     ) known
     where $3::uuid is null or o.id = $3::uuid`,
    [arrayLiteral(names), arrayLiteral(IDENTITY_KINDS), organizationId ?? null],
  );
  return rows.map((row) => textOf(row, 'person_id'));
}

const NAMED_LEAD = columns({ organizationId: uuid, value: text, leadId: uuid });

/** Whose these names are, as far as they are a lead's; in each organization. */
export async function readLeadsNamed(
  sql: Sql,
  names: readonly string[],
): Promise<RowOf<typeof NAMED_LEAD>[]> {
  if (names.length === 0) return [];
  const rows = await sql.query(
    `select known.* from organizations o
     cross join unnest($2::text[]) as wanted (kind)
     cross join lateral (
       select organization_id, value, lead_id from lead_identities
       where organization_id = o.id and kind = wanted.kind and value = any($1::text[]) and lead_id is not null offset 0
     ) known
     order by known.organization_id, known.value`,
    [arrayLiteral(names), arrayLiteral(IDENTITY_KINDS)],
  );
  return rowsOf(NAMED_LEAD, rows);
}

/** Every identity of these people, in a fixed order. */
export async function readKnownIdentities(sql: Sql, personIds: readonly string[]): Promise<KnownIdentity[]> {
  if (personIds.length === 0) return [];
  const rows = await sql.query(
    `select organization_id, person_id, kind, value from lead_identities where person_id = any($1::uuid[])
     order by array_position($2::text[], kind), value`,
    [arrayLiteral(personIds), arrayLiteral(IDENTITY_KINDS)],
  );
  return rowsOf(KNOWN_IDENTITY, rows);
}

/** The names of the people behind these leads, as `kind:value`, per lead. */
export async function readNamesOfLeads(sql: Sql, leadIds: readonly string[]): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  if (leadIds.length === 0) return names;
  const rows = await sql.query(`select lead_id, value from lead_identities where lead_id = any($1::uuid[])`, [
    arrayLiteral(leadIds),
  ]);
  for (const row of rows) {
    const leadId = textOf(row, 'lead_id');
    names.set(leadId, [...(names.get(leadId) ?? []), textOf(row, 'value')]);
  }
  return names;
}
