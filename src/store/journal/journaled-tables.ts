/** A table with rows journaled in change_journal before a change. */
export interface JournaledTable {
  name: string;
  /** The primary key; change_journal.key holds these columns by name. */
  key: readonly { name: string; type: 'uuid' | 'text' }[];
  /** Columns of type jsonb: see {@link JSON_NULL}. */
  json: readonly string[];
  /** The kept part of a row that only changes, if not all of it: a raw body does not belong in a journal. */
  columns?: readonly string[];
}

/**
 * Stands for a column that holds the JSON value null. In a row's JSON it would look like an SQL null, and be restored
 * as one.
 */
export const JSON_NULL = '{"wa-reconcile": "json null"}';

const ID = [{ name: 'id', type: 'uuid' }] as const;

/** Every table that a merge, a dedupe or an undo may change; parents before their children. */
export const JOURNALED_TABLES = {
  leads: { name: 'leads', key: ID, json: [] },
  conversations: { name: 'conversations', key: ID, json: [] },
  messages: { name: 'messages', key: ID, json: ['media', 'raw_meta', 'errors'] },
  message_revisions: {
    name: 'message_revisions',
    key: [
      { name: 'message_id', type: 'uuid' },
      { name: 'version', type: 'text' },
    ],
    json: ['media', 'raw_meta'],
  },
  message_reactions: {
    name: 'message_reactions',
    key: [
      { name: 'connection_id', type: 'uuid' },
      { name: 'target_external_id', type: 'text' },
      { name: 'reactor', type: 'text' },
    ],
    json: [],
  },
  pending_facts: {
    name: 'pending_facts',
    key: [
      { name: 'connection_id', type: 'uuid' },
      { name: 'target_external_id', type: 'text' },
      { name: 'kind', type: 'text' },
      { name: 'fact_key', type: 'text' },
    ],
    json: ['payload'],
  },
  lead_identities: {
    name: 'lead_identities',
    key: [
      { name: 'organization_id', type: 'uuid' },
      { name: 'kind', type: 'text' },
      { name: 'value', type: 'text' },
    ],
    json: [],
  },
  tickets: { name: 'tickets', key: ID, json: [] },
  sync_logs: { name: 'sync_logs', key: ID, json: ['counters'] },
  rejects: { name: 'rejects', key: ID, json: [] },
  webhook_log: { name: 'webhook_log', key: ID, json: [], columns: ['id', 'status', 'error'] },
} as const satisfies Record<string, JournaledTable>;

export type JournaledTableName = keyof typeof JOURNALED_TABLES;

/**
 * The row `t` of webhook_log as journaled on removal: all but its bytes, which go to discarded_bodies. A `sha256` marks
 * such a journal entry.
 */
export const WHOLE_ENTRY_JSON = `(to_jsonb(t) - 'raw_body')`;

/** Messages that only change owner: only their conversation and lead are kept. */
export const MOVED_COLUMNS = ['id', 'conversation_id', 'lead_id'] as const;

/** The row `t` as change_journal keeps it. The session's time zone must be UTC: times are written in it. */
export function rowJson(table: JournaledTable): string {
  if (table.columns !== undefined) return columnsJson(table.columns);
  if (table.json.length === 0) return 'to_jsonb(t)';
  const isNull = table.json.map((name) => `t.${name} = 'null'::jsonb`).join(' or ');
  const marks = table.json.map(
    (name) =>
      `case when t.${name} = 'null'::jsonb then jsonb_build_object('${name}', '${JSON_NULL}'::jsonb) else '{}' end`,
  );
  return `case when ${isNull} then to_jsonb(t) || ${marks.join(' || ')} else to_jsonb(t) end`;
}

/** A part of the row `t`. */
export function columnsJson(columns: readonly string[]): string {
  return `jsonb_build_object(${columns.map((name) => `'${name}', t.${name}`).join(', ')})`;
}

/** The key of the row `t` as change_journal keeps it. */
export function keyJson(table: JournaledTable): string {
  return columnsJson(table.key.map(({ name }) => name));
}

/** The row of `table` for the journal entry `entry`: `lateral (…) t`, one look-up by primary key. */
export function rowOfEntry(table: JournaledTable, entry: string, lock: '' | ' for update' = ''): string {
  return lookUp(table, (name, type) => `(${entry}.key ->> '${name}')::${type}`, lock);
}

/**
 * The row of `table` with the key columns of `keys`, locked until the transaction ends: what is journaled is what is
 * changed.
 */
export function lockedRow(table: JournaledTable, keys: string): string {
  return lookUp(table, (name) => `${keys}.${name}`, ' for update');
}

function lookUp(table: JournaledTable, value: (name: string, type: string) => string, lock: string): string {
  const conditions = table.key.map(({ name, type }) => `c.${name} = ${value(name, type)}`);
  return `lateral (select c.* from ${table.name} c where ${conditions.join(' and ')} limit 1${lock}) t`;
}
