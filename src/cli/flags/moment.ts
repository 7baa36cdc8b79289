import { parseDuration } from './amounts.js';
import { instantAt, midnight, wallTimeAt, type WallTime } from '../../model/time.js';

/** RFC 3339, its zone and its time being optional: without a zone the time is local, without a time it is midnight. */
const DATE =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}:\d{2})?)?$/;
const AGO = /^\d+(?:\.\d+)?[smhdw](?:\d+(?:\.\d+)?[smhdw])*$/;

/** What {@link parseMoment} takes, for help texts and errors. */
export const MOMENT_FORMS = '2026-11-03, 2026-11-03T14:00:00Z, 36h, 2d, 3w, today or yesterday';

/**
 * A point in time as people write it, in ms since 1970; undefined if invalid. A date is its local midnight in
 * `timeZone`; `2d`, `36h`, `3w` are that long before `now`.
 */
export function parseMoment(text: string, now: number, timeZone: string): number | undefined {
  switch (text) {
    case 'now':
      return now;
    case 'today':
      return midnight(wallTimeAt(now, timeZone), timeZone, 0);
    case 'yesterday':
      return midnight(wallTimeAt(now, timeZone), timeZone, -1);
  }
  if (AGO.test(text)) {
    const ago = parseDuration(text);
    return ago === undefined ? undefined : now - ago;
  }
  return parseDate(text, timeZone);
}

function parseDate(text: string, timeZone: string): number | undefined {
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
  if (zone === undefined) return instantAt(wall, timeZone);
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
