import { UserError } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import { readLastNight, type LastNight } from '../../store/nights.js';
import { finishRun, insertRun } from '../../store/runs.js';
import { readServerClock } from '../../store/server-facts.js';
import { createIdGenerator } from '../../store/uuid.js';
import type { Context } from '../context.js';
import { dedupe } from '../dedupe/dedupe.js';
import type { DedupeResult } from '../dedupe/result.js';
import { WITHIN } from '../recorded-command.js';
import { replay } from '../replay/replay.js';
import { report } from '../report/report.js';
import { verify } from '../verify/verify.js';
import { CHECK_NAMES } from '../verify/result.js';
import { assertConnections } from './assert-connections.js';
import type { ReconcileOptions } from './options.js';
import type { ReconcileResult } from './result.js';
import { figuresOf, NO_STEPS, verdictOf, type Steps } from './verdict.js';

/** Only these are merged without a person looking on: both copies carry an id that says that they are one message. */
const MERGED_AT_NIGHT = new Set(['same_id', 'same_message'] as const);

/** What the report inside shows: enough for the alerts, not a page for people. */
const REPORT_DAYS = 14;
const REPORT_RUNS = 10;

/**
 * The nightly: replays what is due, looks for doubles (and merges the certain ones), verifies, reports, and says in one
 * line what came of it. Each step is a use-case of its own and keeps its own run; what is kept here is how far the nights
 * have come: a night that was killed, skipped, or found something missing or changed does not move the mark, so that the
 * next one looks at all of it again. Safe to repeat at any time.
 */
export async function reconcile(ctx: Context, options: ReconcileOptions): Promise<ReconcileResult> {
  const { sql } = ctx.store;
  await assertConnections(ctx, options.register);
  return new Night(ctx, options, await readLastNight(sql), await readServerClock(sql)).run();
}

class Night {
  private steps: Steps = NO_STEPS;
  private heldBack: string | undefined;
  private readonly startedAt: number;
  private readonly runId: string | null;
  /** The steps are runs of their own, recorded as parts of this one. */
  private readonly stepContext: Context;
  /** What was stored or worked on before is accounted for. */
  private readonly since: number | null;

  constructor(
    private readonly ctx: Context,
    private readonly options: ReconcileOptions,
    private readonly last: LastNight,
    /**
     * When the night began, by the clock of the database, which is what says when an entry was stored: by that of a machine
     * that is ahead, what comes in until the two meet would never be looked at.
     */
    private readonly mark: number,
  ) {
    this.startedAt = ctx.clock();
    this.runId = options.dryRun ? null : createIdGenerator(ctx.clock)();
    this.stepContext = this.runId === null ? ctx : { ...ctx, parentRunId: this.runId };
    this.since = options.full ? null : last.watermark;
  }

  async run(): Promise<ReconcileResult> {
    const { ctx, options, runId, startedAt } = this;
    if (runId !== null) {
      const { host, pid } = ctx;
      await insertRun(ctx.store.sql, {
        id: runId,
        command: 'reconcile',
        options: options.recordedOptions,
        host,
        pid,
        startedAt,
        resumed: null,
      });
    }
    try {
      await this.takeSteps();
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      await this.finish('failed', message).catch(() => undefined);
      throw error;
    }
    return this.finish(this.status());
  }

  private async takeSteps(): Promise<void> {
    const steps = [
      ['replaying what is due', () => this.replayDue()],
      ['looking for doubles', () => this.mergeDoubles()],
      ['verifying', () => this.verifyAll()],
      ['reporting', () => this.reportAll()],
    ] as const;
    for (const [index, [what, step]] of steps.entries()) {
      if (this.status() === 'interrupted' || this.status() === 'failed') return;
      this.ctx.emit({ event: 'step', step: what, number: index + 1, of: steps.length });
      await step();
    }
  }

  private async replayDue(): Promise<void> {
    const { full, register, tickets, include, dryRun, batchSize, recordedOptions } = this.options;
    const result = await replay(this.stepContext, {
      input: full
        ? { kind: 'log', which: 'all' }
        : // What is pending may have become possible since; what failed before the mark has been told already.
          { kind: 'log', which: 'failed', ...(this.since === null ? {} : { failedSince: this.since }) },
      register,
      tickets,
      include,
      dryRun,
      strict: false,
      batchSize,
      resume: true,
      recordedOptions: asStep(recordedOptions),
    });
    this.steps = { ...this.steps, replay: result };
  }

