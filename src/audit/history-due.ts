const MINUTE = 60_000;

/** How long after connecting a number Meta accepts history requests. */
export const REQUEST_WINDOW_MS = 24 * 60 * MINUTE;

/** What `--history-after` is unless it is given: a history begins to arrive within minutes. */
export const HISTORY_MINUTES = 60;

/** What decides when the history of a number is late. Times are ms since 1970. */
interface Expected {
  /** When the number was connected. */
  onboardedAt: number;
  /** When Meta accepted a request that nothing has answered yet; null without one. */
  requestedAt: number | null;
  historyMinutes: number;
}

/**
 * From when on a history of which nothing has come is late: what was expected does not arrive (`degraded`, V2). The one limit of
 * `verify`, `report` and `reconcile`; before it there is nothing to do.
 */
export function historyDueAt({ onboardedAt, requestedAt, historyMinutes }: Expected): number {
  const patience = historyMinutes * MINUTE;
  if (requestedAt === null) return onboardedAt + patience;
  const due = Math.min(requestedAt + patience, onboardedAt + Math.max(patience, REQUEST_WINDOW_MS));
  return Math.max(due, requestedAt);
}
