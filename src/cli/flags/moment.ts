import { isStorable, readDate } from '../../model/moment.js';
import { midnight, wallTimeAt } from '../../model/time.js';
import { parseDuration } from './amounts.js';

const AGO = /^\d+(?:\.\d+)?[smhdw](?:\d+(?:\.\d+)?[smhdw])*$/;

/** What {@link parseMoment} takes, for help texts and errors. */
export const MOMENT_FORMS = '2026-11-03, 2026-11-03T14:00:00Z, 36h, 2d, 3w, today or yesterday';

/**
 * A point in time as people write it, in ms since 1970; undefined if invalid, or if no row can have it. A date is its local
 * midnight in `timeZone`; `2d`, `36h`, `3w` are that long before `now`.
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
    return ago !== undefined && isStorable(now - ago) ? now - ago : undefined;
  }
  return readDate(text, timeZone);
}