  private async mergeDoubles(): Promise<void> {
    const { apply, dryRun } = this.options;
    const result = await this.dedupe(apply && !dryRun).catch((error: unknown) => {
      // Too many at once is no work for a night without a person: they are counted instead.
      if (!(error instanceof UserError) || error.code !== 'too_many_duplicates') throw error;
      this.heldBack = error.message;
      return this.dedupe(false);
    });
    this.steps = { ...this.steps, dedupe: result };
  }

  private dedupe(apply: boolean): Promise<DedupeResult> {
    const { batchSize, recordedOptions } = this.options;
    return dedupe(this.stepContext, {
      classes: MERGED_AT_NIGHT,
      apply,
      batchSize,
      force: false,
      recordedOptions: asStep(recordedOptions),
    });
  }

  private async verifyAll(): Promise<void> {
    const result = await verify(this.stepContext, {
      checks: new Set(CHECK_NAMES),
      enforce: false,
      ...(this.since === null ? {} : { touchedSince: this.since }),
    });
    this.steps = { ...this.steps, verify: result };
  }

  private async reportAll(): Promise<void> {
    const { historyMinutes, silentHours, timeZone } = this.options;
    const result = await report(this.stepContext, {
      days: REPORT_DAYS,
      timeZone,
      runs: REPORT_RUNS,
      historyMinutes,
      ...(silentHours === undefined ? {} : { silentHours }),
    });
    this.steps = { ...this.steps, report: result };
  }

  private status(): ReconcileResult['status'] {
    const { replay: replayed, dedupe: merged, verify: verified } = this.steps;
    const ended = [replayed?.status, merged?.status, verified?.status];
    if (ended.includes('failed')) return 'failed';
    if (this.ctx.signal.aborted || ended.includes('interrupted')) return 'interrupted';
    return ended.includes('partial') ? 'partial' : 'completed';
  }

  /** Whether all that was looked at is as the log tells it: what is not has to be looked at, and told, again. */
  private isAccounted(status: ReconcileResult['status']): boolean {
    const rawLog = this.steps.verify?.checks.find(({ check }) => check === 'raw_log');
    return (status === 'completed' || status === 'partial') && rawLog?.unaccounted === 0;
  }

  private async finish(status: ReconcileResult['status'], thrown?: string): Promise<ReconcileResult> {
    const { ctx, options, runId, startedAt, steps, last } = this;
    const error = thrown ?? steps.replay?.error;
    const figures = figuresOf(steps);
    const finishedAt = ctx.clock();
    const pending = steps.replay?.entries.pending ?? 0;
    const verdict = verdictOf(status, figures, { pending, dryRun: options.dryRun, error });
    if (runId !== null) {
      const counters: JsonObject = {
        ...figures,
        ...(this.isAccounted(status) ? { watermark: instant(this.mark) } : {}),
      };
      await finishRun(ctx.store.sql, {
        id: runId,
        status,
        counters,
        verdict,
        completedAt: finishedAt,
        error: error ?? null,
        clearCheckpoint: true,
      });
    }
    return {
      schemaVersion: 1,
      command: 'reconcile',
      runId,
      status,
      dryRun: options.dryRun,
      verdict,
      figures,
      since: this.since === null ? null : instant(this.since),
      caughtUp:
        last.unfinished === null
          ? null
          : { ...last.unfinished, startedAt: instant(last.unfinished.startedAt) },
      ...(this.heldBack === undefined ? {} : { heldBack: this.heldBack }),
      startedAt: instant(startedAt),
      finishedAt: instant(finishedAt),
      durationMs: finishedAt - startedAt,
      ...steps,
      database: ctx.store.location,
      ...(error === undefined ? {} : { error }),
    };
  }
}

/** Says of a step's own run that it is a step: the command to type again is the reconcile. */
function asStep(options: ReconcileOptions['recordedOptions']): ReconcileOptions['recordedOptions'] {
  return { ...options, [WITHIN]: 'reconcile' };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
