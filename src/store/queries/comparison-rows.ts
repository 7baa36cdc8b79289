import { columns, integer, rowsOf, uuid, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';

/** What is set right among the staged rows of a CRM before they are compared. */

const REPEATED = columns({ connectionId: uuid, repeated: integer });

/** Keeps of each row that came several times, by its own id, the one that came last. Returns how many went, per connection. */
export async function dropRepeatedRows(tx: Sql): Promise<RowOf<typeof REPEATED>[]> {
  const rows = await tx.query(
    `with gone as (
       delete from wa_crm_rows r
       using (
         select connection_id, row_id, max(ordinal) as last
         from wa_crm_rows group by connection_id, row_id having count(*) > 1
       ) again
       where r.connection_id = again.connection_id and r.row_id = again.row_id and r.ordinal <> again.last
       returning r.connection_id
     )
     select connection_id, count(*)::int as repeated from gone group by connection_id`,
  );
  return rowsOf(REPEATED, rows);
}

/** Of a connection whose rows all leave a field empty, no row lacks it. */
export async function forgetEmptyFields(tx: Sql): Promise<void> {
  await tx.execute(
    `update wa_crm_rows r
     set lacks = array(
       select field from unnest(r.lacks) as field
       where case field when 'direction' then kept.direction else kept.at end
     )
     from (
       select connection_id, bool_or(direction is not null) as direction, bool_or(at is not null) as at
       from wa_crm_rows group by connection_id
     ) kept
     where kept.connection_id = r.connection_id and r.lacks <> '{}'`,
  );
}
