import type { Context } from '../../context.js';
import { requestSync } from '../../graph/calls.js';
import { GraphError } from '../../graph/errors.js';
import { interrupted, type GraphClient } from '../../graph/client.js';
import { SMB_SYNC_TYPES, type SmbSyncType } from '../../model/enumerations.js';
import { ConfigError, LockedError, UserError } from '../../model/errors.js';
import { remedy, type Advices } from '../../model/remedy.js';
import { isSince } from '../../rawlog/account-events.js';
import { acquireHistoryLock, type RunLock } from '../../store/locks/run-lock.js';
import {
  claimHistoryRequest,
  readHistoryRequests,
  recordHistoryOutcome,
  releaseHistoryRequest,
  type HistoryRequestRow,
} from '../../store/tables/graph.js';
import { setWebhookActivated } from '../../store/tables/connections.js';
import type { DatabaseConfig } from '../../store/open-store.js';
import { findConnection, storedPhone } from '../connections/find.js';
import { planHistory, stepsOf, type HistoryOptions, type HistoryPlan, type Planned } from './history-plan.js';
import { withGraph } from './token.js';

export interface HistoryRequestResult extends HistoryPlan {
  schemaVersion: 1;
  command: 'history request';
  /**
   * `planned`: a dry run without obstacles. `refused`: obstacles found, or Meta refused; nothing was requested.
   * `requested`: now, or before, by a request that is followed.
   */
  status: 'planned' | 'refused' | 'requested';
}

/** What a request would do, as a result. */
export function plannedResult(plan: HistoryPlan): HistoryRequestResult {
  return {
    schemaVersion: 1,
    command: 'history request',
    status: plan.obstacles.length > 0 ? 'refused' : 'planned',
    ...plan,
  };
}

/** A request that was made before, to follow: what stands in the way of another one is none of its own. */
export function followedResult(plan: HistoryPlan): HistoryRequestResult {
  return { schemaVersion: 1, command: 'history request', ...plan, status: 'requested', obstacles: [] };
}

/** Whether the typed number is the one to request history for. */
export function isConfirmed({ phone }: Pick<HistoryPlan, 'phone'>, typed: string): boolean {
  return phone !== null && storedPhone(typed) === phone;
}

/** Throws ConfigError if the given number is not the one to request history for. `place`: where it was given. */
export function assertConfirmed(
  plan: Pick<HistoryPlan, 'phone' | 'connection'>,
  given: string,
  place: string,
): void {
  if (isConfirmed(plan, given)) return;
  throw new ConfigError(`${place} is not the number of '${plan.connection.name}'.`, {
    code: 'confirmation_wrong',
    remedy: remedy('connection show', [plan.connection.name], 'shows its number'),
  });
}

/**
 * Asks Meta for contacts, then for history, each once. Records every request before sending it, so that no process
 * repeats one, even after a crash. Throws GraphError when Meta refuses or cannot be reached.
 */
export async function requestHistory(ctx: Context, options: HistoryOptions): Promise<HistoryRequestResult> {
  const connection = await findConnection(ctx, options.connection, options.organization);
  const lock = await holdRequests(ctx, connection, options.database);
  try {
    return await requestUnder(ctx, options, lock);
  } finally {
    await lock.release();
  }
}

/** A plan holds the lock for a moment, to see whether anybody does. */
const LOCK_WAIT_MS = 2000;

/** Until it is released, a request without an answer may still get one. */
async function holdRequests(
  { host, pid, signal }: Context,
  connection: { id: string; name: string },
  database: DatabaseConfig,
): Promise<RunLock> {
  const options = { command: 'history request', host, pid, signal, waitMs: LOCK_WAIT_MS };
  try {
    return await acquireHistoryLock(database, connection, options);
  } catch (error) {
    if (error instanceof LockedError) throw takenMeanwhile(connection.name);
    throw error;
  }
}

