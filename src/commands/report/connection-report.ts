import { isAwaited } from '../../audit/awaited-request.js';
import type { MediaState, MessageSource } from '../../model/enumerations.js';
import type {
  AdoptedGroup,
  PendingFactGroup,
  FailureGroup,
  LiveRhythm,
  MessageGroup,
} from '../../store/queries/report.js';
import type { ConnectionRow, ConnectionTimes } from '../../store/tables/connections.js';
import type { HistoryRequestRow } from '../../store/tables/graph.js';
import type { MediaCount } from '../../store/tables/media-files.js';
import { daysOf, type Calendar } from './days.js';
import type { Accounts, ConnectionReport, DeliveryFailure, MediaFilesReport } from './types.js';
import { rhythmOf } from './rhythm.js';
import { hoursOf, lastDayOf, type Traffic } from './traffic.js';
import { rfc3339 } from '../../model/time.js';

/** A connection's report without its alerts, which are derived from it. */
export type ConnectionFigures = Omit<ConnectionReport, 'severity' | 'counts'>;

/** What was read about one connection. */
export interface ConnectionParts {
  times: ConnectionTimes;
  groups: readonly MessageGroup[];
  adopted: readonly AdoptedGroup[];
  failures: readonly FailureGroup[];
  rhythm: LiveRhythm | undefined;
  people: { conversations: number; leads: number };
  tickets: { open: number; closed: number };
  pendingFacts: PendingFactGroup | undefined;
  missingChunks: string[];
  missingFiles: number;
  /** The newest request for its history. */
  historyRequest: HistoryRequestRow | undefined;
  /** The files named by its messages, by state; empty if this tool fetches none. */
  media: readonly MediaCount[];
  /** When a run last fetched them. */
  lastMediaFetchAt: number | null;
}

/** Other facts about it. Times in ms since 1970. */
export interface Surroundings {
  now: number;
  calendar: Calendar;
  accounts: Accounts;
  traffic: Traffic;
  /** The time zone for hourly counts; null if not requested. */
  hoursIn: string | null;
  /** When its first entry arrived, if the log says so. */
  firstEntryAt: number | null;
  /** When its last history entry arrived, chunk or error. */
  lastHistoryAt: number | null;
  silentHours?: number;
}

export function describeConnection(
  row: ConnectionRow,
  parts: ConnectionParts,
  { now, calendar, accounts, traffic, hoursIn, firstEntryAt, lastHistoryAt, silentHours }: Surroundings,
): ConnectionFigures {
  const { groups, times } = parts;
  const live = groups.filter(({ source }) => source !== 'history');
  const pendingFacts = parts.pendingFacts?.count ?? 0;
  const rhythm = rhythmOf(
    { lastAt: row.lastLiveEventAt, firstAt: earliest(live), rhythm: parts.rhythm },
    now,
    silentHours,
  );
  return {
    id: row.id,
    name: row.name,
    organization: times.organization,
    kind: row.kind,
    phone: row.displayPhoneNumber,
    historySync: {
      status: row.historySyncStatus,
      phase: row.historySyncPhase,
      chunkOrder: row.historySyncChunkOrder,
      progress: row.historySyncProgress,
      missingChunks: parts.missingChunks,
      missingFiles: parts.missingFiles,
      ...(row.historySyncError === null ? {} : { error: row.historySyncError }),
      startedAt: rfc3339(row.historySyncStartedAt),
      completedAt: rfc3339(row.historySyncCompletedAt),
    },
    historyRequest: requestOf(parts.historyRequest, lastHistoryAt, times.webhookActivatedAt),
    ...onboardingOf(times, [
      firstEntryAt,
      times.firstChunkAt,
      row.historySyncStartedAt,
      earliest(groups.filter(({ source }) => source === 'live')),
    ]),
    lastLiveEventAt: rfc3339(row.lastLiveEventAt),
    lastSyncAt: rfc3339(times.lastSyncAt),
    archivedAt: rfc3339(times.archivedAt),
    ...parts.people,
    messages: messagesOf(groups, parts.adopted),
    tickets: parts.tickets,
    mediaOwed: mediaOwedIn(groups),
    mediaFiles: mediaFilesOf(parts.media, parts.lastMediaFetchAt),
    deliveryFailures: deliveryFailuresOf(parts.failures),
    accounts,
    rhythm,
    pendingFacts,
    pending: pendingFacts + pendingMessages(accounts),
    lastDay: lastDayOf(traffic, now, earliest(groups)),
    days: daysOf(groups, calendar),
    ...(hoursIn === null
      ? {}
      : { hours: hoursOf(traffic, calendar, { now, timeZone: hoursIn, firstAt: earliest(groups) }) }),
  };
}

