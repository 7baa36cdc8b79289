import { textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { arraysOf } from '../array-literal.js';

/** SQL: names of another kind than phone that are the phone of somebody else. The log never gives one: no other kind has a `+`. */
export const MISUSED_PHONES = `
  select i.* from lead_identities i
  where i.kind <> 'phone' and i.value like '+%' and exists (
    select from lead_identities p
    where p.organization_id = i.organization_id and p.kind = 'phone' and p.value = i.value and p.person_id <> i.person_id
  )`;

/** One of them. */
interface MisusedPhone {
  organizationId: string;
  kind: string;
  value: string;
  personId: string;
}

/** At most `limit` of them. */
export async function readMisusedPhones(tx: Sql, limit: number): Promise<MisusedPhone[]> {
  const rows = await tx.query(
    `select organization_id, kind, value, person_id from (${MISUSED_PHONES}) i order by value, kind limit $1::int`,
    [limit],
  );
  return rows.map((row) => ({
    organizationId: textOf(row, 'organization_id'),
    kind: textOf(row, 'kind'),
    value: textOf(row, 'value'),
    personId: textOf(row, 'person_id'),
  }));
}

/** Takes these names from the people who have them wrongly. Returns their number. */
export async function deleteMisusedPhones(tx: Sql, names: readonly MisusedPhone[]): Promise<number> {
  return tx.execute(
    `delete from lead_identities i using unnest($1::uuid[], $2::text[], $3::text[]) as k (organization_id, kind, value)
     where (i.organization_id, i.kind, i.value) = (k.organization_id, k.kind, k.value)`,
    arraysOf(names, 'organizationId', 'kind', 'value'),
  );
}
