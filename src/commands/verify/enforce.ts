import type { Context } from '../../context.js';
import { withRun, workOf, type RunEnd } from '../../ingest/runs/with-run.js';
import { amount } from '../../model/amount.js';
import type { JsonObject } from '../../model/json.js';
import type { Scope } from '../../store/checks/scope.js';
import {
  countAbsentKeys,
  dropIndex,
  makeIndex,
  readDoubledKeys,
  readKeyStates,
  type KeyState,
  type UniqueKey,
} from '../../store/checks/schema.js';
import { sqlState } from '../../store/sql-state.js';
import { readConnections } from '../../store/tables/connections.js';
import { DEDUPE_REMEDY } from './check.js';
import { mendDerived } from './mend.js';
import { CHECK_NAMES, type CheckName, type EnforcedIndex, type Recomputed } from './types.js';

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

const SAMPLES = 3;

/** Tables whose doubles `dedupe` can settle. */
const MERGEABLE = new Set(['messages', 'conversations', 'leads', 'tickets']);

/**
 * Makes every unique index that is missing, not valid or wrong, under the migrations' name and definition; one that doubles
 * are in the way of is left as it is. Other programs may write meanwhile. Stops between two indexes when `ctx.signal` is
 * aborted; `done` has what was done until then, whatever happens.
 */
async function enforceKeys(ctx: Context, done: EnforcedIndex[]): Promise<void> {
  for (const [key, state] of await readKeyStates(ctx.store.sql)) {
    if (ctx.signal.aborted) return;
    done.push(await enforceKey(ctx, key, state));
  }
}

async function enforceKey(ctx: Context, key: UniqueKey, state: KeyState): Promise<EnforcedIndex> {
  const { index } = key;
  if (state.state === 'sound') return { index, outcome: 'present' };
  if (state.state === 'table_missing') {
    return { index, outcome: 'blocked', reason: `the table ${key.table} is missing` };
  }
  // Before what is there is dropped: even an index that is not valid tells the other programs which ids are taken.
  const obstacle = await findObstacle(ctx, key);
  if (obstacle !== null) return obstacle;
  try {
    if (state.state === 'wrong') await dropIndex(ctx.store, key, state.isConstraint);
    await makeIndex(ctx.store, key);
  } catch (error) {
    return await explainFailure(ctx, key, error);
  }
  ctx.emit({ event: 'notice', message: `Made the unique index ${index}` });
  return { index, outcome: state.state === 'wrong' ? 'recreated' : 'created' };
}

/** The rows that the index could not be made over; null if there are none. */
async function findObstacle(ctx: Context, key: UniqueKey): Promise<EnforcedIndex | null> {
  const { sql } = ctx.store;
  const { index } = key;
  if (key.primary) {
    const absent = await countAbsentKeys(sql, key);
    if (absent > 0) {
      const reason = `${amount(absent, 'row')} of ${key.table} without ${key.columns.join(' or ')}`;
      return { index, outcome: 'blocked', reason };
    }
  }
  const { groups, rows, samples } = await readDoubledKeys(sql, key, SAMPLES);
  if (groups === 0) return null;
  const names = new Map((await readConnections(sql)).map(({ id, name }) => [id, name]));
  const shown = samples.map((sample) =>
    sample
      .split(' ')
      .map((part) => names.get(part) ?? part)
      .join(' '),
  );
  return {
    index,
    outcome: 'blocked',
    reason:
      `${amount(rows, 'duplicate row')} in ${key.table}: ${amount(groups, 'group shares', 'groups share')} ` +
      `${key.columns.join(', ')} (${shown.join('; ')}${groups > shown.length ? '; …' : ''})`,
    remedy: MERGEABLE.has(key.table) ? DEDUPE_REMEDY : null,
  };
}

/** What another program did meanwhile, or an object that stands in the way. What we left half done is taken away. */
async function explainFailure(ctx: Context, key: UniqueKey, error: unknown): Promise<EnforcedIndex> {
  const { index } = key;
  switch (sqlState(error)) {
    case '23505': {
      const left = (await readKeyStates(ctx.store.sql)).get(key);
      if (left?.state === 'wrong') await dropIndex(ctx.store, key, left.isConstraint);
      const obstacle = await findObstacle(ctx, key);
      return (
        obstacle ?? { index, outcome: 'blocked', reason: 'another program wrote duplicates at the same time' }
      );
    }
    case '42P07':
      return { index, outcome: 'blocked', reason: 'something else has its name' };
    case '2BP01':
      return { index, outcome: 'blocked', reason: 'foreign keys rest on what has its name' };
    default:
      throw error;
  }
}
