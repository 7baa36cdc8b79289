import { midnight, wallTimeAt } from '../../model/time.js';
import type { MessageGroup } from '../../store/queries/report.js';
import type { DayCount } from './types.js';

/** How many days before the first shown one are read to learn what is usual. */
const LEARNED_DAYS = 28;
/** How many earlier days of the same weekday are compared. */
const PEERS = 4;
/** The share of them that must have had messages for an empty day to be a gap. */
const USUAL = 0.75;
/** In a young connection weekdays are indistinguishable: require this many known days of any weekday. */
const LEAST_DAYS = 5;

/** The days of a report, oldest first; `begins` are ms since 1970. The last entry is the end. */
export interface Calendar {
  labels: string[];
  begins: number[];
  /** Index of the first day shown; earlier ones only provide the baseline. */
  firstShown: number;
  /** The last day is not over yet: no verdict on it. */
  isOpen: boolean;
}

/** The last `days` days of a zone up to `until`, plus the baseline days before them. */
export function calendarOf(now: number, until: number, timeZone: string, days: number): Calendar {
  const last = wallTimeAt(until, timeZone);
  const labels: string[] = [];
  const begins: number[] = [];
  for (let back = days + LEARNED_DAYS - 1; back >= -1; back -= 1) {
    const date = new Date(Date.UTC(last.year, last.month - 1, last.day - back));
    if (back >= 0) labels.push(date.toISOString().slice(0, 10));
    begins.push(midnight(last, timeZone, -back) ?? date.getTime());
  }
  return { labels, begins, firstShown: LEARNED_DAYS, isOpen: now < (begins.at(-1) ?? now) };
}

/** A connection's messages per day, oldest first, with the days on which messages were expected and none came. */
export function daysOf(groups: readonly MessageGroup[], calendar: Calendar): DayCount[] {
  const inbound = new Array<number>(calendar.labels.length).fill(0);
  const outbound = new Array<number>(calendar.labels.length).fill(0);
  let livedBefore = false;
  for (const { day, direction, count } of groups) {
    if (day === 0) livedBefore = true;
    else if (day <= calendar.labels.length) {
      const counts = direction === 'INBOUND' ? inbound : outbound;
      counts[day - 1] = (counts[day - 1] ?? 0) + count;
    }
  }
  const totals = calendar.labels.map((_, index) => (inbound[index] ?? 0) + (outbound[index] ?? 0));
  const begin = livedBefore ? 0 : totals.findIndex((total) => total > 0);
  const judged = calendar.labels.length - (calendar.isOpen ? 1 : 0);
  return calendar.labels
    .map((day, index) => ({
      day,
      inbound: inbound[index] ?? 0,
      outbound: outbound[index] ?? 0,
      gap: begin !== -1 && index > begin && index < judged && isGap(totals, index, begin),
    }))
    .slice(calendar.firstShown);
}

/**
 * Whether a day (or an hour of a day) without messages stands out. Compared with the time before its silence: the same
 * weekdays, so that a shop closed on Sundays has no gap every Sunday, and a weeks-long outage does not become usual.
 */
export function isGap(totals: readonly number[], index: number, begin: number, least = 0): boolean {
  if ((totals[index] ?? 0) > 0) return false;
  let start = index;
  while (start > begin && (totals[start - 1] ?? 0) === 0) start -= 1;
  const peers: number[] = [];
  for (let peer = index - 7; peer >= begin && peers.length < PEERS; peer -= 7) {
    if (peer < start) peers.push(totals[peer] ?? 0);
  }
  if (peers.length >= 2) return isUsual(peers, least);
  const before = totals.slice(begin, start);
  return before.length >= LEAST_DAYS && isUsual(before, least);
}

/** `least`: minimum usual number of messages. */
function isUsual(totals: readonly number[], least: number): boolean {
  const sum = totals.reduce((all, total) => all + total, 0);
  return totals.filter((total) => total > 0).length >= totals.length * USUAL && sum >= least * totals.length;
}
