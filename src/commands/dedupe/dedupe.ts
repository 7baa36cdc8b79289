import { prepareLook, inSnapshot } from '../../store/transactions.js';
import { countMessagesByConnection } from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, type ConnectionRow } from '../../store/tables/connections.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import type { PlanView } from './batches.js';
import { Tally } from './tally.js';
import { mergeAll } from './merge-all.js';
import {
  DUPLICATE_CLASSES,
  isTooLarge,
  LARGEST_SHARE,
  type DedupeOptions,
  type DedupeResult,
} from './result.js';
import { DEDUPE_CLASSES } from './classes.js';
import { amount, count } from '../../model/amount.js';
import { ConfigError } from '../../model/errors.js';

/**
 * Finds duplicates and, with `apply`, merges them: in batches of `batchSize` rows and one transaction each, every
 * change in the journal first. Counts before it changes anything, and throws `TooManyDuplicates` (exit 2) if it would
 * delete more than 5 % of a connection's messages, unless `force` is set. If it is stopped or killed, the next run with
 * the same settings resumes it. Throws ConfigError for an unknown connection.
 */
export async function dedupe(ctx: Context, options: DedupeOptions): Promise<DedupeResult> {
  const startedAt = ctx.clock();
  const connectionId =
    options.connection === undefined ? null : (await findConnection(ctx, options.connection)).id;
  const plan = await inSnapshot(ctx.store, (sql) => planAll(ctx, sql, options, connectionId));
  const describe = (tally: Tally): Pick<DedupeResult, 'connections'> => ({
    connections: sharesOf(plan.connections, connectionId, plan.messages, tally),
  });
  const planned = describe(plan.tally);
  const base = {
    schemaVersion: 1,
    command: 'dedupe',
    startedAt: new Date(startedAt).toISOString(),
    database: ctx.store.location,
  } as const;
  if (!options.apply || ctx.signal.aborted) {
    return {
      ...base,
      ...planned,
      ...plan.tally.result(),
      ...finish(ctx, startedAt),
      runId: null,
      applied: false,
      status: ctx.signal.aborted ? 'interrupted' : 'completed',
    };
  }
  if (!options.force) assertFewEnough(planned.connections);
  const merged = await mergeAll(ctx, options, { connections: plan.connections, connectionId, startedAt });
  return {
    ...base,
    ...describe(merged.tally),
    ...merged.tally.result(),
    ...finish(ctx, startedAt),
    runId: merged.runId,
    applied: true,
    status: merged.status,
    ...(merged.resumedFrom === null ? {} : { resumedFrom: { runId: merged.resumedFrom } }),
  };
}

function finish(ctx: Context, startedAt: number): Pick<DedupeResult, 'finishedAt' | 'durationMs'> {
  const finishedAt = ctx.clock();
  return { finishedAt: new Date(finishedAt).toISOString(), durationMs: finishedAt - startedAt };
}

interface Plan {
  connections: ConnectionRow[];
  /** Messages per connection. */
  messages: ReadonlyMap<string, number>;
  tally: Tally;
}

/** Counts every class in one snapshot of the database. */
async function planAll(
  ctx: Context,
  sql: Sql,
  { classes, loggedOnly = false }: DedupeOptions,
  connectionId: string | null,
): Promise<Plan> {
  const connections = await readConnections(sql);
  const messages = await countMessagesByConnection(sql);
  await prepareLook(sql);
  const view: PlanView = {
    sql,
    connections,
    connectionId,
    loggedOnly,
    signal: ctx.signal,
    tally: new Tally(
      DUPLICATE_CLASSES.filter((name) => classes.has(name)),
      new Map(connections.map(({ id, name }) => [id, name])),
    ),
    joined: new Map(),
  };
  for (const one of DEDUPE_CLASSES) {
    if (classes.has(one.name) && !ctx.signal.aborted) await one.plan(view);
  }
  return { connections, messages, tally: view.tally };
}

/**
 * Whether {@link dedupe} refuses to delete these rows, by connection, without `force`: a share of a connection's messages above
 * {@link LARGEST_SHARE}.
 */
export async function areTooMany(sql: Sql, doubled: ReadonlyMap<string, number>): Promise<boolean> {
  if (doubled.size === 0) return false;
  const messages = await countMessagesByConnection(sql);
  return [...doubled].some(([id, rows]) => isTooLarge(shareOf(rows, messages.get(id) ?? 0)));
}

function shareOf(doubled: number, messages: number): number {
  return messages === 0 ? 0 : doubled / messages;
}

function sharesOf(
  connections: readonly ConnectionRow[],
  only: string | null,
  messages: ReadonlyMap<string, number>,
  tally: Tally,
): DedupeResult['connections'] {
  return connections
    .filter(({ id }) => only === null || id === only)
    .map(({ id, name }) => {
      const all = messages.get(id) ?? 0;
      const doubled = tally.deletedOn(id);
      return { name, messages: all, doubled, share: shareOf(doubled, all) };
    });
}

/** Refuses to delete this many messages until a person confirms it. Nothing has changed yet. */
class TooManyDuplicates extends ConfigError {
  /** Messages to delete, of all connections. */
  readonly rows: number;

  constructor(readonly connections: DedupeResult['connections']) {
    const figures = connections
      .slice(0, SHOWN)
      .map(
        ({ name, doubled, messages, share }) =>
          `${count(doubled)} of ${amount(messages, 'message')} of '${name}' (${(share * 100).toFixed(1)} %)`,
      );
    const more = connections.length - figures.length;
    super(
      `${figures.join(', ')}${more > 0 ? ` and ${amount(more, 'more connection')}` : ''} would be deleted: more than ${LARGEST_SHARE * 100} %. Nothing was changed.`,
      {
        code: 'too_many_duplicates',
        remedy: 'Check the plan (dedupe without --apply). If it is right, add --force.',
        inProgram: 'Check the plan (dedupe without apply). If it is right, call it with force.',
      },
    );
    this.rows = connections.reduce((sum, { doubled }) => sum + doubled, 0);
  }
}

const SHOWN = 3;

/** Throws {@link TooManyDuplicates} when a connection would lose more than {@link LARGEST_SHARE} of its messages. */
function assertFewEnough(connections: DedupeResult['connections']): void {
  const emptied = connections.filter(({ share }) => isTooLarge(share));
  if (emptied.length > 0) throw new TooManyDuplicates(emptied);
}
