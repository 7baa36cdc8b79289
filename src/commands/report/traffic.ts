import { wallTimeAt } from '../../model/time.js';
import type { TrafficSlice } from '../../store/queries/report.js';
import { isGap, type Calendar } from './days.js';
import type { DayHours, LastDay } from './types.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** How many earlier weeks define what is usual. */
const WEEKS = 4;
/** With more days than this, hours are too many columns. */
const HOUR_DAYS = 31;
/** An hour with fewer usual messages may well have none: with six, one in 400 does. */
const LEAST_MESSAGES = 6;

/** Messages of one connection, counted between consecutive moments. */
export class Traffic {
  constructor(
    private readonly bounds: readonly number[],
    private readonly slices: readonly Omit<TrafficSlice, 'connectionId'>[],
  ) {}

  /** Messages from one of the moments until another. */
  between(from: number, to: number): number {
    let total = 0;
    this.each((begin, count) => {
      if (begin >= from && begin < to) total += count;
    });
    return total;
  }

  each(visit: (begin: number, count: number) => void): void {
    for (const { slice, count } of this.slices) {
      const begin = this.bounds[slice];
      if (begin !== undefined) visit(begin, count);
    }
  }
}

/** The moments to count messages between, ascending; `calendar`: includes every hour of its days. */
export function trafficBounds(now: number, calendar: Calendar | null): number[] {
  const bounds = lastDays(now).flatMap(({ from, to }) => [from, to]);
  if (calendar !== null) {
    const { begins } = calendar;
    const end = begins.at(-1) ?? now;
    for (let begin = begins[firstHourDay(calendar)] ?? end; begin < end; begin += HOUR) bounds.push(begin);
    // Clocks that change by half an hour start a day between two hours.
    bounds.push(...begins.slice(firstHourDay(calendar)));
  }
  return [...new Set(bounds)].sort((a, b) => a - b);
}

/** The 24 hours before `now`, and those of earlier weeks, nearest first. */
function lastDays(now: number): { from: number; to: number }[] {
  return Array.from({ length: WEEKS + 1 }, (_, week) => ({
    from: now - week * WEEK - DAY,
    to: now - week * WEEK,
  }));
}

/** Index of the first day with hourly counts: those before the shown ones only provide the baseline. */
function firstHourDay({ labels, firstShown }: Calendar): number {
  return Math.max(0, labels.length - HOUR_DAYS - firstShown);
}

/** How the last 24 hours compare with those of earlier weeks within the connection's life. */
export function lastDayOf(traffic: Traffic, now: number, firstAt: number | null): LastDay {
  const [last, ...earlier] = lastDays(now).map(({ from, to }) => ({
    from,
    count: traffic.between(from, to),
  }));
  const known = earlier.filter(({ from }) => firstAt !== null && from >= firstAt).map(({ count }) => count);
  return { messages: last?.count ?? 0, usual: median(known) };
}

function median(counts: readonly number[]): number | null {
  const sorted = [...counts].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : Math.round((low + high) / 2);
}

/**
 * Messages by local day and hour, with the hours in which messages were expected and none came. An hour is compared
 * with the same hour of the same weekday, as a day is. On a day that is a gap as a whole, an hour needs no minimum: too few
 * messages to miss in one hour are missed in a day of such hours.
 */
export function hoursOf(
  traffic: Traffic,
  calendar: Calendar,
  { now, timeZone, firstAt }: { now: number; timeZone: string; firstAt: number | null },
): DayHours[] {
  const { begins, labels } = calendar;
  const byHour = Array.from({ length: 24 }, () => new Array<number>(labels.length).fill(0));
  let day = 0;
  traffic.each((begin, count) => {
    while (day > 0 && (begins[day] ?? 0) > begin) day -= 1;
    while ((begins[day + 1] ?? Infinity) <= begin) day += 1;
    const dayBegin = begins[day] ?? 0;
    if (day >= labels.length || begin < dayBegin) return;
    const isWhole = (begins[day + 1] ?? 0) - dayBegin === DAY;
    const hour = isWhole ? Math.floor((begin - dayBegin) / HOUR) : wallTimeAt(begin, timeZone).hour;
    const counts = byHour[hour];
    if (counts !== undefined) counts[day] = (counts[day] ?? 0) + count;
  });
  const born = firstAt === null ? labels.length : begins.findLastIndex((begin) => begin <= firstAt);
  const known = Math.max(born, firstHourDay(calendar));
  const totals = labels.map((_, index) => byHour.reduce((sum, counts) => sum + (counts[index] ?? 0), 0));
  return labels
    .map((label, index) => {
      const isOver = (begins[index + 1] ?? Infinity) <= now;
      const least = isOver && isGap(totals, index, known) ? 0 : LEAST_MESSAGES;
      return {
        day: label,
        hours: byHour.map((counts) => counts[index] ?? 0),
        gaps: byHour.flatMap((counts, hour) => {
          const isGone = (begins[index] ?? 0) + (hour + 1) * HOUR <= now && index > known;
          return isGone && isGap(counts, index, known, least) ? [hour] : [];
        }),
      };
    })
    .slice(Math.max(calendar.firstShown, labels.length - HOUR_DAYS));
}
