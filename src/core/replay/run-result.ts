import type { ConnectionResult, RunResult } from '../../model/run-result.js';
import { readConnections, readMissingChunks } from '../../store/connections.js';
import type { Sql } from '../../store/sql.js';
import { newMessageCounts, type Tally } from '../batch/tally.js';

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

/** One line for sync_runs and the log. */
export function verdictOf(
  result: Pick<RunResult, 'status' | 'entries' | 'messages' | 'problemCount'>,
): string {
  const { entries, messages } = result;
  return (
    `${result.status}: ${entries.read} entries, ${messages.created} messages created, ` +
    `${messages.updated} updated, ${messages.unchanged} unchanged, ${result.problemCount} problems`
  );
}
