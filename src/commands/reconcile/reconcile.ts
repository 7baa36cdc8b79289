import type { Context } from '../../context.js';
import { WITHIN } from '../../model/recorded-command.js';
import { withRun, type Ended, type Run, type RunEnd } from '../../ingest/runs/with-run.js';
import { ConfigError, UserError } from '../../model/errors.js';
import type { JsonObject } from '../../model/json.js';
import { remedy } from '../../model/remedy.js';
import { ownNumberWords, type RunResult } from '../../model/run-result.js';
import { readServerClock } from '../../store/server.js';
import { readConnections } from '../../store/tables/connections.js';
import { replaceProvenBlocks } from '../../store/tables/proven-blocks.js';
import { readCopiedRows } from '../../store/queries/duplicates.js';
import { hasStoredEntries } from '../../store/tables/stored-entries.js';
import { ACCOUNTED } from '../../store/tables/run-cover.js';
import { readLastReconcile, type LastReconcile } from '../../store/tables/sync-runs.js';
import { compareSaved, openSaved } from '../compare/saved.js';
import { openErasing } from '../contacts/erased-people.js';
import { dedupe } from '../dedupe/dedupe.js';
import type { DedupeOptions, DedupeResult } from '../dedupe/result.js';
import type { LogSelection } from '../replay/options.js';
import { prune } from '../prune/prune.js';
import { replay } from '../replay/replay.js';
import { report } from '../report/report.js';
import type { ProvenBefore } from '../verify/proof.js';
import { CHECK_NAMES } from '../verify/types.js';
import { completeConnections, correctDue, relinkHeld, returnTickets } from '../verify/enforce.js';
import { verifyAll, type Verified } from '../verify/verify.js';
import type { ReconcileFigures, ReconcileOptions, ReconcileResult, Restored } from './types.js';
import { duplicatesLeft, figuresOf, NO_STEPS, verdictOf, type Steps } from './verdict.js';

/**
 * Only these are merged unattended: both copies carry an id that proves they are one message. So are rows without an id
 * whose raw entry is in the log, once the log has restored every message: one of those is theirs.
 */
const MERGED_UNATTENDED = new Set(['same_id', 'same_message'] as const);
const LOST_THEIR_ID = new Set(['no_id'] as const);
type MergedClasses = Pick<DedupeOptions, 'classes' | 'loggedOnly'>;

/** The report inside feeds the alerts, not a page. */
const REPORT_DAYS = 14;
const REPORT_RUNS = 10;

/** Raw entries that are emptied in one transaction. */
const PRUNED_TOGETHER = 10_000;

/** A restored message needs its statuses, edits and reactions restored as well; what is missing after this many rounds is lost. */
const MOST_ROUNDS = 4;

/**
 * Replays what is due, finds duplicates (and merges the certain ones), verifies, restores what is missing or different
 * from the raw log, reports, and returns a one-line verdict. Each step is a use-case with its own run; this one records
 * how far reconciling has come: a run that was killed, skipped, or could not restore something does not move the mark,
 * so the next one compares all of it again. Safe to repeat at any time.
 */
export async function reconcile(ctx: Context, options: ReconcileOptions): Promise<ReconcileResult> {
  const { sql } = ctx.store;
  await assertConnections(ctx, options.register);
  // A wrong name or key fails before the first step, not after an hour.
  const { names = [], secretKey = null } = options.crms ?? {};
  for (const name of names) await openSaved(ctx, name, secretKey);
  await openErasing(sql, ctx.secretKey);
  const work = new Reconciliation(ctx, options, await readLastReconcile(sql), await readServerClock(sql));
  return withRun(
    ctx,
    {
      command: 'reconcile',
      options: options.recordedOptions,
      announced: false,
      failed: (message) => work.end('failed', message),
      ...(options.dryRun ? { target: null } : {}),
    },
    (run) => work.run(run),
  );
}

