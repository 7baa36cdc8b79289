import type { IdentityKind } from '../../model/enumerations.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import { textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';

/** One item of a raw entry. */
interface ItemPlace {
  webhookLogId: string;
  path: string;
}

/** Reasons of rejected items on record; by `{log id} {path}`. */
export async function readRejectedItems(sql: Sql, items: readonly ItemPlace[]): Promise<Map<string, string>> {
  if (items.length === 0) return new Map();
  const rows = await sql.query(
    `select k.webhook_log_id, k.path, r.reason from unnest($1::uuid[], $2::text[]) as k (webhook_log_id, path)
     cross join lateral (
       select reason from rejects r where r.webhook_log_id = k.webhook_log_id and r.path = k.path limit 1
     ) r`,
    [arrayLiteral(items.map((item) => item.webhookLogId)), arrayLiteral(items.map((item) => item.path))],
  );
  return new Map(
    rows.map((row) => [placeKey(textOf(row, 'webhook_log_id'), textOf(row, 'path')), textOf(row, 'reason')]),
  );
}

export function placeKey(webhookLogId: string, path: string): string {
  return `${webhookLogId} ${path}`;
}

/** One name within its organization. */
export interface NameKey {
  organizationId: string;
  kind: IdentityKind;
  value: string;
}

/**
 * The lead behind each of the names, null where there is none or it is gone: by lead_identities, else, for leads that another
 * program wrote, by their phone.
 */
export async function readLeadsOfNames(
  sql: Sql,
  names: readonly NameKey[],
): Promise<(NameKey & { leadId: string | null })[]> {
  if (names.length === 0) return [];
  const rows = await sql.query(
    `select k.place::int as place, l.id as lead_id
     from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as k (organization_id, kind, value, place)
     left join lateral (
       select person_id, lead_id from lead_identities
       where organization_id = k.organization_id and kind = k.kind and value = k.value limit 1
     ) i on true
     left join lateral (
       select id from leads where id = i.lead_id
       union all
       select id from leads
       where i.person_id is null and k.kind = 'phone'
         and organization_id = k.organization_id and phone_number = k.value
       limit 1
     ) l on true
     order by k.place`,
    [
      arrayLiteral(names.map((name) => name.organizationId)),
      arrayLiteral(names.map((name) => name.kind)),
      arrayLiteral(names.map((name) => name.value)),
    ],
  );
  return names.map((name, index) => {
    const row = rows[index];
    return { ...name, leadId: row === undefined ? null : textOrNull(row, 'lead_id') };
  });
}

/** What of a name of the raw log is stored: whether it is known, and whether the lead that it names is there. */
export interface StoredName extends NameKey {
  isKnown: boolean;
  hasLead: boolean;
}

/** Looks up each of the names. A lead of another program has names once the log names it. */
export async function readStoredNames(sql: Sql, names: readonly NameKey[]): Promise<StoredName[]> {
  if (names.length === 0) return [];
  const rows = await sql.query(
    `select k.place::int as place, i.person_id is not null as is_known, l.id is not null as has_lead
     from unnest($1::uuid[], $2::text[], $3::text[]) with ordinality as k (organization_id, kind, value, place)
     left join lateral (
       select person_id, lead_id from lead_identities
       where organization_id = k.organization_id and kind = k.kind and value = k.value limit 1
     ) i on true
     left join lateral (select id from leads where id = i.lead_id limit 1) l on true
     order by k.place`,
    arraysOf(names, 'organizationId', 'kind', 'value'),
  );
  return names.map((name, index) => {
    const row = rows[index];
    return { ...name, isKnown: row?.['is_known'] === true, hasLead: row?.['has_lead'] === true };
  });
}
