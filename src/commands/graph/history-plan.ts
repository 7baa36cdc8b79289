import type { Context } from '../../context.js';
import { SMB_SYNC_TYPES, type RequestOutcome, type SmbSyncType } from '../../model/enumerations.js';
import { ConfigError, LockedError } from '../../model/errors.js';
import { remedy, type Advices } from '../../model/remedy.js';
import { minuteOf, rfc3339 } from '../../model/time.js';
import { acquireHistoryLock } from '../../store/locks/run-lock.js';
import type { ConnectionRecord } from '../../store/tables/connections.js';
import type { HistoryRequestRow } from '../../store/tables/graph.js';
import type { DatabaseConfig } from '../../store/open-store.js';
import { findConnection, storedPhone } from '../connections/find.js';
import { RECONNECT, standingOf, untoldAdvice } from '../report/history-standing.js';
import { checkConnection } from './check.js';
import { disconnectedWords, isNeeded, onboardedRemedy, reconnectAdvice, standsInTheWay } from './judge.js';
import { HISTORY_WINDOW_MS, readOnboarding, type Onboarding } from './onboarding.js';
import { isSince, type AccountEvent } from '../../rawlog/account-events.js';
import type { GraphAccess } from './token.js';
import type { GraphCheck } from './types.js';

export interface HistoryOptions {
  connection: string;
  organization?: string | undefined;
  access: GraphAccess;
  /** For the lock of the requests. */
  database: DatabaseConfig;
  /** When the number was connected, ms since 1970, if no event says so. */
  onboardedAt?: number | undefined;
  /** Repeats a request whose outcome is unknown, of contacts or of history. */
  again: boolean;
}

/** Why nothing is requested. */
export interface Obstacle {
  code: string;
  message: string;
  remedy?: Advices;
}

/** One of the two requests, and its state. Times are RFC 3339. */
export interface HistoryStep {
  syncType: SmbSyncType;
  /** `to_request`: not made yet. */
  state: 'to_request' | RequestOutcome;
  requestedAt: string | null;
  requestId: string | null;
  error: string | null;
}

export interface HistoryPlan {
  connection: { id: string; name: string; phoneNumberId: string | null };
  /** The number to type; E.164. */
  phone: string | null;
  onboardedAt: string | null;
  until: string | null;
  hoursLeft: number | null;
  steps: HistoryStep[];
  obstacles: Obstacle[];
  /** What Meta could not say, and what would be lost if it is wrong. */
  warnings: GraphCheck[];
}

/** What is known at request time. */
export interface Planned {
  plan: HistoryPlan;
  connection: ConnectionRecord;
  onboarding: Onboarding;
}

/**
 * What a request of history would do, and what blocks it; asks Meta, changes nothing there, and stores nothing. Throws ConfigError for
 * a connection without history at Meta. `isOurs`: the caller holds the lock of the requests, and means to request: what the check
 * finds is kept.
 */
export async function planHistory(ctx: Context, options: HistoryOptions, isOurs = false): Promise<Planned> {
  const found = await findConnection(ctx, options.connection, options.organization);
  assertCoexistence(found);
  const connection = await withOnboarding(ctx, found, options.onboardedAt);
  const { result, onboarding } = await checkConnection(ctx, connection, options.access, {
    throws: true,
    records: isOurs,
  });
  const isHeld = !isOurs && (await isBeingRequested(ctx, connection, onboarding, options.database));
  const now = ctx.clock();
  const phone = storedPhone(connection.displayPhoneNumber) ?? null;
  const { at, until } = onboarding;
  const plan: HistoryPlan = {
    connection: { id: connection.id, name: connection.name, phoneNumberId: connection.phoneNumberId },
    phone,
    onboardedAt: rfc3339(at),
    until: rfc3339(until),
    hoursLeft: result.history.hoursLeft,
    steps: stepsOf(onboarding.requests),
    obstacles: [
      ...(isHeld ? [beingRequested(connection)] : requestedBefore(connection, onboarding, options.again)),
      ...(onboarding.removal === null
        ? outsideWindow(connection, onboarding, now)
        : [disconnected(connection, onboarding.removal, now)]),
      ...withoutPhone(connection, phone),
      ...checkObstacles(result.checks),
    ],
    warnings: result.checks.filter(
      (check) => check.status === 'unknown' && isNeeded(check) && !standsInTheWay(check),
    ),
  };
  return { plan, connection, onboarding };
}

/** The requests in order, as far as made for this onboarding. */
export function stepsOf(requests: readonly HistoryRequestRow[]): HistoryStep[] {
  return SMB_SYNC_TYPES.map((syncType) => {
    const row = requests.find((request) => request.syncType === syncType);
    return {
      syncType,
      state: row?.outcome ?? 'to_request',
      requestedAt: row === undefined ? null : new Date(row.requestedAt).toISOString(),
      requestId: row?.requestId ?? null,
      error: row?.error ?? null,
    };
  });
}

function assertCoexistence({ kind, name }: ConnectionRecord): void {
  if (kind === 'coexistence') return;
  throw new ConfigError(
    `The connection '${name}' is of the kind ${kind}: Meta has a history only for numbers that are in the WhatsApp Business app, too.`,
    {
      code: 'no_history_at_meta',
      remedy:
        kind === 'baileys'
          ? remedy('import', ['--help'], 'shows how to fetch the history of a contact from the phone')
          : remedy('connection check', [name], 'asks Meta whether the number is in the app'),
    },
  );
}

