import { booleanOf, integerOf, textOf, textOrNull, timeOf } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** A status, edit, revoke or reaction that has waited for its message. */
export interface OverdueFact {
  connectionId: string;
  targetExternalId: string;
  kind: string;
  /** When it happened, ms since 1970. */
  at: number;
  webhookLogId: string | null;
  /** Its message is stored: somebody else wrote it, and did not apply what waited. */
  isStored: boolean;
  /** The raw log holds the entry that told of it, or of its message: a replay meets it again. */
  isInLog: boolean;
}

export async function countPendingFacts(sql: Sql, scope: Scope): Promise<number> {
  const [row] = await sql.query(
    `select count(*) as facts from pending_facts where ${inScope('connection_id')} and ${sinceScope('at')}`,
    scopeParameters(scope),
  );
  return row === undefined ? 0 : integerOf(row, 'facts');
}

/** Facts that were stored before `before` (ms since 1970) and still wait. */
export async function* streamOverdueFacts(
  tx: Sql,
  scope: Scope,
  before: number,
): AsyncGenerator<OverdueFact[], void, undefined> {
  const pages = streamRows(
    tx,
    `select p.connection_id, p.target_external_id, p.kind, p.at, p.webhook_log_id, m.id is not null as is_stored,
       exists (select from webhook_log e where e.id in (p.webhook_log_id, m.batch_id)) as is_in_log
     from pending_facts p
     left join lateral (
       select id, batch_id from messages
       where connection_id = p.connection_id and external_id = p.target_external_id limit 1
     ) m on true
     where p.created_at < $3::timestamptz and ${inScope('p.connection_id')} and ${sinceScope('p.at')}
     order by p.connection_id, p.target_external_id, p.kind, p.fact_key`,
    [...scopeParameters(scope), new Date(before).toISOString()],
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      connectionId: textOf(row, 'connection_id'),
      targetExternalId: textOf(row, 'target_external_id'),
      kind: textOf(row, 'kind'),
      at: timeOf(row, 'at'),
      webhookLogId: textOrNull(row, 'webhook_log_id'),
      isStored: booleanOf(row, 'is_stored'),
      isInLog: booleanOf(row, 'is_in_log'),
    }));
  }
}