class Reconciliation {
  private steps: Steps = NO_STEPS;
  private verified: Verified | null = null;
  private heldBack: string | undefined;
  /** What a replay can restore, from the first full verification; null before that. */
  private restorable: { all: number; missing: number } | null = null;
  /** Messages that the run added, excluding restored ones; null until known. */
  private created: number | null = null;
  /** Rows whose derived values were corrected. */
  private corrected = 0;
  private pruned: Pick<ReconcileResult, 'prune'> = {};
  /** The steps are runs of their own, recorded as parts of this one. */
  private stepContext: Context;
  /** What an earlier run verified; null compares everything. */
  private readonly proven: ProvenBefore | null;

  constructor(
    private readonly ctx: Context,
    private readonly options: ReconcileOptions,
    private readonly last: LastReconcile,
    /**
     * When the run began, by the database's clock, which also dates stored entries: with a machine clock that is ahead,
     * entries stored before the database catches up would never be compared.
     */
    private readonly mark: number,
  ) {
    this.stepContext = ctx;
    this.proven = options.full ? null : last.proven;
  }

  async run(run: Run): Promise<Ended<ReconcileResult>> {
    if (!this.options.dryRun) this.stepContext = { ...this.ctx, parentRunId: run.id };
    await this.takeSteps(run);
    const status = this.status();
    if (!this.options.dryRun) await this.remember(status);
    const end = this.end(status);
    return { result: this.result(run, status, end.verdict), end };
  }

  private async takeSteps(run: Run): Promise<void> {
    const steps = [
      ['replaying the raw log', () => this.replayDue()],
      ['looking for duplicates', () => this.mergeDuplicates()],
      ['verifying', () => this.verify()],
      ['restoring missing messages', () => this.restore()],
      ...(this.options.crms === undefined
        ? []
        : [['comparing with the CRM', () => this.compareCrms()] as const]),
      ...(this.options.prune === undefined ? [] : [['pruning the raw log', () => this.prune()] as const]),
      ['reporting', () => this.report(run)],
    ] as const;
    for (const [index, [what, step]] of steps.entries()) {
      if (this.status() === 'interrupted' || this.status() === 'failed') return;
      this.ctx.emit({ event: 'step', step: what, number: index + 1, of: steps.length });
      await step();
    }
  }

  private async replayDue(): Promise<void> {
    const { proven } = this;
    if (this.corrects) {
      this.corrected += await returnTickets(this.stepContext, asStep(this.options.recordedOptions));
      await this.completeConnections();
    }
    // A full replay restores losses by itself: count them by what was lost before.
    if (this.options.full && !this.options.dryRun) await this.compare(null);
    const result = await this.replay(
      this.options.full
        ? { which: 'all' }
        : // Pending entries may be applicable now; earlier failures were already reported.
          { which: 'failed', ...(proven === null ? {} : { failedSince: proven.since }) },
    );
    this.steps = { ...this.steps, replay: result };
  }

  /** Gives connections what entries have named (H1) back: from their rows, or else by a replay of those entries. */
  private async completeConnections(): Promise<void> {
    const { connections, entryIds } = await completeConnections(this.stepContext);
    if (entryIds.length > 0) await this.replay({ which: 'all', ids: entryIds });
    this.corrected += connections;
  }

  /** Whether it may correct what follows from other rows. */
  private get corrects(): boolean {
    const { apply, full, dryRun } = this.options;
    return (apply || full) && !dryRun;
  }

  /** A replay derives only what its entries change: the rest is corrected as `verify --enforce` does. */
  private async correctDerived(): Promise<void> {
    if (!this.corrects || this.verified === null) return;
    const { checks } = this.verified;
    const rows = await correctDue(this.stepContext, checks, asStep(this.options.recordedOptions));
    if (rows === null) return;
    this.corrected += rows;
    await this.compare(this.steps.restored === null ? this.proven : null);
  }

  private replay(selection: LogSelection): Promise<RunResult> {
    const { register, tickets, include, dryRun, batchSize, recordedOptions } = this.options;
    return replay(this.stepContext, {
      input: { kind: 'log', ...selection },
      register,
      tickets,
      include,
      dryRun,
      strict: false,
      batchSize,
      resume: true,
      recordedOptions: asStep(recordedOptions),
    });
  }

  private async mergeDuplicates(): Promise<void> {
    const { apply, dryRun } = this.options;
    const result = await this.dedupeFew(apply && !dryRun, { classes: MERGED_UNATTENDED });
    this.steps = { ...this.steps, dedupe: result };
  }

