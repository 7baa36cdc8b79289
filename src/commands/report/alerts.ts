import { commandOfRun } from '../../ingest/runs/recorded-command.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import {
  alert,
  brokenAlerts,
  candidatesOf,
  foreignAlert,
  markAlert,
  namelessRemedy,
  rejectAlert,
  type Alert,
} from '../../audit/alert.js';
import { amount, count as countWords } from '../../model/amount.js';
import { MEDIA_STATES, type Provider } from '../../model/enumerations.js';
import { remedy } from '../../model/remedy.js';
import type { PendingFactGroup, EntryGroup } from '../../store/queries/report.js';
import type { ConnectionRow, ConnectionTimes } from '../../store/tables/connections.js';
import type { OwedHistory } from '../../store/tables/history.js';
import type { MediaCount } from '../../store/tables/media-files.js';
import type { RejectGroup } from '../../store/tables/rejects.js';
import type { AccountEvent } from './removals.js';
import { owedHistoryWords } from '../../audit/owed-history.js';
import { minuteOf } from '../../model/time.js';
import type { ConnectionFigures } from './connection-report.js';
import { UNKNOWN_HOURS } from './rhythm.js';
import type { HistoryRequestReport } from './types.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Chunks follow each other within minutes; after so long without one the rest is not on its way. */
const STALLED = 24 * HOUR;
/** Meta takes a request for history so long after a number was connected. */
const REQUEST_WINDOW = 24 * HOUR;
const CHUNKS_NAMED = 5;
const NUMBERS_NAMED = 3;

/** Reasons of entries that a run is at work on, and takes up again by itself if it is killed. */
const IN_WORK = new Set(['unfinished', 'unfinished, requeued', 'requeued']);

/** What is known about one connection when its alerts are decided. */
export interface ConnectionFacts {
  row: ConnectionRow;
  times: ConnectionTimes;
  report: ConnectionFigures;
  /** When the last entry of its history came, chunk or error; ms since 1970. */
  lastHistoryAt: number | null;
  removal: AccountEvent | null;
  rejects: readonly RejectGroup[];
  pendingFacts: PendingFactGroup | undefined;
  /** Messages that name no raw entry. */
  foreign: number;
  /** Messages of the raw log that another program has marked. */
  marked: number;
  /** History that its phone has and that did not arrive. */
  owedHistory: OwedHistory | undefined;
  /** The files that its messages name, by state. */
  media: readonly MediaCount[];
}

/** When alerts are due. */
export interface Limits {
  now: number;
  historyMinutes: number;
  /** How long a connection may be silent, where that is given instead of learned. */
  silentHours?: number | undefined;
}

