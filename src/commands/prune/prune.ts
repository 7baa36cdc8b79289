import type { Context } from '../../context.js';
import { withRun, workOf, type Run, type RunEnd } from '../../ingest/runs/with-run.js';
import { amount, bytes } from '../../model/amount.js';
import { PRUNE_CLASSES } from '../../model/enumerations.js';
import { FIRST_TIME } from '../../model/moment.js';
import { readDecidingEntries } from '../../rawlog/account-events.js';
import {
  groupPrunable,
  pruneBodies,
  readPrunable,
  type PruneGroup,
  type PruneSelection,
} from '../../store/tables/prunable.js';
import {
  findEntriesConcerning,
  holdMessages,
  readContents,
  readContentsOfHeld,
  readMessagesNaming,
  readPrunableMessages,
  type PrunableEntry,
} from '../../store/tables/prunable-messages.js';
import type { Sql } from '../../store/sql.js';
import { inSnapshot, prepareBatch } from '../../store/transactions.js';
import { vacuumFully } from '../../store/vacuum.js';
import { Doubts } from './doubts.js';
import { Marks } from './marks.js';
import type { PruneOptions, PruneResult } from './types.js';

/** Entries that are compared together, and whose messages are counted together: each of the two reads the messages through once. */
const TOGETHER = 250_000;
const NAMED = 5;
const RETRIES = 5;

/** Messages that one transaction keeps as they are, while it empties their entries; more if one entry has more. */
const HELD_TOGETHER = 50_000;

/**
 * Retention: empties the bodies of old raw entries. Without `apply` it only says which. An entry keeps its hash, counters and records, so
 * that a redelivery is still recognized, and only one whose items are all in the database as they should be (V1) loses its body: nothing
 * that a replay could restore is lost. One transaction per batch, journaled; a run that was stopped or killed is taken up by the next.
 */
export async function prune(
  ctx: Context,
  options: PruneOptions,
  together: number = TOGETHER,
): Promise<PruneResult> {
  const startedAt = ctx.clock();
  const classes = PRUNE_CLASSES.filter((name) => options.classes.has(name));
  const { selection, candidates } = await inSnapshot(ctx.store, async (sql) => {
    const deciding = options.keepAlerts ? null : await readDecidingEntries(sql);
    // Nothing is older than the first time that a row can have.
    const before = Math.max(startedAt - options.olderThan, FIRST_TIME);
    const chosen: PruneSelection = { before, classes, deciding };
    return { selection: chosen, candidates: await groupPrunable(sql, chosen) };
  });
  const work = new Pruning(ctx, selection, { batch: options.batchSize, together }, candidates);
  let runId: string | null = null;
  if (candidates.length > 0 && !ctx.signal.aborted) {
    if (options.apply) {
      const spec = {
        command: 'prune',
        options: options.recordedOptions,
        startedAt,
        work: workOf('prune', { classes: classes.length === PRUNE_CLASSES.length ? null : classes }),
        failed: (message: string) => work.end('failed', message),
      };
      runId = await withRun(ctx, spec, async (run) => {
        await work.run(run);
        return { result: run.id, end: work.end(work.status()) };
      });
    } else await work.plan();
  }
  const isDue = options.apply && options.vacuum && !ctx.signal.aborted;
  const vacuumed = isDue && (await vacuumFully(ctx.store.sql, ['webhook_log']));
  const finishedAt = ctx.clock();
  const { groups } = work;
  return {
    schemaVersion: 1,
    command: 'prune',
    runId,
    status: work.status(),
    applied: runId !== null,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - startedAt,
    before: new Date(selection.before).toISOString(),
    classes,
    groups,
    entries: {
      planned: sumOf(groups, ({ entries }) => entries),
      pruned: work.pruned,
      kept: work.kept.length + work.keptMore,
    },
    bytes: runId === null ? sumOf(groups, (group) => group.bytes) : work.bytes,
    kept: work.kept.map((id) => `log:${id}`),
    vacuumed,
    database: ctx.store.location,
  };
}

class Pruning {
  pruned = 0;
  bytes = 0;
  /** The first few entries that keep their bodies, and how many more. */
  readonly kept: string[] = [];
  keptMore = 0;
  private readonly marks = new Marks();

  constructor(
    private readonly ctx: Context,
    private readonly selection: PruneSelection,
    private readonly sizes: { batch: number; together: number },
    /** What loses its bodies, or would. */
    public groups: PruneGroup[],
  ) {}

  async run(run: Run): Promise<void> {
    const doubtful = await this.look();
    if (doubtful === null) return;
    for await (const { entries, changed } of this.blocks((sql, ids) => this.lookAgain(sql, ids))) {
      for (const id of changed) doubtful.add(id);
      for (const batch of this.batchesOf(entries)) {
        if (this.ctx.signal.aborted) return;
        for (const { id } of batch.filter((entry) => doubtful.has(entry.id))) this.keep(id);
        const sure = batch.filter((entry) => !doubtful.has(entry.id));
        const kept = await this.empty(run, sure);
        for (const { id } of sure.filter((entry) => kept.has(entry.id))) this.keep(id);
        for (const id of kept) doubtful.add(id);
        const { bytes: bytesRead, pruned } = this;
        const bytesTotal = sumOf(this.groups, (group) => group.bytes);
        this.ctx.emit({ event: 'progress', bytesRead, bytesTotal, entries: pruned, messages: 0 });
      }
    }
  }

  /** What `run` would do. */
  async plan(): Promise<void> {
    const doubtful = await this.look();
    if (doubtful === null || doubtful.size === 0) return;
    for await (const ids of this.blocks((_, ids) => Promise.resolve(ids)))
      for (const id of ids) if (doubtful.has(id)) this.keep(id);
  }

