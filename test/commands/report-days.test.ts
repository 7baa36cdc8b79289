import { describe, expect, test } from 'vitest';
import { calendarOf, daysOf } from '../../src/commands/report/days.js';
import { report } from '../../src/commands/report/report.js';
import { rhythmOf } from '../../src/commands/report/rhythm.js';
import type { LiveRhythm, MessageGroup } from '../../src/store/queries/report.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { item, T0, webhook } from '../support/webhooks.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 20, 12);

describe('the days of a report', () => {
  test('end with today in the zone that was asked for', () => {
    const late = Date.UTC(2026, 10, 20, 1, 30);
    expect(calendarOf(late, late, 'UTC', 3).labels.slice(-3)).toEqual([
      '2026-11-18',
      '2026-11-19',
      '2026-11-20',
    ]);
    expect(calendarOf(late, late, 'America/Sao_Paulo', 3).labels.at(-1)).toBe('2026-11-19');
    expect(calendarOf(late, late, 'Pacific/Kiritimati', 1).labels.at(-1)).toBe('2026-11-20');
  });

  test('begin at midnight also where the clocks change, and are 23 or 25 hours long then', () => {
    const after = Date.UTC(2026, 10, 3, 12);
    const { begins, labels } = calendarOf(after, after, 'America/New_York', 5);
    const change = labels.indexOf('2026-11-01');
    expect(new Date(begins[change] ?? 0).toISOString()).toBe('2026-11-01T04:00:00.000Z');
    expect(((begins[change + 1] ?? 0) - (begins[change] ?? 0)) / HOUR).toBe(25);
    const spring = Date.UTC(2026, 2, 10, 12);
    const forward = calendarOf(spring, spring, 'America/New_York', 5);
    const leap = forward.labels.indexOf('2026-03-08');
    expect(((forward.begins[leap + 1] ?? 0) - (forward.begins[leap] ?? 0)) / HOUR).toBe(23);
  });

  test('can end earlier, and then the last day is over', () => {
    const calendar = calendarOf(NOON, NOON - 3 * DAY, 'UTC', 2);
    expect(calendar.labels.slice(-2)).toEqual(['2026-11-16', '2026-11-17']);
    expect(calendar.isOpen).toBe(false);
    expect(calendarOf(NOON, NOON, 'UTC', 2).isOpen).toBe(true);
  });
});

/** Gaps of the days shown, when `count` messages came on each day (index 0 is the oldest of 14 + 28). */
function gapsOf(count: (index: number, weekday: number) => number, days = 14): string[] {
  const calendar = calendarOf(NOON, NOON, 'UTC', days);
  const groups = calendar.labels.flatMap((label, index): MessageGroup[] => {
    const messages = count(index, new Date(`${label}T00:00:00Z`).getUTCDay());
    const at = calendar.begins[index] ?? 0;
    const rest = { connectionId: 'c', source: 'live', logged: 0, owed: 0, owedExpired: 0 } as const;
    return messages === 0
      ? []
      : [{ ...rest, direction: 'INBOUND', day: index + 1, count: messages, firstAt: at, lastAt: at }];
  });
  return daysOf(groups, calendar)
    .filter(({ gap }) => gap)
    .map(({ day }) => day);
}

describe('a gap', () => {
  const workday = (weekday: number): number => (weekday === 0 || weekday === 6 ? 0 : 10);

  test('is a day without messages among days that have some', () => {
    expect(gapsOf((index) => (index === 38 ? 0 : 10))).toEqual(['2026-11-17']);
  });

  test('is no day on which the shop is always closed', () => {
    expect(gapsOf((_, weekday) => workday(weekday))).toEqual([]);
  });

  test('is each day of an outage, however long, but not its Sundays', () => {
    expect(gapsOf((index, weekday) => (index >= 30 ? 0 : workday(weekday)))).toEqual([
      '2026-11-09',
      '2026-11-10',
      '2026-11-11',
      '2026-11-12',
      '2026-11-13',
      '2026-11-16',
      '2026-11-17',
      '2026-11-18',
      '2026-11-19',
    ]);
  });

  test('is never today, which is not over', () => {
    expect(gapsOf((index) => (index === 41 ? 0 : 10))).toEqual([]);
  });

  test('is nothing before the first message, and nothing where messages are rare', () => {
    expect(gapsOf((index) => (index >= 38 ? 10 : 0))).toEqual([]);
    expect(gapsOf((index) => (index % 3 === 0 ? 1 : 0))).toEqual([]);
  });

  test('is known in the second week of a connection, by whatever weekday', () => {
    expect(gapsOf((index) => (index < 30 || index === 37 ? 0 : 10))).toEqual(['2026-11-16']);
  });
});

