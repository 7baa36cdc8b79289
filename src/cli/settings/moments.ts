import { ConfigError } from '../../model/errors.js';
import { MOMENT_FORMS, parseMoment } from '../values/moment.js';
import { isTimeZone, localTimeZone } from '../../model/time-zone.js';
import type { Origin } from './resolve.js';

/** A setting as it was typed, and where. */
export interface Typed {
  value: string | undefined;
  origin: Origin;
}

/** The zone of dates without one: that of `--tz`, else this machine's. Throws ConfigError for a zone that there is not. */
export function readTimeZone({ value, origin }: Typed): string {
  if (value === undefined) return localTimeZone();
  if (isTimeZone(value)) return value;
  throw new ConfigError(`${origin.place}: '${value}' is not a time zone.`, {
    remedy: 'Name one of the tz database, for example America/Sao_Paulo or UTC.',
  });
}

/** A time as people write it, in ms since 1970; undefined when none was typed. Throws ConfigError for what is no time. */
export function readMoment({ value, origin }: Typed, now: number, timeZone: string): number | undefined {
  if (value === undefined) return undefined;
  const moment = parseMoment(value, now, timeZone);
  if (moment !== undefined) return moment;
  throw new ConfigError(`${origin.place}: '${value}' is not a time.`, {
    remedy: `Write it like one of: ${MOMENT_FORMS}.`,
  });
}

/** Two times with something in between: from the first (included) to the second (not included). Throws ConfigError. */
export function readWindow(
  from: Typed,
  to: Typed,
  now: number,
  timeZone: string,
): { from: number | undefined; to: number | undefined } {
  const [first, last] = [readMoment(from, now, timeZone), readMoment(to, now, timeZone)];
  if (first !== undefined && last !== undefined && first >= last) {
    throw new ConfigError(
      `${from.origin.place} is not before ${to.origin.place}: nothing would be in between.`,
      {
        remedy: `Times are half-open: from since (included) to until (not included). Read as ${instant(first)} to ${instant(last)}.`,
        code: 'contradiction',
      },
    );
  }
  return { from: first, to: last };
}

/** `2026-11-03T03:00:00Z`, without milliseconds where there are none. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
