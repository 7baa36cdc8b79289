import { bigint, bytes, columns, jsonObject, orNull, rowsOf, text, time, type RowOf } from '../columns.js';
import { integerOf, textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';

/** The columns by which the rows of a table are counted: what they hold are words of this tool, unless somebody else wrote them. */
export const COUNTED: Readonly<Record<string, readonly string[]>> = {
  organizations: [],
  connections: ['kind', 'history_sync_status'],
  leads: ['source'],
  lead_identities: ['kind'],
  conversations: [],
  messages: ['source', 'sync_source', 'type', 'status'],
  message_revisions: [],
  message_reactions: [],
  pending_facts: ['kind'],
  tickets: ['status', 'originated_from'],
  webhook_log: ['provider', 'status'],
  history_chunks: [],
  sync_runs: ['command', 'status'],
  sync_logs: ['sync_type', 'status'],
  rejects: ['reason'],
  change_journal: ['table_name'],
  discarded_bodies: [],
  linked_devices: [],
  linked_device_keys: [],
  alert_acks: ['kind'],
  proven_blocks: [],
  owed_files: [],
  history_gaps: ['reason'],
  saved_comparisons: ['crm'],
  graph_credentials: [],
  history_requests: ['sync_type', 'outcome'],
  media_files: ['state'],
  access_log: ['command'],
  erasures: [],
  erased_identities: [],
  erasure_keys: [],
};

/** How many rows of one table have these values. */
export interface RowCount {
  values: (string | null)[];
  rows: number;
}

/** Rows by the values of columns; the commonest ones. */
export async function countRows(sql: Sql, table: string, by: readonly string[]): Promise<RowCount[]> {
  const names = by.map((column) => `${column}::text as ${column}`);
  const rows = await sql.query(
    `select ${[...names, 'count(*) as rows'].join(', ')} from ${table}
     ${by.length === 0 ? '' : `group by ${by.map((_, index) => String(index + 1)).join(', ')} order by rows desc limit 200`}`,
  );
  return rows.map((row) => ({
    values: by.map((column) => textOrNull(row, column)),
    rows: integerOf(row, 'rows'),
  }));
}

const RUN = columns({
  command: text,
  status: text,
  options: orNull(jsonObject),
  counters: orNull(jsonObject),
  verdict: orNull(text),
  error: orNull(text),
  startedAt: orNull(time),
  completedAt: orNull(time),
});

/** A run, whatever its columns hold. */
export type BundledRun = RowOf<typeof RUN>;

export async function readLastRuns(sql: Sql, limit: number): Promise<BundledRun[]> {
  return rowsOf(
    RUN,
    await sql.query(`select * from sync_runs order by started_at desc nulls last limit ${limit}`),
  );
}

const TROUBLED = columns({
  status: text,
  provider: text,
  error: orNull(text),
  length: bigint,
  beginning: bytes,
});

/** An entry that could not be read. */
export type TroubledEntry = RowOf<typeof TROUBLED>;

/** The newest entries that failed or are in an unknown format, with at most `most` bytes of each. */
export async function readTroubledEntries(sql: Sql, limit: number, most: number): Promise<TroubledEntry[]> {
  const rows = await sql.query(
    `select status, provider, error, octet_length(raw_body)::bigint as length,
       substring(raw_body from 1 for ${most}) as beginning
     from webhook_log where status in ('failed', 'unrecognized', 'partial') order by created_at desc, id desc limit ${limit}`,
  );
  return rowsOf(TROUBLED, rows);
}

/** Where rejected items were, and why, the commonest first. */
export async function countRejects(
  sql: Sql,
  limit: number,
): Promise<{ path: string; reason: string; rows: number }[]> {
  const rows = await sql.query(
    `select regexp_replace(path, '\\[\\d+\\]', '[]', 'g') as path, reason, count(*) as rows
     from rejects group by 1, 2 order by 3 desc, 1, 2 limit ${limit}`,
  );
  return rows.map((row) => ({
    path: textOf(row, 'path'),
    reason: textOf(row, 'reason'),
    rows: integerOf(row, 'rows'),
  }));
}
