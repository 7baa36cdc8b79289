import type { RunStatus } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import { finishSyncLog, insertSyncLogs } from '../../store/tables/sync-logs.js';
import type { Context } from '../../context.js';
import type { Applier } from '../../ingest/apply/execute-batch.js';
import type { Imported } from './import-contact.js';
import { askedAtOf, statusOf } from './import-result.js';

/**
 * The sync_log of one contact's import. Written before the phone is asked, so that a killed import shows; its final
 * state decides the throttle of every process.
 */
export class ImportLog {
  private readonly id: string;
  private readonly startedAt: number;
  private isOpen = false;

  constructor(
    private readonly ctx: Context,
    private readonly applier: Applier,
  ) {
    this.id = applier.newId();
    this.startedAt = ctx.clock();
  }

  async start(connectionId: string, leadId: string | null): Promise<void> {
    const { sql } = this.applier.target;
    await insertSyncLogs(sql, [
      {
        id: this.id,
        runId: this.applier.runId,
        connectionId,
        leadId,
        syncType: 'manual_recovery',
        messagesImported: 0,
        counters: null,
        status: 'running',
        startedAt: this.startedAt,
        completedAt: null,
      },
    ]);
    this.isOpen = true;
  }

  /** A contact without a connection is not logged: a sync_log is about one. */
  async finish(done: Imported): Promise<void> {
    const { connection, subject, tally } = done;
    if (connection === null) return;
    if (!this.isOpen) await this.start(connection.id, subject.lead?.leadId ?? null);
    await this.end(
      subject.lead?.leadId ?? null,
      tally.messages.created,
      this.countersOf(done),
      statusOf(done),
      done.outcome,
    );
  }

  async fail(error: unknown): Promise<void> {
    if (!this.isOpen) return;
    const message = error instanceof Error ? error.message : String(error);
    await this.end(null, 0, { outcome: 'failed' }, 'failed', message);
  }

  private async end(
    leadId: string | null,
    messagesImported: number,
    counters: JsonObject,
    status: RunStatus,
    error: string,
  ): Promise<void> {
    await finishSyncLog(this.applier.target.sql, {
      id: this.id,
      leadId,
      messagesImported,
      counters,
      status,
      error: status === 'completed' ? null : error,
      completedAt: this.ctx.clock(),
    });
  }

  private countersOf({ outcome, tally, cache, fetched }: Imported): JsonObject {
    const { seen, created, updated, unchanged, skipped, rejected } = tally.messages;
    const askedAt = askedAtOf(outcome, fetched?.askedAt ?? null);
    return {
      outcome,
      seen,
      created,
      updated,
      unchanged,
      skipped: { ...skipped },
      rejected: { ...rejected },
      cacheEntries: cache.entries,
      requests: fetched?.requests ?? 0,
      pages: fetched?.pages.length ?? 0,
      ...(askedAt === null ? {} : { askedAt: new Date(askedAt).toISOString() }),
      ...(fetched?.answeredAs == null ? {} : { answeredAs: fetched.answeredAs }),
    };
  }
}
