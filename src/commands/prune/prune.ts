import { createHash } from 'node:crypto';
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

/** So many entries of a block share a mark: one number each would be too many to hold until the last block is compared. */
const MARKED_TOGETHER = 1_000;

/**
 * Retention: empties the bodies of old raw entries. Without `apply` it only says which. An entry keeps its hash, counters and records, so
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
  const { selection, candidates } = await inSnapshot(ctx.store, async (sql) => {
    const deciding = options.keepAlerts ? null : await readDecidingEntries(sql);
    const chosen: PruneSelection = { before: startedAt - options.olderThan, classes, deciding };
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
  const vacuumed = options.apply && options.vacuum && !ctx.signal.aborted;
  if (vacuumed) await vacuumRawLog(ctx.store.sql);
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

/** What the messages of consecutive entries were when the entries were compared, up to the entry `last`. */
interface Mark {
  last: string;
  of: string;
}

class Pruning {
  pruned = 0;
  bytes = 0;
  /** The first few entries that keep their bodies, and how many more. */
  readonly kept: string[] = [];
  keptMore = 0;
  private readonly marks: Mark[] = [];

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
    for await (const entries of this.blocks(countMessages)) {
      const changed = this.changedIn(entries);
      const isKept = ({ id }: PrunableEntry): boolean => doubtful.has(id) || changed.has(id);
      for (let at = 0; at < entries.length; at += this.sizes.batch) {
        if (this.ctx.signal.aborted) return;
        const batch = entries.slice(at, at + this.sizes.batch);
        for (const { id } of batch.filter(isKept)) this.keep(id);
        await this.empty(
          run,
          batch.filter((entry) => !isKept(entry)),
        );
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
  private async look(): Promise<ReadonlySet<string> | null> {
    const { ctx } = this;
    const doubtful = new Set<string>();
    const compared = this.blocks(
      async (sql, ids) => {
        this.mark(await countMessages(sql, ids));
        return this.compare(sql, ids, doubtful);
      },
      { findsMessages: true },
    );
    for await (const isDone of compared) if (!isDone) return null;
    // What an edit says of a message is judged by the message's own entry, and the other way round: they go together.
    const kept = new Set([...doubtful, ...(await findEntriesOfSamePeople(ctx.store.sql, [...doubtful]))]);
    this.groups = await inSnapshot(ctx.store, (sql) => groupPrunable(sql, this.selection, [...kept]));
    return kept;
  }

  private mark(entries: readonly PrunableEntry[]): void {
    for (let at = 0; at < entries.length; at += MARKED_TOGETHER) {
      const marked = entries.slice(at, at + MARKED_TOGETHER);
      const last = marked.at(-1)?.id;
      if (last !== undefined) this.marks.push({ last, of: markOf(marked) });
    }
  }

  /** The entries of marks whose messages another program has written since they were compared; the next run compares them anew. */
  private changedIn(entries: readonly PrunableEntry[]): ReadonlySet<string> {
    const changed = new Set<string>();
    for (let at = 0; at < entries.length;) {
      const first = entries[at]?.id ?? '';
      const mark = this.marks.find(({ last }) => last >= first);
      const until =
        mark === undefined ? -1 : entries.findIndex(({ id }, place) => place > at && id > mark.last);
      const marked = entries.slice(at, until === -1 ? undefined : until);
      if (mark === undefined || markOf(marked) !== mark.of) for (const { id } of marked) changed.add(id);
      at += marked.length;
    }
    return changed;
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

/** Another one if an entry, or a message of one, is not what it was. */
function markOf(entries: readonly PrunableEntry[]): string {
  let [messages, versions] = [0, 0n];
  const digest = createHash('sha256');
  for (const entry of entries) {
    digest.update(entry.id);
    messages += entry.messages;
    versions += entry.versions;
  }
  return `${digest.digest('base64')} ${messages} ${versions}`;
}

function sumOf(groups: readonly PruneGroup[], of: (group: PruneGroup) => number): number {
  return groups.reduce((sum, group) => sum + of(group), 0);
}
