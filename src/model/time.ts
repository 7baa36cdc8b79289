/** A wall clock's reading, without a zone. `month` is 1-12. */
export interface WallTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
}

const DAY = 86_400_000;

/** A time in ms since 1970 as RFC 3339, UTC; null stays null. */
export function rfc3339(ms: number): string;
export function rfc3339(ms: number | null): string | null;
export function rfc3339(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** An instant (ms since 1970) for a person: `2026-11-03 14:00 UTC`. */
export function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** True for a name that the platform knows: `America/Sao_Paulo`, `UTC`, `+02:00`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The zone that this machine is set to. */
export function localTimeZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** What the clocks of `timeZone` show at `instant` (ms since 1970). */
export function wallTimeAt(instant: number, timeZone: string): WallTime {
  return clockOf(timeZone)(instant);
}

/** The clock of a zone, to be read several times: the platform takes eight times as long to make one as to read it. */
function clockOf(timeZone: string): (instant: number) => WallTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const read = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    return {
      year: read('year'),
      month: read('month'),
      day: read('day'),
      hour: read('hour'),
      minute: read('minute'),
      second: read('second'),
      millisecond: ((instant % 1000) + 1000) % 1000,
    };
  };
}

/**
 * The instant (ms since 1970) at which the clocks of `timeZone` show `wall`; undefined for a day that no calendar has (30
 * February). When clocks go back, a time that occurs twice is the first of the two; when they go forward, a time that is
 * skipped is the instant of the change. So "midnight" is always the beginning of the day, also in zones that change at
 * midnight.
 */
export function instantAt(wall: WallTime, timeZone: string): number | undefined {
  const asUtc = utcOf(wall);
  if (!sameReading(readUtc(asUtc), wall)) return undefined;
  const readClock = clockOf(timeZone);
  const offsetAt = (instant: number): number => utcOf(readClock(instant)) - instant;
  const before = asUtc - offsetAt(asUtc - DAY);
  const after = asUtc - offsetAt(asUtc + DAY);
  const exact = [before, after].filter((instant) => sameReading(readClock(instant), wall));
  return exact.length > 0 ? Math.min(...exact) : before;
}

function utcOf(wall: WallTime): number {
  return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second, wall.millisecond);
}

function readUtc(instant: number): WallTime {
  const date = new Date(instant);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

const FIELDS = ['year', 'month', 'day', 'hour', 'minute', 'second', 'millisecond'] as const;

function sameReading(a: WallTime, b: WallTime): boolean {
  return FIELDS.every((field) => a[field] === b[field]);
}

/** Midnight of the day that is `days` after a wall clock's, in ms since 1970. */
export function midnight(wall: WallTime, timeZone: string, days: number): number | undefined {
  // Calendar arithmetic on the date alone: a day with a clock change is not 24 hours long.
  const date = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + days));
  return instantAt(
    {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: 0,
      minute: 0,
      second: 0,
      millisecond: 0,
    },
    timeZone,
  );
}

const DATE_TIME =
  /^(\d{4})(?:-(\d\d)-|\/(\d\d)\/)(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:\s*(Z|UTC|[+-]\d\d(?::?\d\d)?))?/i;

/**
 * The instant (ms since 1970) at the beginning of a text, and its length in characters: ISO 8601, PostgreSQL's
 * `2025-09-16 05:33:20.123+00`, or Go's `2025/09/16 05:33:20`. A time without a zone is UTC: servers and databases write UTC,
 * and the result must not depend on the zone of the machine that replays the log. undefined when the text does not begin with
 * a valid date and time.
 */
export function leadingInstant(text: string): { at: number; length: number } | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const [whole, year, dashed, slashed, day, hour, minute, second = '0', fraction = '', zone = 'Z'] = match;
  const wall: WallTime = {
    year: Number(year),
    month: Number(dashed ?? slashed),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: Number(fraction.slice(0, 3).padEnd(3, '0')),
  };
  const utc = utcOf(wall);
  // Date.UTC turns 31 February into a day in March.
  const { day: dayShown, month: monthShown } = readUtc(utc);
  if (dayShown !== wall.day || monthShown !== wall.month) return undefined;
  return { at: utc - offsetOf(zone), length: whole.length };
}

/** The instant that the whole text says, as above. */
export function instantOf(text: string): number | undefined {
  const trimmed = text.trim();
  const leading = leadingInstant(trimmed);
  return leading?.length === trimmed.length ? leading.at : undefined;
}

/** `+02`, `-0330`, `+05:30`, `Z`: how much later than UTC the clocks are, in ms. */
function offsetOf(zone: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
