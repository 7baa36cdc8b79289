import { ConfigError } from '../../model/errors.js';
import { boolean, columns, list, named, orNull, rowsOf, text, type RowOf } from '../columns.js';
import { booleanOf, integerOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';
import type { Store } from '../store.js';

/** A unique index or primary key that the tables' rules rely on, as created by the migrations. */
export interface UniqueKey {
  table: string;
  index: string;
  columns: readonly string[];
  primary: boolean;
  /** Condition of a partial index. */
  where?: string;
}

const unique = (table: string, ...columns: string[]): UniqueKey => ({
  table,
  index: `${table}_${columns.join('_')}_key`,
  columns,
  primary: false,
});

const primary = (table: string, ...columns: string[]): UniqueKey => ({
  table,
  index: `${table}_pkey`,
  columns,
  primary: true,
});

/** Rule M1: makes a second row of a message impossible, whoever writes it. */
export const MESSAGE_KEY = unique('messages', 'connection_id', 'external_id');

/** Every one from the migrations, most important first. A test compares the list with a fresh database's catalog. */
export const UNIQUE_KEYS: readonly UniqueKey[] = [
  MESSAGE_KEY,
  unique('conversations', 'lead_id', 'connection_id'),
  {
    table: 'tickets',
    index: 'tickets_one_open_per_conversation',
    columns: ['conversation_id'],
    primary: false,
    where: `status = 'open'`,
  },
  unique('leads', 'organization_id', 'phone_number'),
  primary('lead_identities', 'organization_id', 'kind', 'value'),
  unique('webhook_log', 'connection_scope', 'sha256'),
  unique('conversations', 'id', 'connection_id', 'lead_id'),
  unique('connections', 'phone_number_id'),
  unique('connections', 'organization_id', 'name'),
  unique('organizations', 'slug'),
  unique('rejects', 'webhook_log_id', 'path', 'reason'),
  unique('linked_devices', 'account_id'),
  primary('message_revisions', 'message_id', 'version'),
  primary('message_reactions', 'connection_id', 'target_external_id', 'reactor'),
  primary('pending_facts', 'connection_id', 'target_external_id', 'kind', 'fact_key'),
  primary('history_chunks', 'connection_id', 'phase', 'chunk_order'),
  primary('linked_devices', 'connection_id'),
  primary('discarded_bodies', 'webhook_log_id'),
  primary('linked_device_keys', 'connection_id', 'type', 'key_id'),
  primary('alert_acks', 'alert_id'),
  primary('proven_blocks', 'block'),
  primary('owed_files', 'connection_id', 'file_id'),
  primary('saved_comparisons', 'name'),
  primary('graph_credentials', 'connection_id'),
  primary('history_requests', 'connection_id', 'sync_type', 'onboarded_at'),
  primary('media_files', 'connection_id', 'media_id'),
  primary('erased_identities', 'name_hash'),
  primary('erasure_keys', 'name'),
  primary('history_gaps', 'connection_id', 'chat_jid', 'anchor_id', 'anchor_from_me'),
  ...[
    'messages',
    'conversations',
    'leads',
    'connections',
    'organizations',
    'tickets',
    'access_log',
    'erasures',
    'webhook_log',
    'sync_runs',
    'sync_logs',
    'rejects',
    'change_journal',
  ].map((table) => primary(table, 'id')),
];

/** What exists in place of a key. */
export type KeyState =
  /** An index serves the key's purpose; not always under the key's own name. */
  | { state: 'sound'; by: string }
  | { state: 'missing' }
  | { state: 'table_missing' }
  /** An index has the key's name but does not serve its purpose. */
  | { state: 'wrong'; why: string; isConstraint: boolean };

const FOUND_INDEX = columns({
  table: named('table_name', text),
  name: named('index_name', text),
  isUnique: boolean,
  isValid: boolean,
  isImmediate: boolean,
  hasExpressions: boolean,
  isConstraint: boolean,
  /** Unquoted; in index order. */
  columns: list(','),
  /** Whether each column uses the table's own comparison: a case-insensitive index rejects different ids. */
  sameCollations: boolean,
  /** The condition in PostgreSQL's form: `(status = 'open'::text)`. */
  predicate: orNull(text),
  /** `unique nulls not distinct` (PostgreSQL 15): would allow one row without an id. */
  nullsNotDistinct: boolean,
});

type FoundIndex = RowOf<typeof FOUND_INDEX>;

/** The catalog's state for every key. */
export async function readKeyStates(sql: Sql): Promise<Map<UniqueKey, KeyState>> {
  const tables = await readTables(sql);
  const indexes = await readIndexes(sql);
  return new Map(UNIQUE_KEYS.map((key) => [key, stateOf(key, tables, indexes)]));
}

/**
 * Whether an index serves the key; asks only for its table, because every look at the messages asks. Unlike a constraint, which a
 * restored dump can bypass, a valid unique index has no exceptions: it is the proof.
 */
export async function isKeySound(sql: Sql, key: UniqueKey): Promise<boolean> {
  const indexes = await readIndexes(sql, key.table);
  return indexes.some((index) => faultOf(key, index) === null);
}

function stateOf(key: UniqueKey, tables: ReadonlySet<string>, indexes: readonly FoundIndex[]): KeyState {
  if (!tables.has(key.table)) return { state: 'table_missing' };
  const here = indexes.filter((index) => index.table === key.table);
  const own = here.find((index) => index.name === key.index);
  const fault = own === undefined ? null : faultOf(key, own);
  if (own !== undefined && fault === null) return { state: 'sound', by: own.name };
  // Uniqueness is what counts: an index with another name or column order also holds it.
  const other = here.find((index) => faultOf(key, index) === null);
  if (other !== undefined) return { state: 'sound', by: other.name };
  return own === undefined || fault === null
    ? { state: 'missing' }
    : { state: 'wrong', why: fault, isConstraint: own.isConstraint };
}

/** Why an index does not serve the key's purpose; null if it does. */
function faultOf(key: UniqueKey, index: FoundIndex): string | null {
  if (!index.isUnique) return 'is not unique';
  if (!index.isValid) return 'is invalid: its creation was interrupted or failed';
  const wanted = [...key.columns].sort().join(', ');
  if (index.hasExpressions || [...index.columns].sort().join(', ') !== wanted) {
    return `is on (${index.columns.join(', ')}) instead of (${key.columns.join(', ')})`;
  }
  if (normalized(index.predicate) !== normalized(key.where ?? null)) {
    return index.predicate === null
      ? `covers every row instead of those where ${key.where ?? ''}`
      : `covers only rows where ${index.predicate}`;
  }
  if (!index.sameCollations) return 'compares ids by another collation than the table does';
  if (!index.isImmediate) return 'is deferrable, which `on conflict` cannot use';
  if (index.nullsNotDistinct) return 'treats nulls as equal';
  return null;
}

/** `(status = 'open'::text)` and `status = 'open'` are the same condition. */
function normalized(predicate: string | null): string | null {
  return predicate === null ? null : predicate.replace(/::text|[()\s]/g, '');
}

async function readTables(sql: Sql): Promise<Set<string>> {
  const rows = await sql.query(
    `select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = current_schema() and c.relkind in ('r', 'p')`,
  );
  return new Set(rows.map((row) => textOf(row, 'name')));
}

/** Every index of the schema, or of one of its tables: one with a key's name may be anything. */
async function readIndexes(sql: Sql, table: string | null = null): Promise<FoundIndex[]> {
  const rows = await sql.query(
    `select t.relname::text as table_name, i.relname::text as index_name,
       x.indisunique as is_unique, x.indimmediate as is_immediate,
       x.indisvalid and x.indisready and x.indislive as is_valid,
       x.indexprs is not null as has_expressions,
       exists (select from pg_constraint c where c.conindid = x.indexrelid and c.contype in ('p', 'u', 'x')) as is_constraint,
       pg_get_expr(x.indpred, x.indrelid) as predicate,
       -- A column of PostgreSQL 15: asked for by name, an older server would refuse the statement.
       coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) as nulls_not_distinct,
       k.columns, k.same_collations
     from pg_index x
     join pg_class i on i.oid = x.indexrelid
     join pg_class t on t.oid = x.indrelid
     join pg_namespace n on n.oid = t.relnamespace
     cross join lateral (
       select string_agg(coalesce(a.attname::text, '?'), ',' order by part.ordinal) as columns,
         coalesce(bool_and(x.indcollation[part.ordinal - 1] = coalesce(a.attcollation, 0)), false) as same_collations
       from unnest(x.indkey::int2[]) with ordinality as part (attnum, ordinal)
       left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = part.attnum
       where part.ordinal <= x.indnkeyatts
     ) k
     where n.nspname = current_schema() and ($1::text is null or t.relname = $1)
     order by i.relname`,
    [table],
  );
  return rowsOf(FOUND_INDEX, rows);
}

/** Rows that share a key that only one of them may have. */
interface DoubledKeys {
  groups: number;
  /** Surplus rows. */
  rows: number;
  /** The keys of the first few groups, parts separated by spaces. */
  samples: string[];
}

/**
 * What blocks a unique index. Groups the whole table: only for tables without their index, where nothing else can tell.
 */
export async function readDoubledKeys(sql: Sql, key: UniqueKey, samples: number): Promise<DoubledKeys> {
  const columns = key.columns.join(', ');
  // A unique index treats nulls as distinct; a primary key does not allow them at all.
  const present = key.columns.map((column) => `${column} is not null`).join(' and ');
  const condition = key.where === undefined ? present : `${present} and ${key.where}`;
  const shown = key.columns
    .map((column) => (column === 'sha256' ? `encode(${column}, 'hex')` : `${column}::text`))
    .join(`, `);
  const rows = await sql.query(
    `select count(*) over () as groups, (sum(copies - 1) over ())::bigint as rows, concat_ws(' ', ${shown}) as shown
     from (
       select ${columns}, count(*) as copies from ${key.table} where ${condition} group by ${columns} having count(*) > 1
     ) doubled
     order by ${columns} limit ${samples}`,
  );
  const [first] = rows;
  if (first === undefined) return { groups: 0, rows: 0, samples: [] };
  return {
    groups: integerOf(first, 'groups'),
    rows: integerOf(first, 'rows'),
    samples: rows.map((row) => textOf(row, 'shown')),
  };
}

/** Rows with a null in a primary-key column, which block the key. */
export async function countAbsentKeys(sql: Sql, key: UniqueKey): Promise<number> {
  const absent = key.columns.map((column) => `${column} is null`).join(' or ');
  const [row] = await sql.query(`select count(*) as rows from ${key.table} where ${absent}`);
  return row === undefined ? 0 : integerOf(row, 'rows');
}

/**
 * Creates a unique index with the migrations' name and definition. On a server, does not block writers (`concurrently`,
 * not allowed in a transaction); it then waits for older transactions. The embedded database has no other writers, and
 * does not support it.
 *
 * Throws the database's error: 23505 for duplicate rows, which leaves an invalid index behind.
 */
export async function makeIndex(store: Store, key: UniqueKey): Promise<void> {
  const where = key.where === undefined ? '' : ` where ${key.where}`;
  await store.sql.execute(
    `create unique index ${concurrently(store)}${key.index} on ${key.table} (${key.columns.join(', ')})${where}`,
  );
  if (!key.primary) return;
  // The index becomes the primary key without a rebuild; the lock lasts only for the null check.
  await store.sql.execute(
    `alter table ${key.table} add constraint ${key.index} primary key using index ${key.index}`,
  );
}

/** Drops the index under a key's name: the remains of a failed attempt, or an index with another purpose. */
export async function dropIndex(store: Store, key: UniqueKey, isConstraint: boolean): Promise<void> {
  await store.sql.execute(
    isConstraint
      ? `alter table ${key.table} drop constraint if exists ${key.index}`
      : `drop index ${concurrently(store)}if exists ${key.index}`,
  );
}

/** Outside of any transaction, so that other programs can keep writing; behind a pooler we are always inside one. */
function concurrently(store: Store): string {
  if (store.pooled) {
    throw new ConfigError(
      `An index cannot be created through the connection pooler at ${store.location}: it needs a session of its own.`,
      {
        code: 'session_needed',
        remedy: 'Set DIRECT_URL to the address of the server itself, without the pooler, and run again.',
      },
    );
  }
  return store.backend === 'postgresql' ? 'concurrently ' : '';
}

/** A foreign key as created by the migrations. */
interface ForeignKey {
  table: string;
  /** In PostgreSQL's form, including the update and delete actions. */
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
  references('graph_credentials', 'connection_id', 'connections(id)'),
  references('history_requests', 'connection_id', 'connections(id)'),
  references('media_files', 'connection_id', 'connections(id)'),
  references('erased_identities', 'erasure_id', 'erasures(id)', 'CASCADE'),
];

/** Check constraints, by name: PostgreSQL's form of their conditions varies by version. */
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
  'saved_comparisons_crm_check',
  'history_requests_sync_type_check',
  'history_requests_outcome_check',
  'media_files_state_check',
  'tickets_source_check',
  'tickets_originated_from_check',
  'tickets_status_check',
  'tickets_closed_at_check',
  'webhook_log_body_state_check',
  'webhook_log_provider_check',
  'webhook_log_status_check',
  'sync_runs_status_check',
  'sync_logs_sync_type_check',
  'sync_logs_status_check',
];

/** Foreign keys and checks of the migrations, with each one's fault; null if none. */
interface ConstraintState {
  /** `messages: FOREIGN KEY (…) …`, or the name of a check. */
  what: string;
  fault: 'missing' | 'not validated' | null;
}

const NOT_VALID = / NOT VALID$/;

/** The catalog's state for every foreign key, whatever its name, and for every check. */
export async function readConstraintStates(sql: Sql): Promise<ConstraintState[]> {
  const rows = await sql.query(
    `select t.relname::text as table_name, c.conname::text as name, c.contype = 'f' as is_foreign_key,
       c.convalidated as is_validated, pg_get_constraintdef(c.oid) as definition
     from pg_constraint c
     join pg_class t on t.oid = c.conrelid
     join pg_namespace n on n.oid = t.relnamespace
     where n.nspname = current_schema() and c.contype in ('f', 'c')`,
  );
  // If the same one exists twice, the better one counts.
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