async function requestUnder(
  ctx: Context,
  options: HistoryOptions,
  lock: RunLock,
): Promise<HistoryRequestResult> {
  const planned = await planHistory(ctx, options, true);
  const { plan, connection, onboarding } = planned;
  if (plan.obstacles.length > 0) return plannedResult(plan);
  await withGraph(ctx, connection, options.access, async (client) => {
    for (const syncType of SMB_SYNC_TYPES) {
      const before = onboarding.requests.find((request) => request.syncType === syncType);
      // Contacts may have been accepted before the history request failed.
      if (before?.outcome === 'accepted' || before?.outcome === 'refused') continue;
      if (ctx.signal.aborted) throw interrupted();
      lock.assertHeld();
      // Its outcome is unknown, and a person said to ask again: else it would be an obstacle.
      if (before !== undefined) await releaseHistoryRequest(ctx.store.sql, before);
      // A time given by a person counts from here on, for every command; a plan or a refusal leaves no trace of it.
      if (onboarding.at !== null) await setWebhookActivated(ctx.store.sql, connection.id, onboarding.at);
      await requestOne(ctx, client, planned, syncType);
    }
  });
  const requests = await readHistoryRequests(ctx.store.sql, connection.id);
  const steps = stepsOf(requests.filter((request) => isSince(request, onboarding.at)));
  const history = steps.find(({ syncType }) => syncType === 'history');
  return {
    schemaVersion: 1,
    command: 'history request',
    ...plan,
    status: history?.state === 'accepted' ? 'requested' : 'refused',
    steps,
  };
}

async function requestOne(
  ctx: Context,
  client: GraphClient,
  { connection, onboarding: { at, until } }: Planned,
  syncType: SmbSyncType,
): Promise<void> {
  const { sql } = ctx.store;
  const { phoneNumberId } = connection;
  if (at === null || until === null || phoneNumberId === null)
    throw new Error('requested in spite of an obstacle');
  const row: HistoryRequestRow = {
    connectionId: connection.id,
    syncType,
    onboardedAt: at,
    requestedAt: ctx.clock(),
    deadline: until,
    outcome: 'sent',
    requestId: null,
    fbtraceId: null,
    error: null,
    requestedBy: ctx.user,
    host: ctx.host,
  };
  if (!(await claimHistoryRequest(sql, row))) throw takenMeanwhile(connection.name);
  try {
    const { value, fbtraceId } = await requestSync(client, phoneNumberId, syncType);
    const requestId = value.request_id;
    await recordHistoryOutcome(sql, row, { outcome: 'accepted', requestId, fbtraceId, error: null });
  } catch (error) {
    const isUnknown = await settle(ctx, row, error);
    if (isUnknown && error instanceof GraphError) throw error.advising(unknownAdvice(connection.name));
    // Contacts already requested by another process do not block the history.
    if (syncType === 'smb_app_state_sync' && isLimit(error)) return;
    throw error;
  }
}

function isLimit(error: unknown): boolean {
  return error instanceof GraphError && error.reason === 'history_limit';
}

/** Meta takes each request once, so another try is not the first thing to do. */
function unknownAdvice(name: string): Advices {
  return [
    'Meta may have taken the request all the same. Do not repeat it; look first:',
    remedy('connection check', [name], 'says what is known of the request, and when to ask once more'),
    remedy('report', ['--connection', name], 'shows what has come of it'),
  ];
}

/** Records a failed request: refused permanently, without effect, or unknown; returns whether it is unknown. */
async function settle(ctx: Context, row: HistoryRequestRow, error: unknown): Promise<boolean> {
  const { sql } = ctx.store;
  const known = error instanceof GraphError ? error : null;
  if (known?.reason === 'history_limit' || known?.reason === 'history_window') {
    await recordHistoryOutcome(sql, row, {
      outcome: 'refused',
      requestId: null,
      fbtraceId: known.fbtraceId,
      error: known.message,
    });
  } else if (known?.hadNoEffect === true) {
    await releaseHistoryRequest(sql, row);
  } else {
    await recordHistoryOutcome(sql, row, {
      outcome: 'unknown',
      requestId: null,
      fbtraceId: known?.fbtraceId ?? null,
      error: known?.message ?? 'interrupted before Meta answered',
    });
    return true;
  }
  return false;
}

function takenMeanwhile(name: string): UserError {
  return new UserError(`Another process is requesting the history of '${name}'.`, {
    code: 'already_requested',
    remedy: remedy('history request', [name, '--wait'], 'follows what comes of it'),
  });
}
