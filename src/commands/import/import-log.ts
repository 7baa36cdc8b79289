import type { RunStatus } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import { finishSyncLog, insertSyncLogs, updateSyncLog } from '../../store/tables/sync-logs.js';
import type { Context } from '../../context.js';
import type { Applier } from '../../ingest/apply/execute-batch.js';
import type { Imported } from './import-contact.js';
import { askedAtOf, statusOf } from './import-result.js';
import type { FetchOptions } from './types.js';

/** What an import was told, as far as it decides what it has to bring. */
type Told = Pick<FetchOptions, 'phase' | 'pages' | 'count' | 'until'>;

/**
 * The sync_log of one contact's import. Written as soon as the contact and the connection are known, so that a killed
 * import shows, and whom it was for; its final state decides the throttle of every process. A later import of the contact
 * makes up for a dead one by what the two logs say; see src/store/tables/run-cover.ts.
 */
export class ImportLog {
  private readonly id: string;
  private readonly startedAt: number;
  private readonly asked: JsonObject;
  /** The connection and the counters on record; null before. */
  private open: { connectionId: string; counters: JsonObject } | null = null;

  constructor(
    private readonly ctx: Context,
    private readonly applier: Applier,
    private readonly told: Told,
  ) {
    this.id = applier.newId();
    this.startedAt = ctx.clock();
    const { phase, until } = told;
    this.asked = {
      asked: { phase, messages: messagesAskedFor(told), ...(until === undefined ? {} : { until }) },
    };
  }

  /** The raw log is searched. */
  async start(connectionId: string, leadId: string | null): Promise<void> {
    await this.write(connectionId, leadId, this.asked);
  }

  /** The raw log is not enough: from here on, only the phone's answer is. */
  async goToPhone(connectionId: string, leadId: string | null): Promise<void> {
    await this.write(connectionId, leadId, { ...this.asked, toPhone: true });
  }

  /** A contact without a connection is not logged: a sync_log is about one. */
  async finish(done: Imported): Promise<void> {
    const { connection, subject, tally } = done;
    const connectionId = connection?.id ?? this.open?.connectionId;
    if (connectionId === undefined) return;
    const leadId = subject.lead?.leadId ?? null;
    if (this.open === null) await this.start(connectionId, leadId);
    const counters = { ...this.open?.counters, ...this.countersOf(done) };
    await this.end({ connectionId, leadId, counters }, tally.messages.created, statusOf(done), done.outcome);
  }

  async fail(error: unknown): Promise<void> {
    if (this.open === null) return;
    const { connectionId } = this.open;
    const counters = { ...this.open.counters, outcome: 'failed' };
    const message = error instanceof Error ? error.message : String(error);
    await this.end({ connectionId, leadId: null, counters }, 0, 'failed', message);
  }

  private async write(connectionId: string, leadId: string | null, counters: JsonObject): Promise<void> {
    const { id, startedAt, applier } = this;
    const { sql } = applier.target;
    if (this.open !== null) await updateSyncLog(sql, { id, connectionId, leadId, counters });
    else
      await insertSyncLogs(sql, [
        {
          id,
          runId: applier.runId,
          connectionId,
          leadId,
          syncType: 'manual_recovery',
          messagesImported: 0,
          counters,
          status: 'running',
          startedAt,
          completedAt: null,
        },
      ]);
    this.open = { connectionId, counters };
  }

  private async end(
    step: { connectionId: string; leadId: string | null; counters: JsonObject },
    messagesImported: number,
    status: RunStatus,
    error: string,
  ): Promise<void> {
    await finishSyncLog(this.applier.target.sql, {
      ...step,
      id: this.id,
      messagesImported,
      status,
      error: status === 'completed' ? null : error,
      completedAt: this.ctx.clock(),
    });
  }

  private countersOf({ outcome, connection, tally, cache, fetched, oldestMessageAt }: Imported): JsonObject {
    const { seen, created, updated, unchanged, skipped, rejected } = tally.messages;
    const askedAt = askedAtOf(outcome, fetched?.askedAt ?? null);
    const pages = fetched?.pages.length ?? 0;
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
      pages,
      wentBack: pages * this.told.count,
      ...(connection === null || oldestMessageAt === null ? {} : { oldestAt: oldestMessageAt }),
      ...(askedAt === null ? {} : { askedAt: new Date(askedAt).toISOString() }),
      ...(fetched?.answeredAs == null ? {} : { answeredAs: fetched.answeredAs }),
    };
  }
}

/** How many messages back the phone is asked for, at most; none where only the raw log is searched. */
function messagesAskedFor({ phase, pages, count }: Told): number {
  return phase === 'cache' ? 0 : pages * count;
}
