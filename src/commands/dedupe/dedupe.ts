import { prepareLook, inSnapshot } from '../../store/transactions.js';
import { countMessagesByConnection } from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, type ConnectionRow } from '../../store/tables/connections.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import { Account } from './account.js';
import type { PlanView } from './duplicate-work.js';
import { mergeAll } from './merge-all.js';
import type { DedupeOptions } from './options.js';
import { DUPLICATE_CLASSES, type DedupeResult } from './result.js';
import { assertFewEnough } from './too-many.js';
import { DUPLICATE_WORKS } from './works.js';

/**
 * Finds doubles and, with `apply`, merges them: in batches of `batchSize` rows and one transaction each, every change in the
 * journal first. Counts before it changes anything, and throws `TooManyDuplicates` (exit 2) if more than 5 % of a connection's
 * messages would go, unless `force` says that they may. Stopped or killed at any moment, it is gone on with by the next run
 * of the same kind. Throws ConfigError for an unknown connection.
 */
export async function dedupe(ctx: Context, options: DedupeOptions): Promise<DedupeResult> {
  const startedAt = ctx.clock();
  const connectionId =
    options.connection === undefined ? null : (await findConnection(ctx, options.connection)).id;
  const plan = await inSnapshot(ctx.store, (sql) => planAll(ctx, sql, options, connectionId));
  const describe = (account: Account): Pick<DedupeResult, 'connections'> => ({
    connections: sharesOf(plan.connections, connectionId, plan.messages, account),
  });
  const planned = describe(plan.account);
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
      ...plan.account.result(),
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
    ...describe(merged.account),
    ...merged.account.result(),
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
  account: Account;
}

/** Counts every class on one moment of the database. */
async function planAll(
  ctx: Context,
  sql: Sql,
  { classes }: DedupeOptions,
  connectionId: string | null,
): Promise<Plan> {
  const connections = await readConnections(sql);
  const messages = await countMessagesByConnection(sql);
  await prepareLook(sql);
  const view: PlanView = {
    sql,
    connections,
    connectionId,
    signal: ctx.signal,
    account: new Account(
      DUPLICATE_CLASSES.filter((name) => classes.has(name)),
      new Map(connections.map(({ id, name }) => [id, name])),
    ),
    joined: new Map(),
  };
  for (const work of DUPLICATE_WORKS) {
    if (classes.has(work.name) && !ctx.signal.aborted) await work.plan(view);
  }
  return { connections, messages, account: view.account };
}

function sharesOf(
  connections: readonly ConnectionRow[],
  only: string | null,
  messages: ReadonlyMap<string, number>,
  account: Account,
): DedupeResult['connections'] {
  return connections
    .filter(({ id }) => only === null || id === only)
    .map(({ id, name }) => {
      const all = messages.get(id) ?? 0;
      const doubled = account.doubledOn(id);
      return { name, messages: all, doubled, share: all === 0 ? 0 : doubled / all };
    });
}
