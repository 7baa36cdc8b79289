import { arrayLiteral } from '../array-literal.js';
import { textOf, timeOf } from '../row.js';
import type { Sql } from '../sql.js';

/**
 * When the first entry or live message of these connections came, ms since 1970: they were connected by then. Leaves out those
 * without any. Reads both tables once, but no bodies.
 */
export async function readFirstSigns(
  sql: Sql,
  connectionIds: readonly string[],
): Promise<Map<string, number>> {
  if (connectionIds.length === 0) return new Map();
  const rows = await sql.query(
    `select id, min(at) as at from (
       select c.id, min(w.received_at) as at
       from webhook_log w
       cross join lateral unnest(w.phone_number_ids) as named (phone_number_id)
       join connections c on c.phone_number_id = named.phone_number_id and c.id = any($1::uuid[])
       group by c.id
       union all
       select connection_id, min(timestamp) from messages
       where source = 'live' and connection_id = any($1::uuid[]) group by connection_id
     ) signs
     where at is not null group by id`,
    [arrayLiteral(connectionIds)],
  );
  return new Map(rows.map((row) => [textOf(row, 'id'), timeOf(row, 'at')]));
}
