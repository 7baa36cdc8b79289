import type { JsonObject } from '../../model/json.js';
import type { ConnectionResult, RunResult } from '../../model/run-result.js';
import type { Sql } from '../../store/sql.js';
import { readConnections } from '../../store/tables/connections.js';
import { readMissingChunks } from '../../store/tables/history.js';
import { newMessageCounts, type Tally } from '../../ingest/batch/tally.js';
import type { RunEnd } from '../../ingest/runs/with-run.js';

/** The connections that a run touched, with where their history stands now. */
export async function describeConnections(
  sql: Sql,
  tally: Tally,
  touched: ReadonlySet<string>,
  registered: ReadonlySet<string>,
): Promise<ConnectionResult[]> {
  const missing = await readMissingChunks(sql, [...touched]);
  const rows = await readConnections(sql);
  return rows
    .filter((row) => touched.has(row.id))
    .map((row) => ({
      id: row.id,
      name: row.name,
      registered: registered.has(row.id),
      historySync: {
        status: row.historySyncStatus,
        phase: row.historySyncPhase,
        chunkOrder: row.historySyncChunkOrder,
        progress: row.historySyncProgress,
        missingChunks: missing
          .filter((chunk) => chunk.connectionId === row.id)
          .map((chunk) => `${chunk.phase}/${chunk.chunkOrder}`),
        ...(row.historySyncError === null ? {} : { error: row.historySyncError }),
      },
      messages: tally.byConnection.get(row.id) ?? newMessageCounts(),
    }));
}

/** How a replay is recorded: its counters, and one sync_log per connection. */
export function endOf(result: RunResult, tally: Tally): RunEnd {
  return {
    status: result.status,
    counters: countersOf(tally),
    verdict: verdictOf(result),
    error: result.error ?? null,
    logs: result.connections.map(({ id, messages }) => ({
      connectionId: id,
      messagesImported: messages.created,
      counters: jsonOf(messages),
    })),
    synced: result.connections.map(({ id }) => id),
  };
}

/** The counters of a run as sync_runs keeps them. */
export function countersOf(tally: Tally): JsonObject {
  return jsonOf(tally.counters());
}

/** Counters are numbers in objects: JSON by construction. */
function jsonOf(value: object): JsonObject {
  const entries = Object.entries(value).map(
    ([key, part]: [string, unknown]): [string, JsonObject | number] => [
      key,
      typeof part === 'number' ? part : typeof part === 'object' && part !== null ? jsonOf(part) : 0,
    ],
  );
  return Object.fromEntries(entries);
}

/** One line for sync_runs and the log. */
function verdictOf({ status, entries, messages, problemCount }: RunResult): string {
  return (
    `${status}: ${entries.read} entries, ${messages.created} messages created, ` +
    `${messages.updated} updated, ${messages.unchanged} unchanged, ${problemCount} problems`
  );
}
