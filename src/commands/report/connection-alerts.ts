import { remedy } from '../../model/remedy.js';
import { amount } from '../../model/amount.js';
import { alert, type Alert } from '../../audit/alert.js';
import { rejectAlert } from '../../audit/left-out.js';
import type { ConnectionFacts } from './facts.js';
import { listOf, minuteOf, spanOf } from './words.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Chunks follow each other within minutes; after so long without one the rest is not on its way. */
const STALLED = 24 * HOUR;
/** Meta takes a request for history so long after a number was connected. */
const REQUEST_WINDOW = 24 * HOUR;
const CHUNKS_NAMED = 5;

/** When alerts are due. */
export interface Limits {
  now: number;
  historyMinutes: number;
  /** Recent, for alerts that no remedy ends; ms since 1970. */
  recentSince: number;
  days: number;
}

/** Everything that is wrong with one connection. Nothing is expected of an archived one; what it lost is still lost. */
export function connectionAlerts(facts: ConnectionFacts, limits: Limits): Alert[] {
  const rejects = rejectAlert(facts.row, facts.rejects, limits.days);
  if (facts.times.archivedAt !== null) return rejects;
  return [
    ...removalAlert(facts),
    ...historyAlerts(facts, limits),
    ...chunkAlerts(facts, limits),
    ...silenceAlert(facts),
    ...rejects,
    ...pendingFactAlert(facts),
  ];
}

function removalAlert({ row, removal }: ConnectionFacts): Alert[] {
  if (removal === null) return [];
  const why = removal.reason === null ? '' : ` (${removal.reason})`;
  return [
    alert('partner_removed', row, {
      since: removal.at,
      state: removal.at,
      message: `The number was disconnected from the platform: ${removal.event}${why}. Nothing arrives until the business connects it again.`,
      remedy: archiveRemedy(row.name),
    }),
  ];
}

function historyAlerts(facts: ConnectionFacts, { now, historyMinutes }: Limits): Alert[] {
  const { row, times, report, lastHistoryAt } = facts;
  const error = row.historySyncError === null ? '' : ` (${row.historySyncError})`;
  switch (row.historySyncStatus) {
    case 'declined':
      return [
        alert('declined', row, {
          since: lastHistoryAt,
          state: row.historySyncError,
          message: `The business does not share its history${error}. To share it, it has to disconnect the number and connect it again, with sharing switched on in its app.`,
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
      const onboardedAt = report.onboardedAt === null ? times.createdAt : Date.parse(report.onboardedAt);
      const due = onboardedAt + historyMinutes * MINUTE;
      if (now < due) return [];
      return [
        alert('no_history', row, {
          since: due,
          state: row.historySyncStatus,
          message: `No history came in the ${spanOf((now - onboardedAt) / HOUR)} since the number was connected.${requestAdvice(facts, onboardedAt, now)}`,
        }),
      ];
    }
    case 'syncing':
    case 'completed':
    case 'not_supported':
      return [];
  }
}

function requestAdvice({ row }: ConnectionFacts, onboardedAt: number, now: number): string {
  if (row.kind !== 'coexistence') return '';
  const until = onboardedAt + REQUEST_WINDOW;
  return now < until
    ? ` It can be requested from Meta until ${minuteOf(until)}, once.`
    : ' Meta takes no request for it any more: the number has to be connected again.';
}

function chunkAlerts({ row, report, times }: ConnectionFacts, { now }: Limits): Alert[] {
  const { missingChunks, progress, status } = report.historySync;
  const check = remedy(
    'verify',
    ['--check', 'history_ledger', '--connection', row.name],
    'lists every chunk that is missing',
  );
  if (missingChunks.length > 0) {
    return [
      alert('chunk_missing', row, {
        since: times.lastChunkAt,
        state: missingChunks.join(' '),
        count: missingChunks.length,
        message: `${amount(missingChunks.length, 'chunk')} of history missing (phase/chunk): ${listOf(missingChunks, CHUNKS_NAMED)}. A log that holds ${missingChunks.length === 1 ? 'it' : 'them'} can still be replayed.`,
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

function silenceAlert({ row, report, removal }: ConnectionFacts): Alert[] {
  const { quietHours, toleratedHours, learnedFrom } = report.rhythm;
  // The removal is the reason for the silence, and is an alert itself.
  if (removal !== null || quietHours === null || toleratedHours === null || row.lastLiveEventAt === null)
    return [];
  if (quietHours <= toleratedHours) return [];
  const limit = {
    weeks: `up to ${spanOf(toleratedHours)} is usual at this time of the week`,
    little: `${spanOf(toleratedHours)} is the limit (not enough traffic for a baseline)`,
    option: `${spanOf(toleratedHours)} is the limit (--silent-after)`,
  };
  return [
    alert('silent', row, {
      since: row.lastLiveEventAt,
      state: row.lastLiveEventAt,
      message: `No live event came for ${spanOf(quietHours)}; ${limit[learnedFrom]}. Check that its webhooks still arrive.`,
      remedy: archiveRemedy(row.name),
    }),
  ];
}

function archiveRemedy(connection: string) {
  return remedy(
    'connection archive',
    [connection],
    'if the number is retired: nothing is expected of it any more',
  );
}

function pendingFactAlert({ row, pendingFacts }: ConnectionFacts): Alert[] {
  if (pendingFacts === undefined || pendingFacts.old.count === 0) return [];
  const { count, firstAt, lastAt } = pendingFacts.old;
  return [
    alert('pending_facts', row, {
      since: firstAt,
      state: lastAt,
      count,
      message: `${amount(count, 'status, edit or reaction has', 'statuses, edits or reactions have')} been pending for more than a day: target message not received.`,
      remedy: remedy(
        'verify',
        ['--check', 'pending_facts', '--connection', row.name],
        'lists the missing target messages',
      ),
    }),
  ];
}
