import type { Context } from '../../context.js';
import {
  connectingOf,
  isSince,
  readAccountEvents,
  standingRemoval,
  type AccountEvent,
  type Connecting,
} from '../../rawlog/account-events.js';
import {
  readConnections,
  setWebhookActivated,
  type ConnectionRecord,
} from '../../store/tables/connections.js';
import { readHistoryRequests, type HistoryRequestRow } from '../../store/tables/graph.js';

/** How long after connecting a number Meta accepts history requests. */
export const HISTORY_WINDOW_MS = 24 * 3_600_000;

/** When a number was connected to the API, and what of its past was requested since. Times are ms since 1970. */
export interface Onboarding extends Connecting {
  /** When Meta's 24 hours end; null if their start is unknown. */
  until: number | null;
  /** The disconnection that is in effect: Meta takes no request then. */
  removal: AccountEvent | null;
  /** The requests of this onboarding, newest first. */
  requests: readonly HistoryRequestRow[];
}

/** When the number of a connection was connected to the API. */
export async function readOnboarding(ctx: Context, connection: ConnectionRecord): Promise<Onboarding> {
  const { sql } = ctx.store;
  const { id, webhookActivatedAt: recorded } = connection;
  const events = await readAccountEvents(sql);
  const { at, from } = connectingOf(connection, recorded, events, await readConnections(sql));
  const requests = await readHistoryRequests(sql, id);
  return {
    at,
    from,
    until: at === null ? null : at + HISTORY_WINDOW_MS,
    removal: standingRemoval(connection, events, at),
    requests: requests.filter((request) => isSince(request, at)),
  };
}

/** Keeps what the raw log says as the connection's webhook_activated_at, for the day when that entry is discarded. */
export async function recordOnboarding(
  ctx: Context,
  { id, webhookActivatedAt }: ConnectionRecord,
  { at }: Onboarding,
): Promise<void> {
  if (at !== null && at !== webhookActivatedAt) await setWebhookActivated(ctx.store.sql, id, at);
}
