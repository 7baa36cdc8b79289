import { ENFORCE_VALUES_REMEDY } from '../../audit/derived-rows.js';
import { findLackingConnections } from '../../audit/lacking-connections.js';
import type { Context } from '../../context.js';
import { inBatch } from '../../ingest/runs/in-batch.js';
import { withRun, workOf, type RunEnd } from '../../ingest/runs/with-run.js';
import { amount } from '../../model/amount.js';
import type { JsonObject } from '../../model/json.js';
import type { Remedy } from '../../model/remedy.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import { WHOLE, type Scope } from '../../store/checks/scope.js';
import { readMisplacedTickets } from '../../store/checks/ticket-homes.js';
import {
  countAbsentKeys,
  dropIndex,
  makeIndex,
  MESSAGE_KEY,
  readDoubledKeys,
  readKeyStates,
  type KeyState,
  type UniqueKey,
} from '../../store/checks/schema.js';
import { readCopiedRows } from '../../store/queries/duplicates.js';
import { sqlState } from '../../store/sql-state.js';
import { fillInConnections, readConnections } from '../../store/tables/connections.js';
import { copiesRemedy, DEDUPE_REMEDY, joined, RESTORE_COPIES_REMEDY } from './check.js';
import { correctDerived } from './derived-values.js';
import { unlinkUnfounded } from './unlink-messages.js';
import {
  CHECK_NAMES,
  type CheckName,
  type CheckResult,
  type EnforcedIndex,
  type Recomputed,
} from './types.js';

/** What `--enforce` did. */
interface Enforced {
  runId: string;
  indexes: EnforcedIndex[];
  recomputed: Recomputed;
}

type Done = Omit<Enforced, 'runId'>;

interface EnforceOptions {
  scope: Scope;
  checks: ReadonlySet<CheckName>;
  recordedOptions: JsonObject;
}

/**
 * Creates the missing unique indexes, whatever the scope; then corrects derived values within the scope and the checks.
 * Recorded as a run. The caller holds the exclusive lock; other programs may keep writing. Stops soon after
 * `ctx.signal` aborts.
 */
export function enforce(ctx: Context, options: EnforceOptions): Promise<Enforced> {
  return recorded(ctx, options, async (runId, done) => {
    await enforceKeys(ctx, done.indexes);
    if (options.checks.has('raw_log'))
      await unlinkUnfounded(ctx, { runId, scope: options.scope }, done.recomputed);
    await correctDerived(ctx, { runId, ...options }, done.recomputed);
  });
}

/**
 * Gives messages that name a raw entry which does not hold them the one that does, so that a replay can restore what else was
 * changed in them: two messages that have each other's ids cannot be told apart otherwise. Recorded as a run of `verify`.
 */
export async function relinkHeld(ctx: Context, recordedOptions: JsonObject): Promise<number> {
  const scope: Scope = { connectionIds: null, since: null };
  const checks = new Set(['raw_log'] as const);
  const { recomputed } = await recorded(ctx, { scope, checks, recordedOptions }, (runId, done) =>
    unlinkUnfounded(ctx, { runId, scope, heldOnly: true }, done.recomputed),
  );
  return recomputed.messages;
}

/**
 * Puts tickets that were given another lead or conversation back, if there are any: a replay would open others in their place.
 * Recorded as a run of `verify`. Returns their number.
 */
export async function returnTickets(ctx: Context, recordedOptions: JsonObject): Promise<number> {
  const misplaced = await readMisplacedTickets(ctx.store.sql, WHOLE, CAME_LIVE_SQL, 1);
  return misplaced.length === 0 ? 0 : correctValues(ctx, new Set(['consistency'] as const), recordedOptions);
}

/**
 * Gives connections back what entries have named, as far as their rows still hold it (H1). Returns how many connections lack
 * something, and the entries of which a replay gives them the rest.
 */
export async function completeConnections(
  ctx: Context,
): Promise<{ connections: number; entryIds: readonly string[] }> {
  const { sql } = ctx.store;
  const lacking = await findLackingConnections(sql, await readConnections(sql));
  const rows = lacking.map(({ connection }) => connection);
  const organizations = rows.map(({ organizationId }) => organizationId);
  if (rows.length > 0) await inBatch(ctx, { organizations }, (tx) => fillInConnections(tx, rows));
  return { connections: rows.length, entryIds: lacking.flatMap(({ entryIds }) => entryIds) };
}

/** What is derived from other rows, and may be wrong as soon as one of those is corrected. */
const DERIVED: ReadonlySet<CheckName> = new Set([
  'consistency',
  'conversation_times',
  'lead_values',
  'ticket_rules',
] as const);

/**
 * Corrects the derived values of conversations, leads and tickets, if `checks` say that this is due for any: one of them may follow from
 * another. Recorded as a run of `verify`. Returns the number of rows; null if nothing was due.
 */
