import type { JsonObject } from '../../model/json.js';
import type { Scope } from '../../store/checks/scope.js';
import type { Context } from '../../context.js';
import { amount } from '../../model/amount.js';
import { withRun, type RunEnd, workOf } from '../../ingest/runs/with-run.js';
import { enforceKeys } from './enforce-keys.js';
import { mendDerived } from './mend.js';
import { CHECK_NAMES, type CheckName, type EnforcedIndex, type Recomputed } from './result.js';

/** What `--enforce` did. */
export interface Enforced {
  runId: string;
  indexes: EnforcedIndex[];
  recomputed: Recomputed;
}

/**
 * Makes the unique indexes that are missing, whatever is narrowed; then mends derived values, as far as the scope and the
 * checks reach. Recorded as a run. The caller holds the exclusive lock; other programs may write meanwhile. Stops soon after
 * `ctx.signal` is aborted.
 */
export async function enforce(
  ctx: Context,
  options: { scope: Scope; checks: ReadonlySet<CheckName>; recordedOptions: JsonObject },
): Promise<Enforced> {
  const done: Omit<Enforced, 'runId'> = {
    indexes: [],
    recomputed: { conversations: 0, leads: 0, tickets: 0 },
  };
  return withRun(
    ctx,
    {
      command: 'verify',
      options: options.recordedOptions,
      work: workOf('verify', {
        connections: options.scope.connectionIds === null ? null : [...options.scope.connectionIds],
        since: options.scope.since,
        checks: options.checks.size === CHECK_NAMES.length ? null : [...options.checks].sort(),
      }),
      failed: (message) => endOf('failed', done, message),
    },
    async (run) => {
      await enforceKeys(ctx, done.indexes);
      await mendDerived(ctx, { runId: run.id, ...options }, done.recomputed);
      const status = ctx.signal.aborted ? 'interrupted' : null;
      return { result: { runId: run.id, ...done }, end: endOf(status, done) };
    },
  );
}

function endOf(
  stopped: 'failed' | 'interrupted' | null,
  { indexes, recomputed }: Omit<Enforced, 'runId'>,
  error: string | null = null,
): RunEnd {
  const count = (outcome: EnforcedIndex['outcome']): number =>
    indexes.filter((enforced) => enforced.outcome === outcome).length;
  const counters = {
    present: count('present'),
    created: count('created'),
    recreated: count('recreated'),
    blocked: count('blocked'),
  };
  return {
    status: stopped ?? (counters.blocked > 0 ? 'partial' : 'completed'),
    counters: { ...counters, recomputed: { ...recomputed } },
    verdict: [verdictOf(counters), ...mendedWords(recomputed)].join('; '),
    error,
  };
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
