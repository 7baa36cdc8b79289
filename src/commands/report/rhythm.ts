import type { LiveRhythm } from '../../store/queries/report.js';
import type { Rhythm } from './types.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** Fewer live messages (counted by the minute) than this do not show a rhythm. */
const LEAST_MINUTES = 10;
/** The tolerance without live messages, and in the first week, before its first weekend. */
const UNKNOWN = WEEK;
/** The same in hours: also for a connection that never received an event. */
export const UNKNOWN_HOURS = UNKNOWN / HOUR;
const FIRST_WEEK = 3 * DAY;
/** This factor over the longest wait at this time of the week is no longer usual. */
const MARGIN = 1.5;
/** Random arrivals exceed five times their mean distance once in 150 times. */
const MEAN_GAPS = 5;

/** What is known of a connection's live events. */
export interface LiveEvents {
  /** Ms since 1970; null if there never was one. */
  lastAt: number | null;
  /** The first live message, however old; null if there is none. */
  firstAt: number | null;
  rhythm: LiveRhythm | undefined;
}

/**
 * How long a connection has been quiet and how long it may be. Learns from the same moment of earlier weeks: after a
 * Friday evening the next message comes on Monday, after a Tuesday noon within minutes; this explains nights and
 * weekends. Ignores the longest of three or more waits, as it may have been an outage. Rare, random traffic gets
 * several times its mean distance, and nothing under an hour is ever called silence.
 */
export function rhythmOf({ lastAt, firstAt, rhythm }: LiveEvents, now: number, silentHours?: number): Rhythm {
  const learnedFrom = silentHours === undefined ? 'little' : 'option';
  if (lastAt === null) return { quietHours: null, toleratedHours: null, learnedFrom };
  const quietHours = hours(Math.max(0, now - lastAt));
  if (silentHours !== undefined) return { quietHours, toleratedHours: silentHours, learnedFrom };
  if (rhythm === undefined || rhythm.minutes < LEAST_MINUTES) {
    return { quietHours, toleratedHours: hours(UNKNOWN), learnedFrom };
  }
  const meanGap = (rhythm.lastAt - rhythm.firstAt) / (rhythm.minutes - 1);
  const waits = knownWaits(rhythm.waits, lastAt - (firstAt ?? rhythm.firstAt));
  if (waits.length === 0) {
    return { quietHours, toleratedHours: hours(Math.max(FIRST_WEEK, MEAN_GAPS * meanGap)), learnedFrom };
  }
  const usual = waits.length >= 3 ? waits.slice(0, -1) : waits;
  const tolerated = Math.max(HOUR, MARGIN * Math.max(...usual), MEAN_GAPS * meanGap);
  return { quietHours, toleratedHours: hours(tolerated), learnedFrom: 'weeks' };
}

/** Waits from the weeks of the connection's life, shortest first; a week without any message counts as a full one. */
function knownWaits(waits: readonly (number | null)[], life: number): number[] {
  return waits
    .slice(0, Math.floor(life / WEEK))
    .map((wait) => wait ?? WEEK)
    .sort((a, b) => a - b);
}

/** Rounded to a tenth: silence to the second is of no interest. */
function hours(ms: number): number {
  return Math.round((ms / HOUR) * 10) / 10;
}
