import { acceptDied, finishRun } from '../../audit/run-remedy.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import { alert, brokenAlerts, foreignAlert, markAlert, rejectAlert, type Alert } from '../../audit/alert.js';
import { amount } from '../../model/amount.js';
import { remedy } from '../../model/remedy.js';
import type { Nameless } from '../../model/run-result.js';
import type { PendingFactGroup, EntryGroup } from '../../store/queries/report.js';
import type { ConnectionRow, ConnectionTimes } from '../../store/tables/connections.js';
import type { OwedHistory } from '../../store/tables/history.js';
import type { HistoryRequestRow } from '../../store/tables/graph.js';
import type { MediaCount } from '../../store/tables/media-files.js';
import type { RejectGroup } from '../../store/tables/rejects.js';
import { removalWords, type AccountEvent } from '../../rawlog/account-events.js';
import { owedHistoryWords, owedRemedies } from '../../audit/owed-history.js';
import { mediaAlerts, pendingAlerts, pendingFactAlert } from '../../audit/waiting-alerts.js';
import { answerDueAt } from '../../audit/awaited-request.js';
import { minuteOf } from '../../model/time.js';
import type { ConnectionFigures } from './connection-report.js';
import {
  againRemedy,
  missingChunksRemedy,
  missingChunksWords,
  RECONNECT,
  standingOf,
} from './history-standing.js';
import { UNKNOWN_HOURS } from './rhythm.js';
import type { HistoryRequestReport } from './types.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Chunks follow each other within minutes; after this long without one, the rest is not coming. */
const STALLED = 24 * HOUR;
/** How long after connecting a number Meta accepts history requests. */
const REQUEST_WINDOW = 24 * HOUR;

/** Everything known about one connection when its alerts are decided. */
export interface ConnectionFacts {
  row: ConnectionRow;
  times: ConnectionTimes;
  report: ConnectionFigures;
  /** When the last history entry arrived, chunk or error; ms since 1970. */
  lastHistoryAt: number | null;
  /** The requests for its history since the number was connected, newest first. */
  historyRequests: readonly HistoryRequestRow[];
  removal: AccountEvent | null;
  rejects: readonly RejectGroup[];
  pendingFacts: PendingFactGroup | undefined;
  /** Messages that name no raw entry. */
  foreign: number;
  /** Messages of the raw log marked by another program. */
  marked: number;
  /** History that its phone has and that did not arrive. */
  owedHistory: OwedHistory | undefined;
  /** The files named by its messages, by state. */
  media: readonly MediaCount[];
}

/** When alerts are due. */
export interface Limits {
  now: number;
  historyMinutes: number;
  /** How long a connection may be silent, if configured rather than learned. */
  silentHours?: number | undefined;
}

/**
 * All alerts of one connection. Nothing is expected of an archived one, but its losses and foreign rows still count.
 */
export function connectionAlerts(facts: ConnectionFacts, limits: Limits): Alert[] {
  const rejects = rejectAlert(facts.row, facts.rejects);
  const foreign = [...foreignAlert(facts.row, facts.foreign), ...markAlert(facts.row, facts.marked)];
  if (facts.times.archivedAt !== null) return [...rejects, ...foreign];
  return [
    ...removalAlert(facts),
    ...historyAlerts(facts, limits),
    ...chunkAlerts(facts, limits),
    ...owedHistoryAlert(facts),
    ...silenceAlert(facts, limits),
    ...rejects,
    ...pendingFactAlert(facts.row, facts.pendingFacts),
    ...mediaAlerts(facts.row, facts.media),
    ...foreign,
  ];
}

function removalAlert({ row, removal }: ConnectionFacts): Alert[] {
  if (removal === null) return [];
  return [
    alert('partner_removed', row, {
      since: removal.at,
      state: removal.at,
      message: `The number was disconnected from the platform: ${removalWords(removal)}. Nothing arrives until the business connects it again.`,
      remedy: archiveRemedy(row.name),
    }),
  ];
}

