import { midnight, wallTimeAt } from '../../model/time.js';
import type { MessageGroup } from '../../store/queries/report.js';
import type { DayCount } from './types.js';

/** How many days before the first one shown are looked at, to know what is usual. */
const LEARNED_DAYS = 28;
/** How many earlier days of the same weekday are asked. */
const PEERS = 4;
/** This part of them must have had messages, for a day without any to be a gap. */
const USUAL = 0.75;
/** In a young connection the weekdays cannot be told apart yet: then so many days must be known, whatever weekday. */
const LEAST_DAYS = 5;

/** The days that a report looks at, the oldest first; `begins` are ms since 1970. The last one is last. */
export interface Calendar {
  labels: string[];
  begins: number[];
  /** Index of the first day that is shown; those before it are only learned from. */
  firstShown: number;
  /** The last day is not over yet: nothing can be said about it. */
  isOpen: boolean;
}

/** The last `days` days of a zone up to `until`, with those before them that show what is usual. */
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

/** A connection's messages per day, oldest first, with the days on which some were to be expected and none came. */
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
 * Whether a day (or an hour of a day) without messages stands out. It is measured by what was before the silence that it is a part of: the same
 * weekdays, so that a shop that is closed on Sundays has no gap every Sunday, and an outage of weeks does not become usual.
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

/** `least`: so many messages have to be usual. */
function isUsual(totals: readonly number[], least: number): boolean {
  const sum = totals.reduce((all, total) => all + total, 0);
  return totals.filter((total) => total > 0).length >= totals.length * USUAL && sum >= least * totals.length;
}
