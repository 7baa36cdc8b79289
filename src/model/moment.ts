import { instantAt, type WallTime } from './time.js';

/** Times in the years 1 to 9999: what both ISO 8601 and PostgreSQL write in the same way. */
export const TIMES = { from: '0001-01-01T00:00:00Z', before: '9999-12-31T00:00:00Z' } as const;
const BEFORE_MS = Date.parse(TIMES.before);

/** The earliest of them, in ms since 1970. */
export const FIRST_TIME = Date.parse(TIMES.from);

/** Whether an instant (ms since 1970) can stand in a row, and in a question to the database; NaN cannot. */
export function isStorable(ms: number): boolean {
  return ms >= FIRST_TIME && ms < BEFORE_MS;
}

/** RFC 3339, its zone and its time being optional. */
const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}:\d{2})?)?$/;

/**
 * What a person or a program says as a date, in ms since 1970: a text without a zone is about the clocks of `zoneElse`, one
 * without a time about their midnight. undefined for a day that no calendar has, a time that no row can have (`isStorable`), and a
 * text without a zone where `zoneElse` is null.
 */
export function readDate(text: string, zoneElse: string | null): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  const wall: WallTime = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: Number(fraction.padEnd(3, '0').slice(0, 3)),
  };
  const at = zone === undefined ? localInstant(wall, zoneElse) : zonedInstant(wall, zone);
  return at !== undefined && isStorable(at) ? at : undefined;
}

function localInstant(wall: WallTime, zone: string | null): number | undefined {
  return zone === null ? undefined : instantAt(wall, zone);
}

function zonedInstant(wall: WallTime, zone: string): number | undefined {
  const utc = instantAt(wall, 'UTC');
  const offset = offsetOf(zone);
  return utc === undefined || offset === undefined ? undefined : utc - offset;
}

/** `Z`, `+02:00`, `-03:00` in ms. */
function offsetOf(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
