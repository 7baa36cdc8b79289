import { columns, integer, rowsOf, text, uuid, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';

/** What is set right among the staged rows of a CRM before they are compared. */

const REPEATED = columns({ connectionId: uuid, repeated: integer });

/** What a comparison looks at: copies of a row that agree in it are one. */
const COMPARED = `r.external_id, r.contact, r.direction, r.at, r.stored_at, r.edited_at, r.lacks, r.type, r.kinds, r.body,
  r.compares_body, r.aside`;

const CONTRADICTION = columns({ connectionId: uuid, rowId: text });

/** A row that came several times, with other contents and nothing that says which is the newest; undefined if there is none. */
export async function findContradiction(tx: Sql): Promise<RowOf<typeof CONTRADICTION> | undefined> {
  const rows = await tx.query(
    `select connection_id, row_id from (
       select r.connection_id, r.row_id, row(${COMPARED})::text as content,
         rank() over (partition by r.connection_id, r.row_id order by r.updated_at desc nulls last) as place
       from wa_crm_rows r
       where (r.connection_id, r.row_id) in (
         select connection_id, row_id from wa_crm_rows group by connection_id, row_id having count(*) > 1
       )
     ) copies
     where place = 1 group by connection_id, row_id having count(distinct content) > 1
     order by row_id, connection_id limit 1`,
  );
  return rowsOf(CONTRADICTION, rows)[0];
}

/** Keeps of each row that came several times, by its own id, the newest one. Returns how many went, per connection. */
export async function dropRepeatedRows(tx: Sql): Promise<RowOf<typeof REPEATED>[]> {
  const rows = await tx.query(
    `with gone as (
       delete from wa_crm_rows r
       using (
         select ordinal, row_number() over (
           partition by connection_id, row_id order by updated_at desc nulls last, ordinal
         ) as place
         from wa_crm_rows
       ) copies
       where r.ordinal = copies.ordinal and copies.place > 1
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
