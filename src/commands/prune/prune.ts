import { auditLog } from '../../audit/audit-log.js';
import type { Context } from '../../context.js';
import { withRun, workOf, type Run, type RunEnd } from '../../ingest/runs/with-run.js';
import { amount, bytes } from '../../model/amount.js';
import { PRUNE_CLASSES } from '../../model/enumerations.js';
import { readDecidingEntries } from '../../rawlog/account-events.js';
import { readConnections } from '../../store/tables/connections.js';
import {
  countMessages,
  findEntriesOfSamePeople,
  groupPrunable,
  pruneBodies,
  readPrunable,
  vacuumRawLog,
  type PrunableEntry,
  type PruneGroup,
  type PruneSelection,
} from '../../store/tables/prunable.js';
import type { Sql } from '../../store/sql.js';
import { inSnapshot, prepareBatch } from '../../store/transactions.js';
import type { PruneOptions, PruneResult } from './types.js';

/** Entries that are compared together, and whose messages are counted together: each of the two reads the messages through once. */
const TOGETHER = 250_000;
const NAMED = 5;
const RETRIES = 5;

/**
 * Retention: empties the bodies of old raw entries. Without `apply` it only counts them. An entry keeps its hash, counters and records, so
 * that a redelivery is still recognised, and only one whose items are all in the database as they should be (V1) loses its body: nothing
 * that a replay could restore is lost. One transaction per batch, journaled; a run that was stopped or killed is taken up by the next.
 */
export async function prune(
  ctx: Context,
  options: PruneOptions,
  together: number = TOGETHER,
): Promise<PruneResult> {
  const startedAt = ctx.clock();
  const classes = PRUNE_CLASSES.filter((name) => options.classes.has(name));
  const { selection, groups } = await inSnapshot(ctx.store, async (sql) => {
    const deciding = options.keepAlerts ? null : await readDecidingEntries(sql);
    const chosen: PruneSelection = { before: startedAt - options.olderThan, classes, deciding };
    return { selection: chosen, groups: await groupPrunable(sql, chosen) };
  });
  const planned = sumOf(groups, ({ entries }) => entries);
  const plannedBytes = sumOf(groups, (group) => group.bytes);
  const work = new Pruning(ctx, selection, { batch: options.batchSize, together }, plannedBytes);
  const runId =
    options.apply && planned > 0 && !ctx.signal.aborted
      ? await withRun(
          ctx,
          {
            command: 'prune',
            options: options.recordedOptions,
            startedAt,
            work: workOf('prune', { classes: classes.length === PRUNE_CLASSES.length ? null : classes }),
            failed: (message) => work.end('failed', message),
          },
          async (run) => {
            await work.run(run);
            return { result: run.id, end: work.end(work.status()) };
          },
        )
      : null;
  const vacuumed = options.apply && options.vacuum && !ctx.signal.aborted;
  if (vacuumed) await vacuumRawLog(ctx.store.sql);
  const finishedAt = ctx.clock();
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
    entries: { planned, pruned: work.pruned, kept: work.kept.length + work.keptMore },
    bytes: runId === null ? plannedBytes : work.bytes,
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

  constructor(
    private readonly ctx: Context,
    private readonly selection: PruneSelection,
    private readonly sizes: { batch: number; together: number },
    private readonly plannedBytes: number,
  ) {}

  /** Compares everything first: what is emptied can no longer tell what another entry leaves open. */
  async run(run: Run): Promise<void> {
    const { ctx, sizes } = this;
    const doubtful = new Set<string>();
    const compared = this.blocks((sql, ids) => this.compare(sql, ids, doubtful), { findsMessages: true });
    for await (const isDone of compared) if (!isDone) return;
    // What an edit says of a message is judged by the message's own entry, and the other way round: they go together.
    const kept = await findEntriesOfSamePeople(ctx.store.sql, [...doubtful]);
    const isKept = ({ id }: PrunableEntry): boolean => doubtful.has(id) || kept.has(id);
    for await (const entries of this.blocks(countMessages)) {
      for (let at = 0; at < entries.length; at += sizes.batch) {
        if (ctx.signal.aborted) return;
        const batch = entries.slice(at, at + sizes.batch);
        for (const { id } of batch.filter(isKept)) this.keep(id);
        await this.empty(
          run,
          batch.filter((entry) => !isKept(entry)),
        );
        const { bytes: bytesRead, plannedBytes: bytesTotal, pruned } = this;
        ctx.emit({ event: 'progress', bytesRead, bytesTotal, entries: pruned, messages: 0 });
      }
    }
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
      kept === 0 ? '' : `, kept ${amount(kept, 'entry', 'entries')} with something that the database lacks`;
    return {
      status,
      counters: this.counters(),
      verdict: `Pruned ${amount(this.pruned, 'raw body', 'raw bodies')} (${bytes(this.bytes)})${rest}`,
      error,
    };
  }

  /** Finds entries with an item that is not in the database as it should be, and those that a row names wrongly. False if interrupted. */
  private async compare(sql: Sql, ids: readonly string[], doubtful: Set<string>): Promise<boolean> {
    const { signal } = this.ctx;
    await auditLog({
      sql,
      connections: await readConnections(sql),
      restricted: false,
      since: null,
      touchedSince: null,
      ids,
      signal,
      affected: (id) => doubtful.add(id),
      item: ({ entryId, outcome, subject }) => {
        if (entryId !== undefined) doubtful.add(entryId);
        if (outcome.startsWith('entry_')) doubtful.add(subject.replace(/^log:/, ''));
      },
    });
    return !signal.aborted;
  }

  private async empty(run: Run, entries: readonly PrunableEntry[]): Promise<void> {
    const { store } = this.ctx;
    const done = await store.transaction(
      async (tx) => {
        await prepareBatch(tx, store.backend);
        const pruned = await pruneBodies(tx, run.id, entries);
        const total = { entries: this.pruned + pruned.entries, bytes: this.bytes + pruned.bytes };
        await run.checkpoint(tx, null, { ...this.counters(), ...total });
        return total;
      },
      { retries: RETRIES },
    );
    this.pruned = done.entries;
    this.bytes = done.bytes;
  }

  private counters(): { entries: number; bytes: number; kept: number } {
    return { entries: this.pruned, bytes: this.bytes, kept: this.kept.length + this.keptMore };
  }

  private keep(id: string): void {
    if (this.kept.length < NAMED) this.kept.push(id);
    else this.keptMore += 1;
  }
}

function sumOf(groups: readonly PruneGroup[], of: (group: PruneGroup) => number): number {
  return groups.reduce((sum, group) => sum + of(group), 0);
}
