import type { JsonObject } from '../../model/json.js';
import { countAbsentKeys, readDoubledKeys } from '../../store/checks/doubled-keys.js';
import { dropIndex, makeIndex } from '../../store/checks/make-index.js';
import { readKeyStates, type KeyState, type UniqueKey } from '../../store/checks/unique-keys.js';
import { readConnections } from '../../store/connections.js';
import { finishRun, insertRun } from '../../store/runs.js';
import { sqlState } from '../../store/sql-state.js';
import type { Context } from '../context.js';
import type { EnforcedIndex } from './result.js';
import { amount, DEDUPE_COMMAND } from './words.js';

const SAMPLES = 3;

/** Tables whose doubles `dedupe` can settle. */
const MERGEABLE = new Set(['messages', 'conversations', 'leads', 'tickets']);

/**
 * Makes every unique index that is missing, not valid or wrong, under the migrations' name and definition; one that doubles
 * are in the way of is left as it is. Recorded in sync_runs as `runId`. The caller holds the exclusive lock; other programs may
 * write meanwhile. Stops between two indexes when `ctx.signal` is aborted.
 */
export async function enforceKeys(
  ctx: Context,
  runId: string,
  recordedOptions: JsonObject,
): Promise<EnforcedIndex[]> {
  const { sql } = ctx.store;
  const { host, pid } = ctx;
  const startedAt = ctx.clock();
  await insertRun(sql, {
    id: runId,
    command: 'verify',
    options: recordedOptions,
    host,
    pid,
    startedAt,
    resumed: null,
  });
  const done: EnforcedIndex[] = [];
  try {
    for (const [key, state] of await readKeyStates(sql)) {
      if (ctx.signal.aborted) break;
      done.push(await enforceKey(ctx, key, state));
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await finish(ctx, runId, done, message).catch(() => undefined);
    throw error;
  }
  await finish(ctx, runId, done);
  return done;
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
      `${amount(rows, 'row')} too many in ${key.table}: ${amount(groups, 'group shares', 'groups share')} ` +
      `${key.columns.join(', ')} (${shown.join('; ')}${groups > shown.length ? '; …' : ''})`,
    remedy: MERGEABLE.has(key.table) ? DEDUPE_COMMAND : null,
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
      return obstacle ?? { index, outcome: 'blocked', reason: 'another program wrote doubles meanwhile' };
    }
    case '42P07':
      return { index, outcome: 'blocked', reason: 'something else has its name' };
    case '2BP01':
      return { index, outcome: 'blocked', reason: 'foreign keys rest on what has its name' };
    default:
      throw error;
  }
}

async function finish(
  ctx: Context,
  runId: string,
  done: readonly EnforcedIndex[],
  error?: string,
): Promise<void> {
  const count = (outcome: EnforcedIndex['outcome']): number =>
    done.filter((enforced) => enforced.outcome === outcome).length;
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
    counters,
    verdict: verdictOf(counters),
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
