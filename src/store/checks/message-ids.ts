import { integerOf, textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** How many messages there are in a scope. */
export async function countMessages(sql: Sql, scope: Scope): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as messages from messages where ${inScope('connection_id')} and ${sinceScope('timestamp')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'messages');
}

/** A reject for a collision, as replay keeps it on record (rule M9). */
export interface CollisionRecord {
  connectionId: string | null;
  externalId: string | null;
  webhookLogId: string;
  path: string;
}

export async function* streamCollisionRecords(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<CollisionRecord[], void, undefined> {
  const pages = streamRows(
    tx,
    `select connection_id, external_id, webhook_log_id, path from rejects
     where reason = 'id_collision' and ${inScope('connection_id')} and ${sinceScope('created_at')}
     order by id`,
    scopeParameters(scope),
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      connectionId: textOrNull(row, 'connection_id'),
      externalId: textOrNull(row, 'external_id'),
      webhookLogId: textOf(row, 'webhook_log_id'),
      path: textOf(row, 'path'),
    }));
  }
}
