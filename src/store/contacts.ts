import { IDENTITY_KINDS } from '../model/enumerations.js';
import { arrayLiteral } from './array-literal.js';
import { columns, uuid, word, text, type RowOf, orNull, named, rowsOf } from './columns.js';
import { textOf } from './row.js';
import type { Sql } from './sql.js';

const KNOWN_IDENTITY = columns({
  organizationId: uuid,
  personId: uuid,
  kind: word(IDENTITY_KINDS),
  value: text,
});

/** An identity with whom it belongs to. */
export type KnownIdentity = RowOf<typeof KNOWN_IDENTITY>;

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

/** The persons that have one of these names, whatever kind it is of; of one organization, or of all. */
export async function findPersons(
  sql: Sql,
  names: readonly string[],
  organizationId?: string,
): Promise<string[]> {
  // Organization and kind come first in the only index on values: both are spelled out, or every identity would be read.
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

/** Every identity of these persons, in a fixed order. */
export async function readKnownIdentities(sql: Sql, personIds: readonly string[]): Promise<KnownIdentity[]> {
  if (personIds.length === 0) return [];
  const rows = await sql.query(
    `select organization_id, person_id, kind, value from lead_identities where person_id = any($1::uuid[])
     order by array_position($2::text[], kind), value`,
    [arrayLiteral(personIds), arrayLiteral(IDENTITY_KINDS)],
  );
  return rowsOf(KNOWN_IDENTITY, rows);
}

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

/** How many stored entries are about one of these names, counted up to `most`. */
export async function countEntriesAbout(sql: Sql, names: readonly string[], most: number): Promise<number> {
  const rows = await sql.query(`select id from webhook_log where chat_ids && $1::text[] limit ${most}`, [
    arrayLiteral(names),
  ]);
  return rows.length;
}
