import type {
  Accounts,
  ConnectionReport,
  DeliveryFailure,
  HistoryRequestReport,
  MediaFilesReport,
  ReportResult,
  Rhythm,
  RunReport,
} from '../../commands/report/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { reasonInWords } from './reasons.js';
import { historyWords, onlyWitness } from './words.js';

/** Words that the page, the tables and the terminal share. Nothing in them is escaped or sanitized yet. */

const ACCOUNT_REASONS: Readonly<Record<string, string>> = {
  repeated: 'repeated: the message was there already',
  merged: 'merged into another row (the journal has it)',
  no_connection: 'of a number that no connection has',
};

/** Of the messages, those that only a CRM or an exported chat has: `3 only in evolution`; '' where there are none. */
export function adoptedWords({ messages: { byCrm = {} } }: Pick<ConnectionReport, 'messages'>): string {
  return Object.entries(byCrm)
    .map(([provider, count]) => `${formatCount(count)} only in ${onlyWitness(provider)}`)
    .join(', ');
}

/** Why items of the raw log are no rows: `skipped: sent in a group`. */
export function accountReason(key: string): string {
  const plain = ACCOUNT_REASONS[key];
  if (plain !== undefined) return plain;
  const dot = key.indexOf('.');
  return dot === -1
    ? reasonInWords(key)
    : `${key.slice(0, dot)}: ${pendingWords(key.slice(dot + 1)) ?? reasonInWords(key.slice(dot + 1))}`;
}

function pendingWords(reason: string): string | undefined {
  switch (reason) {
    case 'unknown_connection':
      return 'the connection is not known yet';
    case 'unfinished':
    case 'unfinished, requeued':
      return 'a run is in the middle of it';
    case 'requeued':
      return 'to be decided once more';
    default:
      return undefined;
  }
}

/** What to type about rows gone without a trace. */
export function unexplainedRemedy(connection: string | null): Remedy {
  const only = connection === null ? [] : ['--connection', connection];
  return remedy('verify', ['--check', 'raw_log', ...only], 'lists what is missing, and what restores it');
}

export function isBalanced({ unexplained }: Accounts): boolean {
  return unexplained === 0;
}

/** `completed`, `syncing 55%, phase 1, 2 chunks missing`. */
export function historySentence({ historySync, historyRequest }: ConnectionReport): string {
  const { missingChunks, phase, status } = historySync;
  return [
    historyWords(historySync),
    ...(historyRequest === null ? [] : [requestWords(historyRequest)]),
    ...(status === 'syncing' && phase !== null ? [`phase ${phase}`] : []),
    ...(missingChunks.length > 0
      ? [`${formatAmount(missingChunks.length, 'chunk')} missing (${chunkList(missingChunks)})`]
      : []),
  ].join(', ');
}

function requestWords({ requestedAt, outcome, isWaiting }: HistoryRequestReport): string {
  const when = `${minute(requestedAt)} UTC`;
  switch (outcome) {
    case 'accepted':
      return isWaiting ? `requested, waiting since ${when}` : `requested ${when}`;
    case 'refused':
      return `request refused by Meta ${when}`;
    case 'sent':
    case 'unknown':
      return `requested ${when}, no answer known`;
  }
}

/** `12 fetched, 3 to fetch (the next expires 2026-11-30 03:00 UTC), last run 2026-11-29 03:00 UTC`. */
export function mediaFilesWords(files: MediaFilesReport): string {
  const { fetched, owed, expired, denied, mismatch, nextExpiryAt, lastFetchAt } = files;
  const next = nextExpiryAt === null ? '' : ` (the next expires ${minute(nextExpiryAt)} UTC)`;
  const parts: readonly (readonly [number, string])[] = [
    [fetched, 'fetched'],
    [owed, `to fetch${next}`],
    [expired, 'expired'],
    [denied, 'refused'],
    [mismatch, 'not what was announced'],
  ];
  return [
    ...parts.filter(([count]) => count > 0).map(([count, words]) => `${formatCount(count)} ${words}`),
    lastFetchAt === null ? 'no run has completed yet' : `last run ${minute(lastFetchAt)} UTC`,
  ].join(', ');
}

function chunkList(chunks: readonly string[]): string {
  const shown = chunks.slice(0, 5).join(', ');
  return chunks.length > 5 ? `${shown}, +${chunks.length - 5}` : shown;
}

const ONBOARDED_BY: Record<ConnectionReport['onboardedBy'], string> = {
  webhook: '',
  evidence: ' (first activity seen)',
  added: ' (added here)',
};

export function onboardedWords({ onboardedAt, onboardedBy }: ConnectionReport): string {
  return onboardedAt === null ? 'not known' : `${minute(onboardedAt)}${ONBOARDED_BY[onboardedBy]}`;
}

/** `3 h ago; up to 14 h is usual now`. */
export function quietWords({ quietHours, toleratedHours, learnedFrom }: Rhythm): string {
  if (quietHours === null || toleratedHours === null) return '';
  const limit = hours(toleratedHours);
  const words = {
    weeks: `up to ${limit} is usual now`,
    little: `threshold ${limit}, too little traffic for a baseline`,
    option: `threshold ${limit} (--silent-after)`,
  };
  return `${hours(quietHours)} ago; ${words[learnedFrom]}`;
}

function hours(value: number): string {
  if (value < 1) return `${Math.max(1, Math.round(value * 60))} min`;
  return value < 48 ? `${Math.round(value)} h` : `${Math.round(value / 24)} days`;
}

/** Says that the days do not end today; null where they do, or where another day was asked for. */
export function newestDayWords({ newestDay, connections }: ReportResult): string | null {
  const days = connections[0]?.days.length ?? 0;
  return newestDay === null
    ? null
    : `No messages in the last ${formatAmount(days, 'day')}: these days end with the newest one that has some, ${newestDay}.`;
}

/** `2026-11-20 12:03`, UTC. */
export function minute(instant: string | null): string {
  return instant === null ? 'never' : instant.slice(0, 16).replace('T', ' ');
}

/** `2026-11-03 14:00 UTC`; null stays null, and its field is left out. */
export function utc(instant: string): string;
export function utc(instant: string | null): string | null;
export function utc(instant: string | null): string | null {
  return instant === null ? null : `${minute(instant)} UTC`;
}

export function kindWords(kind: string): string {
  return kind;
}

/** `77 processed`, `2 without anything to store`; statuses that no entry has are left out. */
export function entryWords(entries: Readonly<Record<string, number>>): string[] {
  const words = new Map([
    ['ignored', 'with nothing to store'],
    ['unrecognized', 'in an unknown format'],
    ['partial', 'in part'],
  ]);
  return Object.entries(entries)
    .filter(([, count]) => count > 0)
    .map(([status, count]) => `${formatCount(count)} ${words.get(status) ?? status}`);
}

/** A run's verdict without the status that it begins with: that has its own column. */
export function verdictWords({ verdict, status }: Pick<RunReport, 'verdict' | 'status'>): string {
  return verdict === null
    ? ''
    : verdict.startsWith(`${status}: `)
      ? verdict.slice(status.length + 2)
      : verdict;
}

/** Messages that failed for one reason: `12 for 131047 Re-engagement message`. */
export function failureWords({ code, title, messages }: DeliveryFailure): string {
  const words = [code, title].filter((part) => part !== null).join(' ');
  return `${formatCount(messages)} for ${words === '' ? 'an unknown reason' : words}`;
}
