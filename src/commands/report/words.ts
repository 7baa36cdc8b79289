import { amount, count } from '../../model/amount.js';

/** Hours as people say them: `40 minutes`, `9 hours`, `3 days`. */
export function spanOf(hours: number): string {
  if (hours < 1) return amount(Math.max(1, Math.round(hours * 60)), 'minute');
  if (hours < 48) return amount(Math.round(hours), 'hour');
  return amount(Math.round(hours / 24), 'day');
}

/** `2026-11-03T14:00Z`: to the minute, as people read it. */
export function minuteOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `1/3, 1/5 and 12 more`. */
export function listOf(words: readonly string[], most: number): string {
  const shown = words.slice(0, most).join(', ');
  return words.length > most ? `${shown} and ${count(words.length - most)} more` : shown;
}