  /**
   * Merges rows that lost their id, or got another one, into their messages, which the restore has brought back under
   * it. While a message is still missing, a row without an id could be mistaken for a copy of another message with the
   * same text.
   */
  private async mergeCopies(): Promise<void> {
    if (!this.options.apply || this.options.dryRun) return;
    const checks = this.verified?.result.checks ?? [];
    const missing = checks.find(({ check }) => check === 'raw_log')?.missing;
    const nameless = missing === 0 ? (checks.find(({ check }) => check === 'missing_ids')?.copies ?? 0) : 0;
    const renamed = this.verified?.audit?.result.total.unfoundedCopies ?? 0;
    // The restore makes copies alike that were two messages when the duplicates were merged.
    const alike = checks.find(({ check }) => check === 'duplicate_ids')?.found ?? 0;
    if (nameless + renamed + alike === 0) return;
    const classes = new Set([
      ...(renamed + alike === 0 ? [] : MERGED_UNATTENDED),
      ...(nameless === 0 ? [] : LOST_THEIR_ID),
    ]);
    const result = await this.dedupeFew(true, { classes, loggedOnly: true });
    this.steps = { ...this.steps, copies: result };
    if (result.applied && result.connections.some(({ doubled }) => doubled > 0))
      await this.compare(this.steps.restored === null ? this.proven : null);
  }

  /** Too many duplicates at once need a person: only count them. */
  private dedupeFew(apply: boolean, what: MergedClasses): Promise<DedupeResult> {
    return this.dedupe(apply, what).catch((error: unknown) => {
      if (!(error instanceof UserError) || error.code !== 'too_many_duplicates') throw error;
      this.heldBack = error.message;
      return this.dedupe(false, what);
    });
  }

  private dedupe(apply: boolean, what: MergedClasses): Promise<DedupeResult> {
    const { batchSize, recordedOptions } = this.options;
    return dedupe(this.stepContext, {
      ...what,
      apply,
      batchSize,
      force: false,
      recordedOptions: asStep(recordedOptions),
    });
  }

  private async verify(): Promise<void> {
    await this.compare(this.proven);
  }

  /** Verifies everything; of the raw log only what is new since `proven`, if nothing else has changed. */
  private async compare(proven: ProvenBefore | null): Promise<void> {
    this.verified = await verifyAll(this.stepContext, {
      checks: new Set(CHECK_NAMES),
      enforce: false,
      remember: true,
      historyMinutes: this.options.historyMinutes,
      ...(proven === null ? {} : { provenBefore: proven }),
    });
    this.steps = { ...this.steps, verify: this.verified.result };
    this.restorable ??= { all: this.restorableNow(), missing: this.verified.result.missing ?? 0 };
  }

  private restorableNow(): number {
    const checks = this.verified?.result.checks ?? [];
    return checks.find(({ check }) => check === 'raw_log')?.restorable ?? 0;
  }

  private async restore(): Promise<void> {
    if (this.options.dryRun) return;
    await this.recordForged();
    await this.relink();
    await this.restoreRounds();
    if (this.status() !== 'interrupted') await this.restoreCopies();
    this.countRestored();
    if (this.status() !== 'interrupted') await this.mergeCopies();
    if (this.status() !== 'interrupted') await this.correctDerived();
  }

  /** Replays the entries with a bad signature that nobody had found before, so that every command knows it from then on. */
  private async recordForged(): Promise<void> {
    const forged = this.verified?.forged;
    if (forged === undefined || forged.ids.length === 0 || this.ctx.signal.aborted) return;
    await this.replay({ which: 'all', ...(forged.more ? {} : { ids: forged.ids }) });
    // What other entries hold of theirs may be in any of them.
    await this.compare(null);
  }

  /** Messages that have each other's ids are linked to the entries that hold them first: a replay would take one for the other. */
  private async relink(): Promise<void> {
    const total = this.verified?.audit?.result.total;
    if (total === undefined || total.unfoundedHeld === 0 || total.differentRows === 0) return;
    if (this.ctx.signal.aborted) return;
    await relinkHeld(this.stepContext, asStep(this.options.recordedOptions));
    await this.compare(null);
  }

