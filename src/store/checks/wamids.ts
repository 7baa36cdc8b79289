import { arrayLiteral } from '../array-literal.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** A message with an id of the Cloud API. */
export interface WamidRow {
  connectionId: string;
  externalId: string;
  leadId: string;
}

const PAGE = 5_000;

/** Every message that is called by a wamid. */
export async function* streamWamids(tx: Sql, scope: Scope): AsyncGenerator<WamidRow[], void, undefined> {
  const pages = streamRows(
    tx,
    `select connection_id, external_id, lead_id from messages
     where starts_with(external_id, 'wamid.') and ${inScope('connection_id')} and ${sinceScope('timestamp')}`,
    scopeParameters(scope),
    PAGE,
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      connectionId: textOf(row, 'connection_id'),
      externalId: textOf(row, 'external_id'),
      leadId: textOf(row, 'lead_id'),
    }));
  }
}

/** Every number that leads are known by: their own, and those of their identities; as they are written there. */
export async function readNumbersOfLeads(
  sql: Sql,
  leadIds: readonly string[],
): Promise<Map<string, string[]>> {
  const numbers = new Map<string, string[]>(leadIds.map((id) => [id, []]));
  if (leadIds.length === 0) return numbers;
  const rows = await sql.query(
    `select id as lead_id, phone_number as number from leads where id = any($1::uuid[]) and phone_number is not null
     union all
     select lead_id, value from lead_identities where lead_id = any($1::uuid[]) and kind in ('phone', 'wa_id')`,
    [arrayLiteral(leadIds)],
  );
  for (const row of rows) numbers.get(textOf(row, 'lead_id'))?.push(textOf(row, 'number'));
  return numbers;
}
