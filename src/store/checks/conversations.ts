import { columns, orNull, uuid, text, integer, type RowOf, streamRowsOf } from '../columns.js';
import { readCount } from '../row.js';
import type { Sql } from '../sql.js';
import { inScope, scopeParameters, sinceScope, WHOLE, type Scope } from './scope.js';

export async function countConversations(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from conversations
     where ${inScope('connection_id')} and ${sinceScope('last_message_at')}`,
    scopeParameters(scope),
  );
}

/** Of one connection: leads with a conversation there. */
export async function countLeads(sql: Sql, scope: Scope = WHOLE): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from leads
     where ($1::uuid[] is null or id in (select lead_id from conversations where ${inScope('connection_id')}))
       and ${sinceScope('last_message_at')}`,
    scopeParameters(scope),
  );
}

const CROWDED_ROWS = columns({
  connectionId: orNull(uuid),
  key: text,
  rows: integer,
});

/** Several rows where one may be; `key` is what they share. */
export type CrowdedRows = RowOf<typeof CROWDED_ROWS>;

/** Leads with more than one conversation on one connection. */
export function streamDoubledConversations(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CrowdedRows[], void, undefined> {
  return streamRowsOf(
    tx,
    CROWDED_ROWS,
    `select connection_id, lead_id::text as key, count(*) as rows from conversations
     where ${inScope('connection_id')}
     group by connection_id, lead_id having count(*) > 1 and ${sinceScope('max(last_message_at)')}
     order by connection_id, lead_id`,
    scopeParameters(scope),
  );
}

export async function countOpenTickets(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from tickets t left join conversations c on c.id = t.conversation_id
     where t.status = 'open' and ${inScope('c.connection_id')} and ${sinceScope('t.opened_at')}`,
    scopeParameters(scope),
  );
}

/** Conversations with more than one open ticket. */
export function streamCrowdedTickets(tx: Sql, scope: Scope): AsyncGenerator<CrowdedRows[], void, undefined> {
  return streamRowsOf(
    tx,
    CROWDED_ROWS,
    `select c.connection_id, crowd.conversation_id::text as key, crowd.rows from (
       select conversation_id, count(*) as rows from tickets where status = 'open'
       group by conversation_id having count(*) > 1 and ${sinceScope('max(opened_at)')}
     ) crowd
     left join conversations c on c.id = crowd.conversation_id
     where ${inScope('c.connection_id')}
     order by crowd.conversation_id`,
    scopeParameters(scope),
  );
}
