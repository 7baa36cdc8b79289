import { count as formatCount } from '../../model/amount.js';

export { amount as formatAmount, bytes as formatBytes, count as formatCount } from '../../model/amount.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds as people say them: `80 ms`, `2.4 s`, `3 min 12 s`, `1 h 05 min`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  // Rounded before the unit is chosen, so that 59.96 s is one minute and never `60.0 s`.
  if (Math.round(ms / 100) * 100 < MINUTE) return `${(ms / SECOND).toFixed(1)} s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds * SECOND < HOUR) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(ms / MINUTE);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Messages per second, undefined when the time is too short to say. */
export function formatRate(count: number, ms: number): string | undefined {
  if (ms < 50 || count === 0) return undefined;
  return `${formatCount((count * SECOND) / ms)} messages/s`;
}
