import type { Context } from '../../context.js';
import type { SourceProblemReason } from '../../model/raw-entry.js';
import type { BadItem } from '../../model/run-result.js';
import { BAD_SIGNATURE } from '../../store/tables/webhook-log.js';
import type { SHOW_REJECTED } from '../../store/tables/access-log.js';
import { recordAccess } from './record-access.js';

/** What is wrong with an input is said in this tool's own words. */
const OF_INPUTS: Readonly<Record<SourceProblemReason, true>> = {
  truncated_input: true,
  changed_input: true,
  entry_too_large: true,
  unreadable_input: true,
  not_json: true,
  no_log_entries: true,
  ambiguous_escapes: true,
};

/** Of these nothing that somebody wrote is shown, but ids of connections or messages, or this tool's own words. */
const WITHOUT_WORDS: ReadonlySet<string> = new Set([
  ...Object.keys(OF_INPUTS),
  'invalid_json',
  'no_json',
  'damaged',
  'pending',
  'unknown_connection',
  'other_connection',
  'id_collision',
  BAD_SIGNATURE,
]);

/** An item that a command is about to show, with its beginning, which may be what somebody wrote; empty where it has none. */
export type ShownItem = BadItem & {
  /** The entry, or its place. */
  of: string;
};

/**
 * Records that beginnings of rejected items are about to be shown, each once. The items have no row, so they may be anybody's: they count
 * for everybody. Throws ConfigError `access_log_refused`.
 */
export async function recordRejected(
  ctx: Context,
  command: (typeof SHOW_REJECTED)[number],
  items: readonly ShownItem[],
): Promise<void> {
  const shown = items.filter(({ excerpt, reason }) => excerpt !== '' && !WITHOUT_WORDS.has(reason));
  const places = new Set(shown.map(({ of, path, reason }) => `${of} ${path} ${reason}`));
  await recordAccess(ctx, { command, shown: [{ leadId: null, messages: places.size }] });
}