/** Messages of entries due for replay. */
function pendingMessages({ explained }: Accounts): number {
  return Object.entries(explained).reduce(
    (sum, [reason, count]) => (reason.startsWith('pending.') ? sum + count : sum),
    0,
  );
}

function onboardingOf(
  times: ConnectionTimes,
  evidence: readonly (number | null)[],
): Pick<ConnectionReport, 'onboardedAt' | 'onboardedBy'> {
  if (times.webhookActivatedAt !== null) {
    return { onboardedAt: rfc3339(times.webhookActivatedAt), onboardedBy: 'webhook' };
  }
  const known = evidence.filter((at) => at !== null);
  return known.length > 0
    ? { onboardedAt: rfc3339(Math.min(...known)), onboardedBy: 'evidence' }
    : { onboardedAt: rfc3339(times.createdAt), onboardedBy: 'added' };
}

function requestOf(
  row: HistoryRequestRow | undefined,
  lastHistoryAt: number | null,
  connectedAt: number | null,
): ConnectionReport['historyRequest'] {
  if (row === undefined) return null;
  const { requestedAt, requestId, outcome } = row;
  return {
    requestedAt: new Date(requestedAt).toISOString(),
    requestId,
    outcome,
    isWaiting: isAwaited(row, { lastHistoryAt, connectedAt }),
  };
}

function messagesOf(
  groups: readonly MessageGroup[],
  adopted: readonly AdoptedGroup[],
): ConnectionReport['messages'] {
  const count = (fits: (group: MessageGroup) => boolean): number =>
    groups.filter(fits).reduce((sum, group) => sum + group.count, 0);
  const from = (source: MessageSource): number => count((group) => group.source === source);
  return {
    total: count(() => true),
    byDirection: {
      INBOUND: count(({ direction }) => direction === 'INBOUND'),
      OUTBOUND: count(({ direction }) => direction === 'OUTBOUND'),
    },
    bySource: { app_echo: from('app_echo'), history: from('history'), live: from('live') },
    ...(adopted.length === 0
      ? {}
      : { byCrm: Object.fromEntries(adopted.map(({ provider, count: number }) => [provider, number])) }),
    firstAt: rfc3339(earliest(groups)),
    lastAt: rfc3339(groups.length === 0 ? null : Math.max(...groups.map(({ lastAt }) => lastAt))),
  };
}

function mediaOwedIn(groups: readonly MessageGroup[]): ConnectionReport['mediaOwed'] {
  const owed = groups.reduce((sum, group) => sum + group.owed, 0);
  const expired = groups.reduce((sum, group) => sum + group.owedExpired, 0);
  return { waiting: owed - expired, expired };
}

function mediaFilesOf(media: readonly MediaCount[], lastFetchAt: number | null): MediaFilesReport | null {
  const of = (state: MediaState): MediaCount[] => media.filter((one) => one.state === state);
  const files = (state: MediaState): number => of(state).reduce((sum, one) => sum + one.files, 0);
  if (lastFetchAt === null && !media.some(({ isFetched }) => isFetched)) return null;
  const ends = of('owed').flatMap(({ firstExpiresAt }) => firstExpiresAt ?? []);
  return {
    fetched: files('fetched'),
    owed: files('owed'),
    expired: files('expired'),
    denied: files('denied'),
    mismatch: files('mismatch'),
    bytes: of('fetched').reduce((sum, { bytes }) => sum + bytes, 0),
    nextExpiryAt: rfc3339(ends.length === 0 ? null : Math.min(...ends)),
    lastFetchAt: rfc3339(lastFetchAt),
  };
}

/** Failed messages by code, most frequent first. A message with two errors counts under both. */
function deliveryFailuresOf(groups: readonly FailureGroup[]): DeliveryFailure[] {
  const byCode = new Map<string, DeliveryFailure & { mostAs: number }>();
  for (const { errors, count } of groups) {
    for (const { code = null, title = null } of errors) {
      const key = code === null ? `~${title ?? ''}` : String(code);
      const known = byCode.get(key) ?? { code, title: null, messages: 0, mostAs: 0 };
      known.messages += count;
      // Meta has reworded titles; the most common one names the code.
      if (
        title !== null &&
        (count > known.mostAs || (count === known.mostAs && title > (known.title ?? '')))
      ) {
        known.title = title;
        known.mostAs = count;
      }
      byCode.set(key, known);
    }
  }
  return [...byCode.values()]
    .map(({ code, title, messages }) => ({ code, title, messages }))
    .sort((a, b) => b.messages - a.messages || (a.code ?? 0) - (b.code ?? 0));
}

function earliest(groups: readonly MessageGroup[]): number | null {
  return groups.length === 0 ? null : Math.min(...groups.map(({ firstAt }) => firstAt));
}
