import type { JsonObject } from '../../model/json.js';
import type { Scope } from '../../store/checks/scope.js';
import { finishRun, insertRun } from '../../store/runs.js';
import type { Context } from '../context.js';
import { amount } from '../amount.js';
import { enforceKeys } from './enforce-keys.js';
import { mendDerived } from './mend.js';
import type { CheckName, EnforcedIndex, Recomputed } from './result.js';

/** What `--enforce` did. */
export interface Enforced {
  indexes: EnforcedIndex[];
  recomputed: Recomputed;
}

/**
 * Makes the unique indexes that are missing, whatever is narrowed; then mends derived values, as far as the scope and the
 * checks reach. Recorded in sync_runs as `runId`. The caller holds the exclusive lock; other programs may write meanwhile.
 * Stops soon after `ctx.signal` is aborted.
 */
export async function enforce(
  ctx: Context,
  runId: string,
  options: { scope: Scope; checks: ReadonlySet<CheckName>; recordedOptions: JsonObject },
): Promise<Enforced> {
  const { host, pid } = ctx;
  await insertRun(ctx.store.sql, {
    id: runId,
    command: 'verify',
    options: options.recordedOptions,
    host,
    pid,
    startedAt: ctx.clock(),
    resumed: null,
  });
  const done: Enforced = { indexes: [], recomputed: { conversations: 0, leads: 0, tickets: 0 } };
  try {
    await enforceKeys(ctx, done.indexes);
    await mendDerived(ctx, { runId, ...options }, done.recomputed);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await finish(ctx, runId, done, message).catch(() => undefined);
    throw error;
  }
  await finish(ctx, runId, done);
  return done;
}

async function finish(
  ctx: Context,
  runId: string,
  { indexes, recomputed }: Enforced,
  error?: string,
): Promise<void> {
  const count = (outcome: EnforcedIndex['outcome']): number =>
    indexes.filter((enforced) => enforced.outcome === outcome).length;
  const counters = {
    present: count('present'),
    created: count('created'),
    recreated: count('recreated'),
    blocked: count('blocked'),
  };
  const stopped = ctx.signal.aborted ? 'interrupted' : counters.blocked > 0 ? 'partial' : 'completed';
  await finishRun(ctx.store.sql, {
    id: runId,
    status: error === undefined ? stopped : 'failed',
    counters: { ...counters, recomputed: { ...recomputed } },
    verdict: [verdictOf(counters), ...mendedWords(recomputed)].join('; '),
    completedAt: ctx.clock(),
    error: error ?? null,
    clearCheckpoint: true,
  });
}

function verdictOf({
  created,
  recreated,
  blocked,
}: {
  created: number;
  recreated: number;
  blocked: number;
}): string {
  const made = created + recreated;
  const indexes = (count: number): string => amount(count, 'unique index', 'unique indexes');
  if (blocked > 0) return `${indexes(made)} made, ${indexes(blocked)} blocked`;
  return made === 0 ? 'Every unique index was present' : `${indexes(made)} made`;
}

function mendedWords({ conversations, leads, tickets }: Recomputed): string[] {
  if (conversations + leads + tickets === 0) return [];
  const counts = [amount(conversations, 'conversation'), amount(leads, 'lead'), amount(tickets, 'ticket')];
  return [`recomputed ${counts.join(', ')}`];
}
