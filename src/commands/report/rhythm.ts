import type { LiveRhythm } from '../../store/queries/report.js';
import type { Rhythm } from './types.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** Fewer live messages (counted by the minute) than this say nothing about a rhythm. */
const LEAST_MINUTES = 10;
/** What is tolerated as long as there are none, and in the first week, whose week-end has not been seen yet. */
const UNKNOWN = WEEK;
/** The same in hours: also for a connection that no event ever reached. */
export const UNKNOWN_HOURS = UNKNOWN / HOUR;
const FIRST_WEEK = 3 * DAY;
/** So much longer than ever before at this time of the week is not usual any more. */
const MARGIN = 1.5;
/** Messages that come at random are later than five times their mean distance once in 150 times. */
const MEAN_GAPS = 5;

/** What is known about a connection's live events. */
export interface LiveEvents {
  /** Ms since 1970; null if there never was one. */
  lastAt: number | null;
  /** The first live message, however long ago; null if there is none. */
  firstAt: number | null;
  rhythm: LiveRhythm | undefined;
}

/**
 * How long a connection has been quiet and how long it may be. It learns from the same moment of earlier weeks: after a
 * Friday evening the next message comes on Monday, after a Tuesday noon within minutes; nights and week-ends explain
 * themselves so. The longest of three or more waits is left out, as it may have been an outage. What comes seldom and at
 * random gets several times its mean distance, and nothing less than an hour is ever called silence.
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

/** Waits of the weeks that the connection has lived, the shortest first; a week without any message counts as a whole one. */
function knownWaits(waits: readonly (number | null)[], life: number): number[] {
  return waits
    .slice(0, Math.floor(life / WEEK))
    .map((wait) => wait ?? WEEK)
    .sort((a, b) => a - b);
}

/** To a tenth: nobody looks at a silence by the second. */
function hours(ms: number): number {
  return Math.round((ms / HOUR) * 10) / 10;
}
