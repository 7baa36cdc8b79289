import { LEAD_SOURCES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
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
  assignments,
  unnestTable,
  unnestFound,
  unnestParameters,
  named,
} from '../columns.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';

const LEAD_COLUMNS = columns({
  id: uuid,
  phoneNumber: orNull(text),
  pushName: orNull(text),
  username: orNull(text),
  source: word(LEAD_SOURCES),
  firstSeenAt: time,
  isActive: boolean,
  deletedAt: orNull(time),
  lastMessageAt: orNull(time),
});

/** A row of leads. */
export type LeadRow = RowOf<typeof LEAD_COLUMNS>;

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
  return rowsOf(LEAD_COLUMNS, rows);
}

export async function readLeadsById(tx: Sql, ids: readonly string[]): Promise<LeadRow[]> {
  if (ids.length === 0) return [];
  const rows = await tx.query(`select ${columnNames(LEAD_COLUMNS)} from leads where id = any($1::uuid[])`, [
    arrayLiteral(ids),
  ]);
  return rowsOf(LEAD_COLUMNS, rows);
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
  const changing = without(LEAD_COLUMNS, 'id');
  return tx.execute(
    `update leads set ${assignments(changing)},
       last_synced_at = current_timestamp
     from ${unnestFound('leads', LEAD_COLUMNS)}
     where leads.id = r.found_id
       and (${columnNames(changing, 'leads')})
           is distinct from (${columnNames(changing, 'r')})`,
    unnestParameters(LEAD_COLUMNS, rows),
  );
}

const LEAD_SUMMARY = columns({
  leadId: uuid,
  organizationId: uuid,
  /** Slug. */
  organization: text,
  name: orNull(text),
  phone: named('phone_number', orNull(text)),
});

/** A lead as people recognise it. */
export type LeadSummary = RowOf<typeof LEAD_SUMMARY>;

/**
 * Leads by id, and those that have one of these phones without any identity that says so (other programs write none);
 * of one organization, or of all. By organization and age.
 */
export async function findLeads(
  sql: Sql,
  ids: readonly string[],
  phones: readonly string[],
  organizationId?: string,
): Promise<LeadSummary[]> {
  const rows = await sql.query(
    `select l.id as lead_id, o.id as organization_id, o.slug as organization, l.phone_number,
       coalesce(l.push_name, l.username) as name
     from organizations o
     cross join lateral (
       select id, phone_number, push_name, username, first_seen_at from leads
       where id = any($1::uuid[]) and organization_id = o.id
       union
       select id, phone_number, push_name, username, first_seen_at from leads
       where organization_id = o.id and phone_number = any($2::text[])
     ) l
     where $3::uuid is null or o.id = $3::uuid
     order by o.slug, l.first_seen_at, l.id`,
    [arrayLiteral(ids), arrayLiteral(phones), organizationId ?? null],
  );
  return rowsOf(LEAD_SUMMARY, rows);
}

/** The lead that a merged one went into, over any number of mergers; undefined when no merger took this id. */
export async function findSurvivor(sql: Sql, leadId: string): Promise<string | undefined> {
  // Only asked about ids that no lead has: the journal has no index for it, and is read once.
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
