import { ConfigError } from '../../model/errors.js';
import { instant, readMoment } from './moments.js';

/** A value as it was typed, and where. */
export interface Typed {
  value: string | undefined;
  place: string;
}

/** Half-open: from (included) to (not included), ms since 1970. */
export interface Window {
  from?: number;
  to?: number;
}

/** `now` is in ms since 1970. Throws ConfigError for what is no time, and for a window with nothing in it. */
export function readWindow(first: Typed, last: Typed, now: number, timeZone: string): Window {
  const from = readMoment(first.value, first.place, now, timeZone);
  const to = readMoment(last.value, last.place, now, timeZone);
  if (from !== undefined && to !== undefined && from >= to) {
    throw new ConfigError(`${first.place} is not before ${last.place}: nothing would be in between.`, {
      remedy: `Times are half-open: from the first (included) to the second (not included). Read as ${instant(from)} to ${instant(to)}.`,
      code: 'contradiction',
    });
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** ` from 2026-11-01T03:00:00Z before 2026-11-03T03:00:00Z`; empty for a window without ends. */
export function windowWords({ from, to }: Window): string {
  return [
    from === undefined ? '' : ` from ${instant(from)}`,
    to === undefined ? '' : ` before ${instant(to)}`,
  ].join('');
}
