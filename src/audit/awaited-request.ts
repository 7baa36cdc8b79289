import { isSince } from '../rawlog/account-events.js';
import type { HistoryRequestRow } from '../store/tables/graph.js';

/** Whether history that was requested may still come. Times are ms since 1970; null if unknown. */
export function isAwaited(
  request: Pick<HistoryRequestRow, 'outcome' | 'onboardedAt' | 'requestedAt'>,
  { lastHistoryAt, connectedAt }: { lastHistoryAt: number | null; connectedAt: number | null },
): boolean {
  // Nothing comes any more of a request that was made before the number was connected anew.
  if (request.outcome !== 'accepted' || !isSince(request, connectedAt)) return false;
  return lastHistoryAt === null || lastHistoryAt < request.requestedAt;
}

/**
 * Until when its answer is in time: counted from the request alone, because the number may have been connected a day
 * before.
 */
export function answerDueAt(requestedAt: number, historyMinutes: number): number {
  return requestedAt + historyMinutes * 60_000;
}
