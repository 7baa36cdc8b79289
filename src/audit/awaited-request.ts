import type { HistoryRequestRow } from '../store/tables/graph.js';

/** Whether history that was requested may still come. Times are ms since 1970; null if unknown. */
export function isAwaited(
  { outcome, onboardedAt, requestedAt }: Pick<HistoryRequestRow, 'outcome' | 'onboardedAt' | 'requestedAt'>,
  { lastHistoryAt, connectedAt }: { lastHistoryAt: number | null; connectedAt: number | null },
): boolean {
  // Nothing comes any more of a request that was made before the number was connected anew.
  const isOver = onboardedAt < (connectedAt ?? 0);
  return outcome === 'accepted' && !isOver && (lastHistoryAt === null || lastHistoryAt < requestedAt);
}

/**
 * Until when its answer is in time: counted from the request alone, because the number may have been connected a day
 * before.
 */
export function answerDueAt(requestedAt: number, historyMinutes: number): number {
  return requestedAt + historyMinutes * 60_000;
}
