import type { TrafficSlice } from '../../store/queries/report.js';
import type { LastDay } from './types.js';

const DAY = 86_400_000;
const WEEK = 7 * DAY;
/** How many earlier weeks say what is usual. */
const WEEKS = 4;

/** The 24 hours before `now`, and those of the earlier weeks, the nearest first. */
function lastDays(now: number): { from: number; to: number }[] {
  return Array.from({ length: WEEKS + 1 }, (_, week) => ({
    from: now - week * WEEK - DAY,
    to: now - week * WEEK,
  }));
}

/** The moments between which messages have to be counted, ascending. */
export function trafficBounds(now: number): number[] {
  return [...new Set(lastDays(now).flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
}

/** Messages of one connection, counted between moments. */
export class Traffic {
  constructor(
    private readonly bounds: readonly number[],
    private readonly slices: readonly Omit<TrafficSlice, 'connectionId'>[],
  ) {}

  /** Messages from one of the moments on and before another one. */
  between(from: number, to: number): number {
    return this.slices.reduce((sum, { slice, count }) => {
      const begin = this.bounds[slice] ?? to;
      return begin >= from && begin < to ? sum + count : sum;
    }, 0);
  }
}

/** How the last 24 hours compare with those of earlier weeks that lie within the life of the connection. */
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
