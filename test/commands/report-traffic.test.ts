import { describe, expect, test } from 'vitest';
import { calendarOf } from '../../src/commands/report/days.js';
import { hoursOf, lastDayOf, Traffic, trafficBounds } from '../../src/commands/report/traffic.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 20, 15, 30);

/** Counts moments between the bounds, as the database does. */
function trafficOf(bounds: readonly number[], times: readonly number[]): Traffic {
  const slices = new Map<number, number>();
  for (const time of times) {
    const slice = bounds.findLastIndex((bound) => bound <= time);
    if (slice >= 0 && slice < bounds.length - 1) slices.set(slice, (slices.get(slice) ?? 0) + 1);
  }
  return new Traffic(
    bounds,
    [...slices].map(([slice, count]) => ({ slice, count })),
  );
}

function times(count: number, at: number): number[] {
  return new Array<number>(count).fill(at);
}

describe('the last 24 hours', () => {
  const lastDay = (all: readonly number[], firstAt: number | null = Math.min(...all)) =>
    lastDayOf(trafficOf(trafficBounds(NOW, null), all), NOW, firstAt);

  test('are held against the median of the same hours of earlier weeks', () => {
    const week = (back: number, count: number): number[] => times(count, NOW - back * 7 * DAY - HOUR);
    const all = [
      ...week(0, 3),
      ...week(1, 10),
      ...week(2, 14),
      ...week(3, 12),
      ...week(4, 90),
      NOW - 40 * DAY,
    ];
    expect(lastDay(all)).toEqual({ messages: 3, usual: 13 });
  });

  test('are held against nothing that was before the first message', () => {
    expect(lastDay([NOW - HOUR, NOW - 2 * HOUR])).toEqual({ messages: 2, usual: null });
    expect(lastDay([NOW - 9 * DAY, NOW - HOUR])).toEqual({ messages: 1, usual: 0 });
    expect(lastDay([], null)).toEqual({ messages: 0, usual: null });
  });

  test('begin 24 hours ago and end now', () => {
    expect(lastDay([NOW - DAY - 1, NOW - DAY, NOW - 1, NOW])).toMatchObject({ messages: 2 });
  });
});

describe('messages by the hour', () => {
  const hours = (all: readonly number[], timeZone: string, now = NOW, days = 3) => {
    const calendar = calendarOf(now, now, timeZone, days);
    const traffic = trafficOf(trafficBounds(now, calendar), all);
    return hoursOf(traffic, calendar, { now, timeZone, firstAt: all.length === 0 ? null : Math.min(...all) });
  };
  const filled = (counts: readonly number[]): Record<number, number> =>
    Object.fromEntries([...counts.entries()].filter(([, count]) => count > 0));

  test('are those of the clocks of the zone', () => {
    const [, yesterday, today] = hours(
      [...times(2, Date.UTC(2026, 10, 20, 2, 59)), ...times(3, Date.UTC(2026, 10, 20, 3, 0))],
      'America/Sao_Paulo',
    );
    expect({ day: yesterday?.day, ...filled(yesterday?.hours ?? []) }).toEqual({ day: '2026-11-19', 23: 2 });
    expect({ day: today?.day, ...filled(today?.hours ?? []) }).toEqual({ day: '2026-11-20', 0: 3 });
  });

  test('keep their place on a day of 25 hours and on one of 23', () => {
    const autumn = Date.UTC(2026, 10, 2, 12);
    // 1:30 comes twice in New York on this day; 9:30 is as far from midnight as 10:30 is on others.
    const long = [5, 6, 14].flatMap((hour) => times(1, Date.UTC(2026, 10, 1, hour, 30)));
    expect(filled(hours(long, 'America/New_York', autumn, 2)[0]?.hours ?? [])).toEqual({ 1: 2, 9: 1 });
    const spring = Date.UTC(2026, 2, 9, 12);
    const short = [6, 7].flatMap((hour) => times(1, Date.UTC(2026, 2, 8, hour, 30)));
    expect(filled(hours(short, 'America/New_York', spring, 2)[0]?.hours ?? [])).toEqual({ 1: 1, 3: 1 });
  });

  test('have a gap where the same hour of the weekday usually has several, and none that is not over', () => {
    const begin = Date.UTC(2026, 10, 20);
    const all = Array.from({ length: 28 }, (_, back) => back + 1).flatMap((back) => {
      const day = begin - back * DAY;
      return [...times(8, day + 9 * HOUR), ...times(2, day + 11 * HOUR), ...times(8, day + 15 * HOUR)];
    });
    const today = hours(all, 'UTC').at(-1);
    // 11 h usually has two, which may well be none; 15 h is not over at 15:30.
    expect(today).toMatchObject({ day: '2026-11-20', gaps: [9] });
    expect(hours(all, 'UTC')[0]?.gaps).toEqual([]);
  });

  test('have gaps on whole days without messages, also where an hour usually has one', () => {
    const begin = Date.UTC(2026, 10, 20);
    const all = Array.from({ length: 14 }, (_, back) => back + 1)
      .filter((back) => back !== 3 && back !== 4)
      .flatMap((back) =>
        Array.from({ length: 12 }, (_, n) => begin - back * DAY + (10 + n) * HOUR + n * 60_000),
      );
    const days = hours(all, 'UTC', NOW, 7);
    const usual = Array.from({ length: 12 }, (_, n) => 10 + n);
    expect(days.filter(({ gaps }) => gaps.length > 0)).toMatchObject([
      { day: '2026-11-16', gaps: usual },
      { day: '2026-11-17', gaps: usual },
    ]);
  });

  test('have none on a day on which nobody usually writes, nor where a day is not over', () => {
    const begin = Date.UTC(2026, 10, 20);
    const workdays = Array.from({ length: 28 }, (_, back) => begin - (back + 1) * DAY).filter(
      (day) => new Date(day).getUTCDay() % 6 !== 0,
    );
    const all = workdays.flatMap((day) => [9, 10, 11].map((hour) => day + hour * HOUR));
    expect(hours(all, 'UTC', NOW, 14).flatMap(({ gaps }) => gaps)).toEqual([]);
  });

  test('are shown of 31 days at most', () => {
    expect(hours([], 'UTC', NOW, 60)).toHaveLength(31);
    expect(hours([], 'UTC', NOW, 60).at(-1)?.day).toBe('2026-11-20');
  });
});
