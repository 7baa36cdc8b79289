import type { Context } from '../../context.js';
import { setWebhookActivated, type ConnectionRecord } from '../../store/tables/connections.js';
import { readHistoryRequests, type HistoryRequestRow } from '../../store/tables/graph.js';
import { readAccountUpdateIds, readBodies } from '../../store/tables/stored-entries.js';
import { accountEventsIn, connectedAt } from '../report/removals.js';

/** How long after connecting a number Meta accepts history requests. */
export const HISTORY_WINDOW_MS = 24 * 3_600_000;

/** A business connects its numbers a few times a year. */
const EVENTS_READ = 200;

/** When a number was connected to the API, and what of its past was requested since. Times are ms since 1970. */
export interface Onboarding {
  /** Null if unknown. */
  at: number | null;
  /** `event`: Meta said so in an `account_update`. `recorded`: an earlier command recorded it. */
  from: 'event' | 'recorded' | 'nothing';
  /** When Meta's 24 hours end; null if their start is unknown. */
  until: number | null;
  /** The requests of this onboarding, newest first. */
  requests: readonly HistoryRequestRow[];
}

/**
 * When the number of a connection was connected to the API, according to the raw log; records it as the connection's
 * webhook_activated_at, which the report and verify use.
 */
export async function readOnboarding(ctx: Context, connection: ConnectionRecord): Promise<Onboarding> {
  const { sql } = ctx.store;
  const bodies = await readBodies(sql, await readAccountUpdateIds(sql, EVENTS_READ));
  const events = bodies.flatMap(({ body, at, isReceived }) => accountEventsIn(body, at, isReceived));
  const told = connectedAt(connection, events);
  const { webhookActivatedAt: recorded } = connection;
  const isNews = told !== null && told > (recorded ?? 0);
  if (isNews) await setWebhookActivated(sql, connection.id, told);
  const at = isNews ? told : recorded;
  const requests = await readHistoryRequests(sql, connection.id);
  return {
    at,
    from: at === null ? 'nothing' : at === told ? 'event' : 'recorded',
    until: at === null ? null : at + HISTORY_WINDOW_MS,
    requests: requests.filter(({ onboardedAt }) => at === null || onboardedAt >= at),
  };
}
