import type { Context } from '../../context.js';
import type { SHOW_REJECTED } from '../../store/tables/access-log.js';
import { recordAccess } from './record-access.js';

/** An item that a command is about to show, with its beginning, which may be what somebody wrote; empty where it has none. */
export interface ShownItem {
  /** The entry and the item in it. */
  place: string;
  excerpt: string;
}

/**
 * Records that beginnings of rejected items are about to be shown, each once. The items have no row, so they may be anybody's: they count
 * for everybody. Throws ConfigError `access_log_refused`.
 */
export async function recordRejected(
  ctx: Context,
  command: (typeof SHOW_REJECTED)[number],
  items: readonly ShownItem[],
): Promise<void> {
  const places = new Set(items.filter(({ excerpt }) => excerpt !== '').map(({ place }) => place));
  await recordAccess(ctx, { command, shown: [{ leadId: null, messages: places.size }] });
}
