import { integerOf, textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, WHOLE, type Scope } from './scope.js';

export async function countConversations(sql: Sql, scope: Scope): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as conversations from conversations
     where ${inScope('connection_id')} and ${sinceScope('last_message_at')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'conversations');
}

/** Of one connection: leads with a conversation there. */
export async function countLeads(sql: Sql, scope: Scope = WHOLE): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as leads from leads
     where ($1::uuid[] is null or id in (select lead_id from conversations where ${inScope('connection_id')}))
       and ${sinceScope('last_message_at')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'leads');
}

/** Several rows where one may be; `key` is what they share. */
export interface CrowdedRows {
  connectionId: string | null;
  key: string;
  rows: number;
}

/** Leads with more than one conversation on one connection. */
export async function* streamDoubledConversations(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CrowdedRows[], void, undefined> {
  const pages = streamRows(
    tx,
    `select connection_id, lead_id::text as key, count(*) as rows from conversations
     where ${inScope('connection_id')}
     group by connection_id, lead_id having count(*) > 1 and ${sinceScope('max(last_message_at)')}
     order by connection_id, lead_id`,
    scopeParameters(scope),
  );
  for await (const page of pages) yield page.map(crowdedOf);
}

export async function countOpenTickets(sql: Sql, scope: Scope): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as tickets from tickets t left join conversations c on c.id = t.conversation_id
     where t.status = 'open' and ${inScope('c.connection_id')} and ${sinceScope('t.opened_at')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'tickets');
}

/** Conversations with more than one open ticket. */
export async function* streamCrowdedTickets(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CrowdedRows[], void, undefined> {
  const pages = streamRows(
    tx,
    `select c.connection_id, crowd.conversation_id::text as key, crowd.rows from (
       select conversation_id, count(*) as rows from tickets where status = 'open'
       group by conversation_id having count(*) > 1 and ${sinceScope('max(opened_at)')}
     ) crowd
     left join conversations c on c.id = crowd.conversation_id
     where ${inScope('c.connection_id')}
     order by crowd.conversation_id`,
    scopeParameters(scope),
  );
  for await (const page of pages) yield page.map(crowdedOf);
}

function crowdedOf(row: Record<string, unknown>): CrowdedRows {
  return {
    connectionId: textOrNull(row, 'connection_id'),
    key: textOf(row, 'key'),
    rows: integerOf(row, 'rows'),
  };
}