function historyAlerts(facts: ConnectionFacts, limits: Limits): Alert[] {
  const { now, historyMinutes } = limits;
  const { row, times, report, lastHistoryAt } = facts;
  // Whatever predates the request belongs to an earlier onboarding of the number.
  if (report.historyRequest?.isWaiting === true) return requestAlerts(facts, report.historyRequest, limits);
  const error = row.historySyncError === null ? '' : ` (${row.historySyncError})`;
  switch (row.historySyncStatus) {
    case 'declined':
      return [
        alert('declined', row, {
          since: lastHistoryAt,
          state: row.historySyncError,
          message: `The business does not share its history${error}. To share it, it has to disconnect and reconnect the number with sharing turned on in its app.`,
        }),
      ];
    case 'failed':
      return [
        alert('failed', row, {
          since: lastHistoryAt,
          state: row.historySyncError,
          message: `The history failed${error}. It can only be had by connecting the number again.`,
        }),
      ];
    case 'pending_consent':
    case 'pending_history': {
      // Same as verify: WhatsApp Web sends a history, or part of it, at its own pace, and WAHA keeps it to itself.
      if (row.kind === 'baileys') return [];
      const onboardedAt = report.onboardedAt === null ? times.createdAt : Date.parse(report.onboardedAt);
      const due = onboardedAt + historyMinutes * MINUTE;
      if (now < due) return [];
      return [
        alert('no_history', row, {
          since: due,
          state: row.historySyncStatus,
          ...requestAdvice(
            facts,
            `No history came in the ${spanOf((now - onboardedAt) / HOUR)} since the number was connected.`,
            { until: onboardedAt + REQUEST_WINDOW, now },
          ),
        }),
      ];
    }
    case 'syncing':
    case 'completed':
    case 'not_supported':
      return [];
  }
}

/** Meta accepted a request, and would have sent a decline as a webhook, too. */
function requestAlerts(
  { row }: ConnectionFacts,
  { requestedAt, requestId }: HistoryRequestReport,
  { now, historyMinutes }: Limits,
): Alert[] {
  const requested = Date.parse(requestedAt);
  if (now < answerDueAt(requested, historyMinutes)) return [];
  return [
    alert('no_history', row, {
      since: requested,
      state: row.historySyncStatus,
      message: `History was requested ${spanOf((now - requested) / HOUR)} ago and nothing came. Check that its webhooks arrive, then give Meta’s support the request_id ${requestId ?? '(unknown)'}.`,
      remedy: remedy('connection check', [row.name], 'asks Meta what could be wrong'),
    }),
  ];
}

/** The message of an alert about a history that did not come, and what helps. */
function requestAdvice(
  { row, historyRequests, removal }: ConnectionFacts,
  message: string,
  { until, now }: { until: number; now: number },
): Pick<Alert, 'message'> & Partial<Pick<Alert, 'remedy'>> {
  if (row.kind !== 'coexistence') return { message };
  // The alert about the removal says what to do: Meta takes no request for a number that is not connected.
  if (removal !== null) return { message };
  const standing = standingOf(historyRequests);
  const over = 'Meta takes no request for it any more: the number has to be connected again.';
  switch (standing.kind) {
    case 'accepted':
      return { message };
    case 'refused':
      return { message: `${message} ${standing.message}. ${RECONNECT}` };
    case 'untold': {
      const untold = `${message} ${standing.messages.map(capitalized).join('. ')}.`;
      return now < until
        ? { message: untold, remedy: againRemedy(row.name) }
        : { message: `${untold} ${over}` };
    }
    case 'open':
      return now < until
        ? {
            message: `${message} It can be requested from Meta until ${minuteOf(until)}, once.`,
            remedy: remedy('history request', [row.name], 'shows what it takes, and requests it'),
          }
        : { message: `${message} ${over}` };
  }
}

function chunkAlerts({ row, report, times }: ConnectionFacts, { now }: Limits): Alert[] {
  const { missingChunks, progress, status } = report.historySync;
  const check = missingChunksRemedy(row.name);
  if (missingChunks.length > 0) {
    return [
      alert('chunk_missing', row, {
        since: times.lastChunkAt,
        state: missingChunks.join(' '),
        count: missingChunks.length,
        message: `${missingChunksWords(missingChunks)}.`,
        remedy: check,
      }),
    ];
  }
  if (status !== 'syncing' || times.lastChunkAt === null || now - times.lastChunkAt < STALLED) return [];
  const reached = progress === null ? 'before its end' : `at ${progress} %`;
  return [
    alert('chunk_missing', row, {
      since: times.lastChunkAt,
      state: times.lastChunkAt,
      message: `The history stopped ${reached}: no chunk came for ${spanOf((now - times.lastChunkAt) / HOUR)}.`,
      remedy: check,
    }),
  ];
}