export async function correctDue(
  ctx: Context,
  checks: readonly CheckResult[],
  recordedOptions: JsonObject,
): Promise<number | null> {
  const isDue = checks.some(({ remedy }) => remedy === ENFORCE_VALUES_REMEDY);
  return isDue ? correctValues(ctx, DERIVED, recordedOptions) : null;
}

async function correctValues(
  ctx: Context,
  checks: ReadonlySet<CheckName>,
  recordedOptions: JsonObject,
): Promise<number> {
  const scope = WHOLE;
  const { recomputed } = await recorded(ctx, { scope, checks, recordedOptions }, (runId, done) =>
    correctDerived(ctx, { runId, scope, checks }, done.recomputed),
  );
  return recomputed.conversations + recomputed.leads + recomputed.tickets;
}

/** Does `work` as a run of `verify`, which counts what it has done. */
function recorded(
  ctx: Context,
  { scope, checks, recordedOptions }: EnforceOptions,
  work: (runId: string, done: Done) => Promise<void>,
): Promise<Enforced> {
  const done: Done = {
    indexes: [],
    recomputed: { messages: 0, conversations: 0, leads: 0, tickets: 0, malformed: 0 },
  };
  return withRun(
    ctx,
    {
      command: 'verify',
      options: recordedOptions,
      work: workOf('verify', {
        connections: scope.connectionIds === null ? null : [...scope.connectionIds],
        since: scope.since,
        checks: checks.size === CHECK_NAMES.length ? null : [...checks].sort(),
      }),
      failed: (message) => endOf('failed', done, message),
    },
    async (run) => {
      await work(run.id, done);
      return {
        result: { runId: run.id, ...done },
        end: endOf(ctx.signal.aborted ? 'interrupted' : null, done),
      };
    },
  );
}

function endOf(
  stopped: 'failed' | 'interrupted' | null,
  { indexes, recomputed }: Done,
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
    verdict: [verdictOf(counters), ...recomputedWords(recomputed)].join('; '),
    error,
  };
}

function verdictOf({ created, recreated, blocked }: Record<EnforcedIndex['outcome'], number>): string {
  const made = created + recreated;
  const indexes = (count: number): string => amount(count, 'unique index', 'unique indexes');
  if (blocked > 0) return `${indexes(made)} created, ${indexes(blocked)} blocked`;
  return made === 0 ? 'All unique indexes were present' : `${indexes(made)} created`;
}

function recomputedWords({ messages, conversations, leads, tickets, malformed }: Recomputed): string[] {
  const counts = joined(
    [
      [conversations, amount(conversations, 'conversation')],
      [leads, amount(leads, 'lead')],
      [tickets, amount(tickets, 'ticket')],
    ],
    ', ',
  );
  return [
    ...(messages === 0
      ? []
      : [`took a raw entry that does not hold them from ${amount(messages, 'message')}`]),
    ...(malformed === 0 ? [] : [`cleared what cannot be read in ${amount(malformed, 'row')}`]),
    ...(counts === '' ? [] : [`recomputed ${counts}`]),
  ];
}

const SAMPLES = 3;

/** Tables whose duplicates `dedupe` can merge. */
const MERGEABLE = new Set(['messages', 'conversations', 'leads', 'tickets']);

/**
 * Creates every unique index that is missing, invalid or wrong, under the migrations' name and definition; one blocked
 * by duplicates is left unchanged. Other programs may keep writing. Stops between two indexes when `ctx.signal` aborts;
 * `done` always has what was done until then.
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
  // Before dropping the old index: even an invalid one prevents duplicates of new rows.
  const obstacle = await findObstacle(ctx, key);
  if (obstacle !== null) return obstacle;
  try {
    if (state.state === 'wrong') await dropIndex(ctx.store, key, state.isConstraint);
    await makeIndex(ctx.store, key);
  } catch (error) {
    return await explainFailure(ctx, key, error);
  }
  ctx.emit({ event: 'notice', message: `Created unique index ${index}` });
  return { index, outcome: state.state === 'wrong' ? 'recreated' : 'created' };
}

/** The rows that block the index; null if there are none. */
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
    remedy: await unblocking(ctx, key),
  };
}

async function unblocking({ store }: Context, key: UniqueKey): Promise<Remedy | null> {
  const { table } = key;
  if (table === 'webhook_log') return copiesRemedy(store.sql);
  if (key === MESSAGE_KEY && (await readCopiedRows(store.sql)).length > 0) return RESTORE_COPIES_REMEDY;
  return MERGEABLE.has(table) ? DEDUPE_REMEDY : null;
}

/**
 * Why an index could not be created: another program's rows, or another object with its name. An invalid index is
 * dropped.
 */
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
      return { index, outcome: 'blocked', reason: 'another object has its name' };
    case '2BP01':
      return { index, outcome: 'blocked', reason: 'foreign keys depend on the object that has its name' };
    default:
      throw error;
  }
}
