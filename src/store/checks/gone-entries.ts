import { columns, orNull, rowsOf, streamRowsOf, text, uuid, word, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

const LEDGERS = ['reject', 'chunk', 'update', 'message'] as const;

const GONE_RECORD = columns({
  ledger: word(LEDGERS),
  connectionId: orNull(uuid),
  /** The entry that it names. */
  entryId: uuid,
  /** The run that wrote the record, if recorded. */
  runId: orNull(uuid),
  what: text,
});

/** A record that names a raw entry no longer in the log. */
export type GoneRecord = RowOf<typeof GONE_RECORD>;

/** A message is identified by its own row. */
const RECORDS = `
  select 'reject' as ledger, r.connection_id, r.webhook_log_id as entry_id, r.run_id, r.created_at as at,
    r.path || ' (' || r.reason || ')' as what from rejects r
  union all
  select 'chunk', h.connection_id, h.webhook_log_id, null, h.processed_at, h.phase || '/' || h.chunk_order
  from history_chunks h where h.webhook_log_id is not null
  union all
  select 'update', p.connection_id, p.webhook_log_id, null, p.created_at, p.kind || ' of ' || p.target_external_id
  from pending_facts p where p.webhook_log_id is not null`;

/** Rejects, history chunks and pending updates without their raw entry. */
export function streamGoneRecords(tx: Sql, scope: Scope): AsyncGenerator<GoneRecord[], void, undefined> {
  return streamRowsOf(
    tx,
    GONE_RECORD,
    `select t.ledger, t.connection_id, t.entry_id, t.run_id, t.what from (${RECORDS}) t
     left join lateral (select true as is_there from webhook_log w where w.id = t.entry_id limit 1) entry on true
     where entry.is_there is null and ${inScope('t.connection_id')} and ${sinceScope('t.at')}`,
    scopeParameters(scope),
  );
}

/** What names an entry, by kind, whether or not the entry exists. */
export async function readRecordsOf(sql: Sql, entryId: string): Promise<GoneRecord[]> {
  const rows = await sql.query(
    `select ledger, connection_id, entry_id, run_id, what from (${RECORDS}) t where entry_id = $1::uuid
     union all
     select 'message', connection_id, batch_id, run_id, coalesce(external_id, 'row ' || id)
     from messages where batch_id = $1::uuid`,
    [entryId],
  );
  return rowsOf(GONE_RECORD, rows);
}