/**
 * The connection with the time a person gave, unless the onboarding on record is the same one; an event in the raw log
 * takes precedence. Records nothing: a plan is no request. Throws ConfigError.
 */
async function withOnboarding(
  ctx: Context,
  connection: ConnectionRecord,
  given: number | undefined,
): Promise<ConnectionRecord> {
  if (given === undefined) return connection;
  if (given > ctx.clock()) {
    throw new ConfigError('The time at which the number was connected is to come.', {
      code: 'usage',
      remedy: 'Say when the number was connected to the API.',
    });
  }
  const known = await readOnboarding(ctx, connection);
  // Meta's word that the number was connected is not of the time after its word that it is not.
  if (known.from === 'event' && (known.removal === null || given <= known.removal.at)) {
    throw known.removal === null
      ? new ConfigError(
          `The raw log says when the number was connected: ${known.at === null ? '' : minuteOf(known.at)}.`,
          {
            code: 'contradiction',
            remedy: 'Leave --onboarded out.',
            inProgram: 'Leave onboardedAt out.',
          },
        )
      : new ConfigError(
          `${disconnectedWords(known.removal)}, after the given time at which it was connected.`,
          {
            code: 'contradiction',
            remedy: 'Say when the number was connected again.',
          },
        );
  }
  // A request after the given time belongs to it, so the number was not connected anew: `2h` is another moment in each run.
  const hasRequest = known.requests.some((request) => isSince(request, given));
  if (known.at !== null && known.removal === null && hasRequest) return connection;
  return { ...connection, webhookActivatedAt: given };
}

/**
 * Whether the process that sent a request without an answer still waits for it: it holds the lock until it has recorded
 * the answer, so the request of a dead process has an unknown outcome at once.
 */
async function isBeingRequested(
  ctx: Context,
  connection: ConnectionRecord,
  { requests }: Onboarding,
  database: DatabaseConfig,
): Promise<boolean> {
  if (!requests.some(({ outcome }) => outcome === 'sent')) return false;
  try {
    const { host, pid, signal } = ctx;
    const lock = await acquireHistoryLock(database, connection, {
      ...{ command: 'history request', host, pid, signal },
    });
    await lock.release();
    return false;
  } catch (error) {
    if (error instanceof LockedError) return true;
    throw error;
  }
}

function beingRequested({ name }: ConnectionRecord): Obstacle {
  return {
    code: 'being_requested',
    message: 'another process is requesting it, and waits for Meta’s answer',
    remedy: remedy('history request', [name, '--wait'], 'follows what comes of it'),
  };
}

function requestedBefore(
  { name, historySyncStatus: status, historySyncStartedAt: startedAt }: ConnectionRecord,
  { at, requests }: Onboarding,
  again: boolean,
): Obstacle[] {
  const standing = standingOf(requests);
  switch (standing.kind) {
    case 'open': {
      const hasCome = startedAt !== null && at !== null && startedAt >= at;
      return hasCome && (status === 'syncing' || status === 'completed')
        ? [{ code: 'history_came', message: `history is ${status} already` }]
        : [];
    }
    case 'accepted': {
      const { requestedAt, requestId } = standing.request;
      return [
        {
          code: 'already_requested',
          message: `history was requested on ${minuteOf(requestedAt)} (request_id ${requestId ?? 'unknown'}), and Meta takes it once`,
          remedy: remedy('history request', [name, '--wait'], 'follows what comes of it'),
        },
      ];
    }
    case 'refused':
      return [{ code: 'already_refused', message: standing.message, remedy: RECONNECT }];
    case 'untold':
      return again
        ? []
        : standing.messages.map((message) => ({
            code: 'outcome_unknown',
            message,
            remedy: untoldAdvice(name),
          }));
  }
}

/** Whatever is left of the 24 hours: Meta takes no request for a number that is not connected. */
function disconnected({ name }: ConnectionRecord, removal: AccountEvent, now: number): Obstacle {
  return {
    code: 'disconnected',
    message: disconnectedWords(removal),
    remedy: reconnectAdvice(name, now, removal),
  };
}

function outsideWindow({ name }: ConnectionRecord, { at, until }: Onboarding, now: number): Obstacle[] {
  if (at === null || until === null) {
    return [
      {
        code: 'onboarding_unknown',
        message: `nothing says when the number was connected, and Meta takes the request for ${HISTORY_WINDOW_MS / 3_600_000} hours after that`,
        remedy: onboardedRemedy(name, now),
      },
    ];
  }
  if (now < until) return [];
  return [
    {
      code: 'window_over',
      message: `the 24 hours ended on ${minuteOf(until)}`,
      remedy: RECONNECT,
    },
  ];
}

function withoutPhone({ name }: ConnectionRecord, phone: string | null): Obstacle[] {
  if (phone !== null) return [];
  return [
    {
      code: 'number_unknown',
      message: 'the connection has no number, which has to be typed to confirm',
      remedy: remedy('connection edit', [name, '--phone', 'NUMBER'], 'says which number it is'),
    },
  ];
}

function checkObstacles(checks: readonly GraphCheck[]): Obstacle[] {
  return checks.filter(standsInTheWay).map(({ check, status, message, remedy: advice }) => ({
    code: `check_${check}`,
    message: `${check}: ${status === 'unknown' ? 'unknown: ' : ''}${message}`,
    ...(advice === undefined ? {} : { remedy: advice }),
  }));
}