  /**
   * Compares everything first: what is emptied can no longer tell what another entry leaves open. Gives the entries that keep their
   * bodies; null if it was interrupted.
   */
  private async look(): Promise<Set<string> | null> {
    const { ctx } = this;
    const doubts = new Doubts(this.selection, ctx.signal);
    const compared = this.blocks(
      async (sql, ids) => {
        this.marks.add(await readContents(sql, ids));
        await doubts.compare(sql, ids);
      },
      { findsMessages: true },
    );
    while ((await compared.next()).done !== true) if (ctx.signal.aborted) return null;
    return inSnapshot(ctx.store, async (sql) => {
      const kept = await doubts.settle(sql);
      this.groups = await groupPrunable(sql, this.selection, [...kept]);
      return kept;
    });
  }

  /** The entries with their messages, and those in whose another program has changed something since, with what is about the same people. */
  private async lookAgain(
    sql: Sql,
    ids: readonly string[],
  ): Promise<{ entries: PrunableEntry[]; changed: ReadonlySet<string> }> {
    const entries = await readPrunableMessages(sql, ids);
    const changed = await this.marks.changedIn(
      entries,
      (entry) => entry,
      (written) =>
        readContents(
          sql,
          written.map(({ id }) => id),
        ),
    );
    return { entries, changed: await concerning(sql, changed) };
  }

  /** The entries in batches of the chosen size, of which the messages are not too many. */
  private *batchesOf(entries: readonly PrunableEntry[]): Generator<PrunableEntry[], void, undefined> {
    let batch: PrunableEntry[] = [];
    let messages = 0;
    for (const entry of entries) {
      const isFull = batch.length >= this.sizes.batch || messages + entry.messages > HELD_TOGETHER;
      if (isFull && batch.length > 0) {
        yield batch;
        batch = [];
        messages = 0;
      }
      batch.push(entry);
      messages += entry.messages;
    }
    if (batch.length > 0) yield batch;
  }

  /** What a look at the entries gives, block by block, each in a snapshot of its own. */
  private async *blocks<T>(
    look: (sql: Sql, ids: readonly string[]) => Promise<T>,
    snapshot: { findsMessages?: boolean } = {},
  ): AsyncGenerator<T, void, undefined> {
    const { ctx, selection, sizes } = this;
    for (let after: string | null = null; ;) {
      const seen: { last: string; result: T } | null = await inSnapshot(
        ctx.store,
        async (sql) => {
          const ids = await readPrunable(sql, selection, after, sizes.together);
          const last = ids.at(-1);
          return last === undefined ? null : { last, result: await look(sql, ids) };
        },
        snapshot,
      );
      if (seen === null) return;
      after = seen.last;
      yield seen.result;
    }
  }

  status(): PruneResult['status'] {
    if (this.ctx.signal.aborted) return 'interrupted';
    return this.kept.length > 0 ? 'partial' : 'completed';
  }

  end(status: RunEnd['status'], error: string | null = null): RunEnd {
    const kept = this.kept.length + this.keptMore;
    const rest =
      kept === 0
        ? ''
        : `, kept ${amount(kept, 'entry', 'entries')} that a repair may need or whose messages changed`;
    return {
      status,
      counters: this.counters(),
      verdict: `Pruned ${amount(this.pruned, 'raw body', 'raw bodies')} (${bytes(this.bytes)})${rest}`,
      error,
    };
  }

  /**
   * Empties entries whose messages are as they were compared, and keeps these so until that is committed. Gives those that keep their
   * bodies, because another program has changed a message or is about to, with what else is about the same people.
   */
  private async empty(run: Run, entries: readonly PrunableEntry[]): Promise<ReadonlySet<string>> {
    const { store } = this.ctx;
    const done = await store.transaction(
      async (tx) => {
        await prepareBatch(tx, store.backend);
        const held = await holdMessages(tx, entries);
        const changed = await this.marks.changedIn(
          entries,
          ({ id }) => held.get(id),
          (written) => readContentsOfHeld(tx, written),
        );
        const kept = await concerning(tx, changed);
        const due = entries.filter(({ id }) => !kept.has(id));
        const pruned = await pruneBodies(tx, run.id, due);
        const total = { entries: this.pruned + pruned.entries, bytes: this.bytes + pruned.bytes };
        const more = entries.length - due.length;
        await run.checkpoint(tx, null, { ...this.counters(), ...total, kept: this.counters().kept + more });
        return { ...total, kept };
      },
      { retries: RETRIES },
    );
    this.pruned = done.entries;
    this.bytes = done.bytes;
    return done.kept;
  }

  private counters(): { entries: number; bytes: number; kept: number } {
    return { entries: this.pruned, bytes: this.bytes, kept: this.kept.length + this.keptMore };
  }

  private keep(id: string): void {
    if (this.kept.length < NAMED) this.kept.push(id);
    else this.keptMore += 1;
  }
}

/** These entries, and all that name the same people, or those to whom their messages belong now. */
async function concerning(sql: Sql, ids: ReadonlySet<string>): Promise<Set<string>> {
  if (ids.size === 0) return new Set();
  const entryIds = [...ids];
  const messageIds = await readMessagesNaming(sql, entryIds);
  return new Set([...ids, ...(await findEntriesConcerning(sql, { entryIds, messageIds }))]);
}

function sumOf(groups: readonly PruneGroup[], of: (group: PruneGroup) => number): number {
  return groups.reduce((sum, group) => sum + of(group), 0);
}