describe('the silence that a connection may keep', () => {
  const lastAt = NOON - 10 * HOUR;
  function tolerated(rhythm: Partial<LiveRhythm>, firstAt = lastAt - 60 * DAY): number | null {
    const known: LiveRhythm = {
      connectionId: 'c',
      minutes: 4000,
      firstAt: lastAt - 28 * DAY,
      lastAt,
      waits: [],
      ...rhythm,
    };
    return rhythmOf({ lastAt, firstAt, rhythm: known }, NOON).toleratedHours;
  }

  test('is measured by the same moment of earlier weeks, without the longest', () => {
    const waits = [2 * HOUR, 3 * HOUR, 2 * HOUR, 70 * HOUR];
    expect(tolerated({ waits })).toBe(4.5);
  });

  test('is never less than an hour', () => {
    expect(tolerated({ waits: [60_000, 60_000, 60_000, 60_000], minutes: 20_000 })).toBe(1);
  });

  test('is several times the mean distance of what comes seldom', () => {
    expect(tolerated({ waits: [HOUR, HOUR, HOUR, HOUR], minutes: 15 })).toBe(240);
  });

  test('counts a week without any message after that moment as a whole one', () => {
    expect(tolerated({ waits: [HOUR, null, null, HOUR] })).toBe(252);
  });

  test('is three days in the first week, and a week as long as there is next to nothing', () => {
    expect(tolerated({ firstAt: lastAt - 2 * DAY, waits: [] }, lastAt - 2 * DAY)).toBe(72);
    expect(tolerated({ minutes: 3 })).toBe(168);
    expect(rhythmOf({ lastAt, firstAt: lastAt, rhythm: undefined }, NOON)).toEqual({
      quietHours: 10,
      toleratedHours: 168,
      learnedFrom: 'little',
    });
  });

  test('is what was asked for, and nothing without a live event', () => {
    expect(rhythmOf({ lastAt, firstAt: lastAt, rhythm: undefined }, NOON, 6)).toMatchObject({
      toleratedHours: 6,
      learnedFrom: 'option',
    });
    expect(rhythmOf({ lastAt: null, firstAt: null, rhythm: undefined }, NOON, 6)).toMatchObject({
      quietHours: null,
      toleratedHours: null,
    });
  });

  test('does not run backwards for an event that a fast clock has dated ahead', () => {
    const ahead = { lastAt: NOON + HOUR, firstAt: NOON, rhythm: undefined };
    expect(rhythmOf(ahead, NOON).quietHours).toBe(0);
  });
});

describeOnServer('messages per day', (backend) => {
  test('fall on the days of the zone that was asked for', async () => {
    const store = await backend.open();
    // T0 is 05:20 UTC of 16 September 2025: 02:20 in São Paulo.
    const times = [-2 * 3600 - 20 * 60 - 1, -2 * 3600 - 20 * 60, 0, 86_400];
    await replayBodies(store, [webhook('messages', { messages: times.map((at) => item(`M${at}`, at)) })]);
    const until = (T0 + 86_400) * 1000;
    const shown = async (timeZone: string): Promise<[string, number][]> => {
      const ctx = testContext(store, { clock: () => until + HOUR });
      const { connections } = await report(ctx, reportOptions({ timeZone, days: 3 }));
      return (connections[0]?.days ?? []).map(({ day, inbound }) => [day, inbound]);
    };
    expect(await shown('America/Sao_Paulo')).toEqual([
      ['2025-09-15', 1],
      ['2025-09-16', 2],
      ['2025-09-17', 1],
    ]);
    expect(await shown('UTC')).toEqual([
      ['2025-09-15', 0],
      ['2025-09-16', 3],
      ['2025-09-17', 1],
    ]);
    expect(await shown('Pacific/Kiritimati')).toEqual([
      ['2025-09-15', 0],
      ['2025-09-16', 3],
      ['2025-09-17', 1],
    ]);
  });
});
