import type { JsonObject } from '../../model/json.js';
import type { RunResult } from '../../model/run-result.js';
import { touchConnections } from '../../store/connections.js';
import { finishRun, insertRun, insertSyncLogs, saveCheckpoint } from '../../store/runs.js';
import type { Sql } from '../../store/sql.js';
import type { Context } from '../context.js';
import { toJson, type Checkpoint, type ResumePoint } from './checkpoint.js';
import { verdictOf } from './run-result.js';
import type { Tally } from '../batch/tally.js';

/** Keeps sync_runs and sync_logs: what a run did, also when it dies. */
export class RunRecorder {
  constructor(
    private readonly ctx: Context,
    readonly runId: string,
    readonly startedAt: number,
  ) {}

  /** A run that takes up another one has its checkpoint from the start: it may be killed before its own first. */
  async start(sql: Sql, options: JsonObject, resume: ResumePoint | null): Promise<void> {
    const { host, pid } = this.ctx;
    await insertRun(sql, {
      id: this.runId,
      command: 'replay',
      options,
      host,
      pid,
      startedAt: this.startedAt,
      resumed: resume === null ? null : { runId: resume.runId, checkpoint: toJson(resume.checkpoint) },
    });
  }

  /**
   * In the batch's own transaction: rows and checkpoint are one. Without one, inside a large entry, the run still goes on
   * from the one before it.
   */
  async checkpoint(tx: Sql, checkpoint: Checkpoint | null, tally: Tally): Promise<void> {
    await saveCheckpoint(
      tx,
      this.runId,
      checkpoint === null ? null : toJson(checkpoint),
      countersJson(tally),
    );
  }

  /** One sync_log per connection, and the run's end. */
  async finish(sql: Sql, result: RunResult, tally: Tally, newId: () => string): Promise<void> {
    const completedAt = this.ctx.clock();
    await insertSyncLogs(
      sql,
      result.connections.map((connection) => ({
        id: newId(),
        runId: this.runId,
        connectionId: connection.id,
        leadId: null,
        syncType: 'batch',
        messagesImported: connection.messages.created,
        counters: jsonOf(connection.messages),
        status: result.status,
        startedAt: this.startedAt,
        completedAt,
      })),
    );
    await touchConnections(
      sql,
      result.connections.map((connection) => connection.id),
      completedAt,
    );
    await finishRun(sql, {
      id: this.runId,
      status: result.status,
      counters: countersJson(tally),
      verdict: verdictOf(result),
      completedAt,
      error: result.error ?? null,
      clearCheckpoint: result.status === 'completed' || result.status === 'partial',
    });
  }
}

function countersJson(tally: Tally): JsonObject {
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