  /**
   * Replays exactly the entries with something missing or different, and compares the whole log again, because the
   * statuses, edits and reactions of a restored message may be in any entry.
   */
  private async restoreRounds(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const affected = this.verified?.audit?.result.affectedEntries;
      if (affected === undefined || affected.ids.length === 0 || this.ctx.signal.aborted) return;
      const { messages, entries, runId, statuses, edits, revokes, reactions } = await this.replay({
        which: 'all',
        ...(affected.more ? {} : { ids: affected.ids }),
      });
      this.addRestored({ runs: [runId], entries: entries.read });
      await this.compare(null);
      const applied = [statuses, edits, revokes, reactions].reduce((sum, part) => sum + part.applied, 0);
      if (messages.created + messages.updated + applied === 0) return;
    }
  }

  /** Copies of a message under its own id get the content of the log, so that they can be merged. */
  private async restoreCopies(): Promise<void> {
    if (!this.options.apply) return;
    const copied = await readCopiedRows(this.ctx.store.sql);
    if (copied.length === 0) return;
    const ids = [...new Set(copied.map(({ entryId }) => entryId))];
    const { runId, entries } = await this.replay({ which: 'all', ids });
    this.addRestored({ runs: [runId], entries: entries.read });
    await this.compare(null);
  }

  /** What was lost at first and no longer is. */
  private countRestored(): void {
    const { restored, replay: replayed } = this.steps;
    const messages = Math.max(0, (this.restorable?.all ?? 0) - this.restorableNow());
    if (restored !== null) this.steps = { ...this.steps, restored: { ...restored, messages } };
    else if (messages > 0 && replayed !== null)
      this.steps = {
        ...this.steps,
        restored: { runs: [replayed.runId], entries: replayed.entries.read, messages },
      };
    // In a full replay, restored messages count as new ones.
    this.created = Math.max(
      0,
      (replayed?.messages.created ?? 0) - (this.options.full ? (this.restorable?.missing ?? 0) : 0),
    );
  }

  private addRestored(more: Omit<Restored, 'messages'>): void {
    const before = this.steps.restored ?? { runs: [], entries: 0, messages: 0 };
    this.steps = {
      ...this.steps,
      restored: {
        runs: [...before.runs, ...more.runs],
        entries: before.entries + more.entries,
        messages: before.messages,
      },
    };
  }

  /** Records each with its findings, or its failure; the report raises the alerts. */
  private async compareCrms(): Promise<void> {
    const { crms, dryRun } = this.options;
    if (dryRun || crms === undefined) return;
    for (const name of crms.names) await compareSaved(this.stepContext, name, crms.secretKey);
  }

  /** Not before everything that the log holds is accounted for. */
  private async prune(): Promise<void> {
    const { prune: retention, dryRun, recordedOptions } = this.options;
    if (retention === undefined || !this.isAccounted(this.status())) return;
    const pruned = await prune(this.stepContext, {
      ...retention,
      keepAlerts: true,
      apply: !dryRun,
      vacuum: false,
      batchSize: PRUNED_TOGETHER,
      recordedOptions: asStep(recordedOptions),
    });
    this.pruned = { prune: pruned };
  }

  private async report(run: Run): Promise<void> {
    // The report must already know whether this run makes up for a dead one.
    if (!this.options.dryRun && this.isAccounted(this.status()))
      await run.checkpoint(this.ctx.store.sql, null, { [ACCOUNTED]: true });
    const { historyMinutes, silentHours, timeZone } = this.options;
    const result = await report(this.stepContext, {
      days: REPORT_DAYS,
      timeZone,
      runs: REPORT_RUNS,
      historyMinutes,
      audit: false,
      duplicates: duplicatesLeft(this.steps),
      ...(this.verified === null ? {} : { verified: this.verified }),
      silentHours,
    });
    this.steps = { ...this.steps, report: result };
  }

  private status(): ReconcileResult['status'] {
    const { replay: replayed, dedupe: merged, copies, verify: verified } = this.steps;
    const ended = [replayed?.status, merged?.status, copies?.status, verified?.status];
    if (ended.includes('failed')) return 'failed';
    if (this.ctx.signal.aborted || ended.includes('interrupted')) return 'interrupted';
    return ended.includes('partial') ? 'partial' : 'completed';
  }

  /** Whether everything compared matches the log: differences must be compared and reported again. */
  private isAccounted(status: ReconcileResult['status']): boolean {
    const rawLog = this.steps.verify?.checks.find(({ check }) => check === 'raw_log');
    return (status === 'completed' || status === 'partial') && rawLog?.unaccounted === 0;
  }

  private async remember(status: ReconcileResult['status']): Promise<void> {
    const proof = this.verified?.proof ?? null;
    if (proof === null || !this.isAccounted(status)) return;
    await this.ctx.store.transaction((tx) => replaceProvenBlocks(tx, proof.blocks));
  }

  private figures(): ReconcileFigures {
    const figures = { ...figuresOf(this.steps), corrected: this.corrected };
    return this.created === null ? figures : { ...figures, created: this.created };
  }

  /** How the run is recorded. */
  end(status: ReconcileResult['status'], thrown?: string): RunEnd {
    const { steps, options } = this;
    const error = thrown ?? steps.replay?.error;
    const figures = this.figures();
    const counters: JsonObject = {
      ...figures,
      ...(this.isAccounted(status)
        ? { [ACCOUNTED]: true, watermark: instant(this.mark), through: this.verified?.proof?.through ?? null }
        : {}),
    };
    const pending = steps.replay?.entries.pending ?? 0;
    const rawLog = steps.verify?.checks.find(({ check }) => check === 'raw_log');
    const toRestore = rawLog?.restorable ?? 0;
    const taken = steps.replay?.ownNumberRemoved;
    const removed =
      taken === undefined ? null : ownNumberWords(taken, options.dryRun ? 'would be removed' : 'removed');
    const details = { pending, toRestore, removed, dryRun: options.dryRun, error };
    const verdict = verdictOf(status, figures, details);
    return { status, counters, verdict, error: error ?? null };
  }

  private result(run: Run, status: ReconcileResult['status'], verdict: string): ReconcileResult {
    const { ctx, options, steps, last, proven } = this;
    const finishedAt = ctx.clock();
    const isPartial = this.verified?.proof?.unproven.kind === 'new';
    const error = steps.replay?.error;
    return {
      schemaVersion: 1,
      command: 'reconcile',
      runId: options.dryRun ? null : run.id,
      status,
      dryRun: options.dryRun,
      verdict,
      figures: this.figures(),
      since: proven === null || !isPartial ? null : instant(proven.since),
      caughtUp:
        last.unfinished === null
          ? null
          : { ...last.unfinished, startedAt: instant(last.unfinished.startedAt) },
      ...(this.heldBack === undefined ? {} : { heldBack: this.heldBack }),
      startedAt: instant(run.startedAt),
      finishedAt: instant(finishedAt),
      durationMs: finishedAt - run.startedAt,
      ...steps,
      ...this.pruned,
      database: ctx.store.location,
      ...(error === undefined ? {} : { error }),
    };
  }
}

/** Marks a step's own run as a step: the command to repeat is the reconcile. */
function asStep(options: ReconcileOptions['recordedOptions']): ReconcileOptions['recordedOptions'] {
  return { ...options, [WITHIN]: 'reconcile' };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Throws ConfigError (`no_connections`) if there is nothing to reconcile: a green verdict on a database without a
 * connection would hide that it is the wrong one. With `register`, stored entries may still create some.
 */
async function assertConnections({ store }: Context, register: boolean): Promise<void> {
  if ((await readConnections(store.sql)).length > 0) return;
  if (register && (await hasStoredEntries(store.sql))) return;
  throw new ConfigError(`There is no connection in ${store.location}, so there is nothing to reconcile.`, {
    code: 'no_connections',
    remedy: [
      'If that is not the database you mean: set DATABASE_URL, or give --home DIR or --database-url-file FILE.',
      remedy('replay', ['LOG', '--register'], 'imports a log, and creates the connections that it names'),
      remedy('connection add', [], 'adds a connection'),
    ],
    inProgram:
      'If that is not the database you mean: give createContext another databaseUrl or home. addConnection adds a connection; replay with register creates those that a log names.',
  });
}
