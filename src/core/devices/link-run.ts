import type { JsonObject } from '../../model/json.js';
import { UserError } from '../../model/errors.js';
import type { RunResult } from '../../model/run-result.js';
import { touchConnections } from '../../store/connections.js';
import { finishRun, insertRun, insertSyncLogs } from '../../store/runs.js';
import type { PairOutcome } from '../../whatsapp/pair-device.js';
import type { Context } from '../context.js';
import type { Applied } from '../replay/apply-entries.js';
import type { DeviceView, LinkResult } from './result.js';

/** Keeps sync_runs and sync_logs for a `link`. */
export class LinkRun {
  private constructor(
    private readonly ctx: Context,
    readonly newId: () => string,
    readonly runId: string,
    private readonly startedAt: number,
    private readonly connection: { id: string; name: string },
  ) {}

  static async start(
    ctx: Context,
    newId: () => string,
    connection: { id: string; name: string },
    options: JsonObject,
  ): Promise<LinkRun> {
    const run = new LinkRun(ctx, newId, newId(), ctx.clock(), connection);
    const { host, pid } = ctx;
    await insertRun(ctx.store.sql, {
      id: run.runId,
      command: 'link',
      options,
      host,
      pid,
      startedAt: run.startedAt,
      resumed: null,
    });
    return run;
  }

  async finish(
    linked: Extract<PairOutcome, { kind: 'linked' }>,
    device: DeviceView,
    { tally }: Applied,
    interrupted: boolean,
  ): Promise<LinkResult> {
    const { announced, received } = linked.progress;
    const isWhole = received >= announced && !tally.hasLoss();
    const status = interrupted ? 'interrupted' : isWhole ? 'completed' : 'partial';
    const { messages, leads, contacts } = tally;
    const { id: connectionId } = this.connection;
    const counters = {
      announced,
      received,
      seen: messages.seen,
      created: messages.created,
      updated: messages.updated,
      unchanged: messages.unchanged,
      leads: leads.created,
    };
    const completedAt = this.ctx.clock();
    await this.ctx.store.transaction(async (tx) => {
      await insertSyncLogs(tx, [
        {
          id: this.newId(),
          runId: this.runId,
          connectionId,
          leadId: null,
          syncType: 'batch',
          messagesImported: messages.created,
          counters,
          status,
          startedAt: this.startedAt,
          completedAt,
        },
      ]);
      await touchConnections(tx, [connectionId], completedAt);
      await this.close(tx, status, counters, `${status}: linked, ${messages.created} messages created`);
    });
    return {
      schemaVersion: 1,
      command: 'link',
      runId: this.runId,
      status,
      connection: { id: connectionId, name: this.connection.name },
      device,
      wasLinked: linked.wasLinked,
      sync: linked.sync,
      chunks: { announced, received },
      messages,
      contacts: contacts.seen,
      leads,
      problems: tally.problems,
      problemCount: tally.problemCount,
    };
  }

  /** Records why nothing was linked. */
  async fail(error: unknown): Promise<void> {
    const code = error instanceof UserError ? error.code : 'bug';
    const status = code === 'interrupted' ? 'interrupted' : 'failed';
    await this.close(this.ctx.store.sql, status, {}, `${status}: ${code}`, code);
  }

  private async close(
    sql: Context['store']['sql'],
    status: RunResult['status'],
    counters: JsonObject,
    verdict: string,
    error: string | null = null,
  ): Promise<void> {
    await finishRun(sql, {
      id: this.runId,
      status,
      counters,
      verdict,
      completedAt: this.ctx.clock(),
      error,
      clearCheckpoint: true,
    });
  }
}