/** What a linked device's phone announced or left out. */
function owedHistoryAlert({ row, owedHistory }: ConnectionFacts): Alert[] {
  if (owedHistory === undefined) return [];
  const { files, gaps, since } = owedHistory;
  return [
    alert('history_owed', row, {
      since,
      state: `${files} ${gaps}`,
      count: files + gaps,
      message: `${capitalized(owedHistoryWords(owedHistory))}.${gaps > owedHistory.named.length ? ' link status lists all.' : ''}`,
      remedy: owedRemedies(row.name, owedHistory)[0] ?? null,
    }),
  ];
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A webhook that was never set up is as silent as a broken one. */
function neverAlert({ row, times, removal }: ConnectionFacts, { now, silentHours }: Limits): Alert[] {
  const hours = (now - times.createdAt) / HOUR;
  if (removal !== null || row.lastLiveEventAt !== null || hours <= (silentHours ?? UNKNOWN_HOURS)) return [];
  return [
    alert('silent', row, {
      since: times.createdAt,
      state: null,
      message: `No event has ever arrived, and the connection was added ${spanOf(hours)} ago. Check the webhook subscription.`,
      remedy: archiveRemedy(row.name),
    }),
  ];
}

function silenceAlert(facts: ConnectionFacts, limits: Limits): Alert[] {
  const { row, report, removal } = facts;
  const { quietHours, toleratedHours, learnedFrom } = report.rhythm;
  if (row.lastLiveEventAt === null && report.messages.total === 0) return neverAlert(facts, limits);
  // The removal explains the silence, and is an alert itself.
  if (removal !== null || quietHours === null || toleratedHours === null || row.lastLiveEventAt === null)
    return [];
  if (quietHours <= toleratedHours) return [];
  const limit = {
    weeks: `up to ${spanOf(toleratedHours)} is usual at this time of the week`,
    little: `threshold ${spanOf(toleratedHours)}, too little traffic for a baseline`,
    option: `threshold ${spanOf(toleratedHours)}, --silent-after`,
  };
  return [
    alert('silent', row, {
      since: row.lastLiveEventAt,
      state: row.lastLiveEventAt,
      message: `No live event for ${spanOf(quietHours)} (${limit[learnedFrom]}). Check the webhook subscription.`,
      remedy: archiveRemedy(row.name),
    }),
  ];
}

function archiveRemedy(connection: string) {
  return remedy(
    'connection archive',
    [connection],
    'if the number is retired: it raises no more alerts then',
  );
}

/** What is known about the database as a whole. */
export interface WholeFacts {
  /** All entries, or those of the requested connection, with their owner (null: none). */
  entries: readonly { group: EntryGroup; connection: ConnectionRow | null }[];
  /** All existing connections. */
  connections: readonly ConnectionRow[];
  /** Whose pending entries may be that name a WABA alone; null without any. */
  unclaimed: Nameless | null;
  runs: readonly JudgedRun[];
  /** Rejects of items without a connection. */
  rejects: readonly RejectGroup[];
  now: number;
}

/** What is wrong with the raw log and the runs. */
export function wholeAlerts(facts: WholeFacts): Alert[] {
  return [
    ...pendingAlerts({
      ...facts,
      isAtWork: facts.runs.some(({ row, status }) => status === 'running' && row.command !== 'reconcile'),
    }),
    ...brokenAlerts(facts.entries.map(({ group }) => group)),
    ...rejectAlert(null, facts.rejects),
    ...diedAlerts(facts),
  ];
}

/** A dead run has left its work undone until a later run covers it, or a person accepts that. */
function diedAlerts({ runs }: WholeFacts): Alert[] {
  return runs
    .filter(({ row, status }) => status === 'died' && !row.isSucceeded)
    .map(({ row }) => {
      const finish = finishRun(row, 'finishes the work');
      const rest =
        finish === null ? 'whom it was for is not on record.' : 'the same command finishes the work.';
      return alert('run_died', null, {
        since: row.startedAt,
        state: row.id,
        subject: row.id,
        message: `The ${row.command} of ${minuteOf(row.startedAt)} died (process ${row.pid} on ${row.host}). What it had committed is stored; ${rest}`,
        remedy: finish ?? acceptDied(row),
      });
    });
}

/** A duration in hours, in readable form: `40 minutes`, `9 hours`, `3 days`. */
function spanOf(hours: number): string {
  if (hours < 1) return amount(Math.max(1, Math.round(hours * 60)), 'minute');
  if (hours < 48) return amount(Math.round(hours), 'hour');
  return amount(Math.round(hours / 24), 'day');
}
