import { arrayLiteral } from '../array-literal.js';
import { columns, orNull, streamRowsOf, text, uuid } from '../columns.js';
import type { Sql } from '../sql.js';

const LEAD_NAME = columns({ id: uuid, phoneNumber: orNull(text), anyIdentity: orNull(text) });

/** Names for these leads that a user can type: the phone, else another identity. */
export async function readLeadNames(
  tx: Sql,
  leadIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for await (const page of streamRowsOf(
    tx,
    LEAD_NAME,
    `select l.id, l.phone_number,
       (select min(i.value) from lead_identities i where i.lead_id = l.id) as any_identity
     from leads l where l.id = any($1::uuid[])`,
    [arrayLiteral(leadIds)],
  )) {
    for (const { id, phoneNumber, anyIdentity } of page) names.set(id, phoneNumber ?? anyIdentity ?? id);
  }
  return names;
}