/**
 * Everything to know about one connection. Nothing is expected of an archived one; what it has lost, or has from elsewhere,
 * does not change with that.
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
    ...pendingFactAlert(facts),
    ...mediaAlerts(facts),
    ...foreign,
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

function historyAlerts(facts: ConnectionFacts, limits: Limits): Alert[] {
  const { now, historyMinutes } = limits;
  const { row, times, report, lastHistoryAt } = facts;
  // What came before the request is about an earlier connecting of the number.
  if (report.historyRequest?.isWaiting === true) return requestAlerts(facts, report.historyRequest, limits);
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
      // As for verify: WhatsApp Web sends a history, or part of it, when it likes, and WAHA keeps it to itself.
      if (row.kind === 'baileys') return [];
      const onboardedAt = report.onboardedAt === null ? times.createdAt : Date.parse(report.onboardedAt);
      const due = onboardedAt + historyMinutes * MINUTE;
      if (now < due) return [];
      return [
        alert('no_history', row, {
          since: due,
          state: row.historySyncStatus,
          message: `No history came in the ${spanOf((now - onboardedAt) / HOUR)} since the number was connected.${requestAdvice(facts, onboardedAt, now)}`,
          ...(row.kind === 'coexistence' &&
          now < onboardedAt + REQUEST_WINDOW &&
          report.historyRequest === null
            ? { remedy: remedy('history request', [row.name], 'shows what it takes, and requests it') }
            : {}),
        }),
      ];
    }
    case 'syncing':
    case 'completed':
    case 'not_supported':
      return [];
  }
}

/** Meta has accepted a request, and a decline would have come as a webhook, too. */
function requestAlerts(
  { row, report, times }: ConnectionFacts,
  { requestedAt, requestId }: HistoryRequestReport,
  { now, historyMinutes }: Limits,
): Alert[] {
  const requested = Date.parse(requestedAt);
  const onboarded = report.onboardedAt === null ? times.createdAt : Date.parse(report.onboardedAt);
  const patience = historyMinutes * MINUTE;
  // Not later than verify, which waits for a day after the onboarding.
  const due = Math.min(requested + patience, onboarded + Math.max(patience, REQUEST_WINDOW));
  if (now < Math.max(due, requested)) return [];
  return [
    alert('no_history', row, {
      since: requested,
      state: row.historySyncStatus,
      message: `History was requested ${spanOf((now - requested) / HOUR)} ago and nothing came. Check that its webhooks arrive, then give Meta’s support the request_id ${requestId ?? '(unknown)'}.`,
      remedy: remedy('connection check', [row.name], 'asks Meta what could be wrong'),
    }),
  ];
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

/** What the phone of a linked device has announced or left out. */
function owedHistoryAlert({ row, owedHistory }: ConnectionFacts): Alert[] {
  if (owedHistory === undefined) return [];
  const { files, gaps, since } = owedHistory;
  return [
    alert('history_owed', row, {
      since,
      state: `${files} ${gaps}`,
      count: files + gaps,
      message: `${owedHistoryWords(owedHistory)}.${gaps === 0 ? '' : ' The next import of such a chat requests its part first.'}`,
      remedy:
        files === 0
          ? remedy('link status', [], 'shows what is missing')
          : remedy('link', ['--connection', row.name], 'downloads the files again'),
    }),
  ];
}

/** A webhook that was never set up is as silent as one that broke. */
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
  // The removal is the reason for the silence, and is an alert itself.
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

/** Files that this tool fetches, and that are about to be lost, or are. */
function mediaAlerts({ row, media }: ConnectionFacts): Alert[] {
  const lists = remedy('verify', ['--check', 'media_owed', '--connection', row.name], 'lists their messages');
  const again = remedy('media fetch', [row.name, '--again'], 'asks for them once more');
  return MEDIA_STATES.flatMap((state): Alert[] => {
    const counts = media.filter((one) => one.state === state && one.due > 0);
    const due = counts.reduce((sum, one) => sum + one.due, 0);
    if (due === 0) return [];
    const soonest = leastOf(counts.map(({ firstDueAt }) => firstDueAt));
    // One more of them is a new matter, and so is another one in the place of one that came after all.
    const known = `${due} ${Math.max(...counts.map(({ lastAt }) => lastAt))}`;
    switch (state) {
      case 'fetched':
        return [];
      case 'expired':
        return [
          alert('media_expired', row, {
            since: soonest,
            state: due,
            count: due,
            message: `${amount(due, 'file was', 'files were')} not fetched before WhatsApp forgot ${due === 1 ? 'it' : 'them'}.`,
            remedy: lists,
          }),
        ];
      case 'owed':
        return [
          alert('media_expiring', row, {
            since: null,
            state: soonest,
            count: due,
            message: `${amount(due, 'file has', 'files have')} not been fetched, and Meta forgets ${due === 1 ? 'it' : 'the first of them'} ${soonest === null ? 'within a day' : `at ${minuteOf(soonest)}`}.`,
            remedy: remedy('media fetch', [row.name], 'fetches them'),
          }),
        ];
      case 'denied':
        return [
          alert('media_denied', row, {
            since: null,
            state: known,
            count: due,
            message: `${amount(due, 'file was', 'files were')} refused, and ${due === 1 ? 'is' : 'are'} not here.`,
            remedy: again,
          }),
        ];
      case 'mismatch':
        return [
          alert('media_mismatch', row, {
            since: null,
            state: known,
            count: due,
            message: `${amount(due, 'file was', 'files were')} not what the message announced, and ${due === 1 ? 'was' : 'were'} not kept.`,
            remedy: again,
          }),
        ];
    }
  });
}

function leastOf(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** What is known about the database as a whole. */
export interface WholeFacts {
  /** All entries, or those of the one connection that was asked for, with whose they are (null: nobody's). */
  entries: readonly { group: EntryGroup; connection: ConnectionRow | null }[];
  /** Every connection there is. */
  connections: readonly ConnectionRow[];
  runs: readonly JudgedRun[];
  /** Rejects of items that no connection takes. */
  rejects: readonly RejectGroup[];
  now: number;
}

/** What is wrong with the raw log and the runs. */
export function wholeAlerts(facts: WholeFacts): Alert[] {
  return [
    ...pendingAlerts(facts),
    ...brokenAlerts(facts.entries.map(({ group }) => group)),
    ...rejectAlert(null, facts.rejects),
    ...diedAlerts(facts),
  ];
}

interface Waiting {
  connection: ConnectionRow | null;
  reason: string;
  count: number;
  since: number;
  newest: number;
  numbers: Set<string>;
  nameless: number;
  providers: Set<Provider>;
}

function pendingAlerts(facts: WholeFacts): Alert[] {
  const atWork = facts.runs.some(({ row, status }) => status === 'running' && row.command !== 'reconcile');
  const waiting = new Map<string, Waiting>();
  for (const { group, connection } of facts.entries) {
    if (group.status !== 'pending') continue;
    const reason = group.reason ?? 'pending';
    if (atWork && IN_WORK.has(reason)) continue;
    const key = `${connection?.id ?? ''} ${reason}`;
    const known: Waiting = waiting.get(key) ?? {
      connection,
      reason,
      count: 0,
      since: group.firstStoredAt,
      newest: group.lastStoredAt,
      numbers: new Set(),
      nameless: 0,
      providers: new Set(),
    };
    known.count += group.count;
    known.since = Math.min(known.since, group.firstStoredAt);
    known.newest = Math.max(known.newest, group.lastStoredAt);
    known.providers.add(group.provider);
    for (const number of group.phoneNumberIds) known.numbers.add(number);
    if (group.phoneNumberIds.length === 0 && group.scope === null) known.nameless += group.count;
    waiting.set(key, known);
  }
  return [...waiting.values()].map((one) => pendingAlert(one, facts));
}

function pendingAlert(waiting: Waiting, { connections }: WholeFacts): Alert {
  const { connection, count, since, newest, reason } = waiting;
  const entries = amount(count, 'entry is', 'entries are');
  const isUnknown = reason === 'unknown_connection' && connection === null;
  const isNameless = isUnknown && waiting.nameless === count;
  const message = isNameless
    ? `${entries} pending: ${count === 1 ? 'it names' : 'they name'} no connection, so say which one ${count === 1 ? 'it belongs' : 'they belong'} to.`
    : isUnknown
      ? `${entries} pending for a connection that does not exist yet: phone_number_id ${listOf([...waiting.numbers].sort(), NUMBERS_NAMED)}.`
      : `${entries} pending (${reason.replaceAll('_', ' ')}).`;
  return alert('entries_pending', connection, {
    since,
    state: newest,
    subject: reason,
    count,
    message,
    remedy: isNameless
      ? namelessRemedy(candidatesOf(connections, waiting.providers))
      : isUnknown
        ? remedy('replay', ['--register'], 'creates the connections that the entries name, and imports them')
        : remedy('replay', [], 'imports the pending entries'),
  });
}

/** A run that died has left its work undone until a later run has covered it, or somebody accepts that. */
function diedAlerts({ runs }: WholeFacts): Alert[] {
  return runs
    .filter(({ row, status }) => status === 'died' && !row.isSucceeded)
    .map(({ row }) =>
      alert('run_died', null, {
        since: row.startedAt,
        state: row.id,
        subject: row.id,
        message: `The ${row.command} of ${minuteOf(row.startedAt)} died (process ${row.pid} on ${row.host}). What it had committed is stored; the same command finishes the work.`,
        remedy: commandOfRun(row.command, row.options, 'finishes the work'),
      }),
    );
}

/** Hours as people say them: `40 minutes`, `9 hours`, `3 days`. */
function spanOf(hours: number): string {
  if (hours < 1) return amount(Math.max(1, Math.round(hours * 60)), 'minute');
  if (hours < 48) return amount(Math.round(hours), 'hour');
  return amount(Math.round(hours / 24), 'day');
}

/** `1/3, 1/5 and 12 more`. */
export function listOf(words: readonly string[], most: number): string {
  const shown = words.slice(0, most).join(', ');
  return words.length > most ? `${shown} and ${countWords(words.length - most)} more` : shown;
}
