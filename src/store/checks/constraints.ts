import { booleanOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';

/** A foreign key as the migrations make it. */
interface ForeignKey {
  table: string;
  /** As PostgreSQL writes it; what happens on update and delete is part of it. */
  definition: string;
}

const references = (
  table: string,
  columns: string,
  target: string,
  onDelete: 'RESTRICT' | 'CASCADE' | 'SET NULL' = 'RESTRICT',
): ForeignKey => ({
  table,
  definition: `FOREIGN KEY (${columns}) REFERENCES ${target} ON UPDATE CASCADE ON DELETE ${onDelete}`,
});

const FOREIGN_KEYS: readonly ForeignKey[] = [
  references(
    'messages',
    'conversation_id, connection_id, lead_id',
    'conversations(id, connection_id, lead_id)',
  ),
  references('conversations', 'connection_id', 'connections(id)'),
  references('conversations', 'lead_id', 'leads(id)'),
  references('leads', 'organization_id', 'organizations(id)'),
  references('connections', 'organization_id', 'organizations(id)'),
  references('lead_identities', 'organization_id', 'organizations(id)'),
  references('lead_identities', 'lead_id', 'leads(id)', 'SET NULL'),
  references('message_revisions', 'message_id', 'messages(id)', 'CASCADE'),
  references('pending_facts', 'connection_id', 'connections(id)'),
  references('tickets', 'conversation_id', 'conversations(id)'),
  references('tickets', 'lead_id', 'leads(id)'),
  references('history_chunks', 'connection_id', 'connections(id)'),
  references('sync_logs', 'run_id', 'sync_runs(id)'),
  references('sync_logs', 'connection_id', 'connections(id)'),
  references('sync_logs', 'lead_id', 'leads(id)', 'SET NULL'),
  references('linked_devices', 'connection_id', 'connections(id)'),
  references('linked_device_keys', 'connection_id', 'connections(id)'),
  references('alert_acks', 'connection_id', 'connections(id)', 'CASCADE'),
  references('owed_files', 'connection_id', 'connections(id)'),
  references('history_gaps', 'connection_id', 'connections(id)'),
];

/** Check constraints, by name: how PostgreSQL writes their conditions differs from version to version. */
const CHECKS: readonly string[] = [
  'connections_kind_check',
  'connections_history_sync_status_check',
  'leads_source_check',
  'leads_phone_number_check',
  'lead_identities_kind_check',
  'lead_identities_book_state_check',
  'lead_identities_person_check',
  'conversations_first_message_source_check',
  'messages_direction_check',
  'messages_status_check',
  'messages_history_status_check',
  'messages_source_check',
  'messages_sync_source_check',
  'pending_facts_kind_check',
  'history_gaps_reason_check',
  'tickets_source_check',
  'tickets_originated_from_check',
  'tickets_status_check',
  'tickets_closed_at_check',
  'webhook_log_provider_check',
  'webhook_log_status_check',
  'sync_runs_status_check',
  'sync_logs_sync_type_check',
  'sync_logs_status_check',
];

/** Foreign keys and checks that the migrations make, with what is wrong about each; null where nothing is. */
export interface ConstraintState {
  /** `messages: FOREIGN KEY (…) …`, or the name of a check. */
  what: string;
  fault: 'missing' | 'not validated' | null;
}

const NOT_VALID = / NOT VALID$/;

/** What the catalog says about every foreign key, whatever its name, and about every check. */
export async function readConstraintStates(sql: Sql): Promise<ConstraintState[]> {
  const rows = await sql.query(
    `select t.relname::text as table_name, c.conname::text as name, c.contype = 'f' as is_foreign_key,
       c.convalidated as is_validated, pg_get_constraintdef(c.oid) as definition
     from pg_constraint c
     join pg_class t on t.oid = c.conrelid
     join pg_namespace n on n.oid = t.relnamespace
     where n.nspname = current_schema() and c.contype in ('f', 'c')`,
  );
  // Where one and the same is there twice, the better one counts.
  const validated = new Map<string, boolean>();
  for (const row of rows) {
    const key = booleanOf(row, 'is_foreign_key')
      ? `${textOf(row, 'table_name')}: ${textOf(row, 'definition').replace(NOT_VALID, '')}`
      : textOf(row, 'name');
    validated.set(key, (validated.get(key) ?? false) || booleanOf(row, 'is_validated'));
  }
  const wanted = [...FOREIGN_KEYS.map(({ table, definition }) => `${table}: ${definition}`), ...CHECKS];
  return wanted.map((what) => {
    const isValidated = validated.get(what);
    return { what, fault: isValidated === undefined ? 'missing' : isValidated ? null : 'not validated' };
  });
}
