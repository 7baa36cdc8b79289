import type { MessageCounts } from '../../model/run-result.js';
import type { ConnectionRow } from '../../store/connections.js';
import { narrowEntry } from '../batch/narrow-entry.js';
import { prepareEntry } from '../batch/prepare-entry.js';
import type { Tally } from '../batch/tally.js';
import type { Context } from '../context.js';
import { openDirectory } from '../replay/open-directory.js';
import { applyEntries, type Applier } from '../replay/apply-entries.js';

/** What became of a page. */
export interface SavedPage {
  messages: Pick<MessageCounts, 'created' | 'updated' | 'unchanged'>;
  /** Messages of other people in it; the stored entry stays due for them. */
  ofOthers: number;
  tally: Tally;
}

/**
 * Stores a page as it came and applies the contact's part of it, in one transaction per 1000 messages: history, so no
 * tickets.
 */
export async function savePage(
  ctx: Context,
  applier: Applier,
  connection: ConnectionRow,
  names: ReadonlySet<string>,
  raw: Uint8Array,
): Promise<SavedPage> {
  const directory = await openDirectory(
    applier.target.sql,
    { register: false, connection: connection.id },
    applier.newId,
  );
  const whole = prepareEntry(
    { bytes: raw, origin: { kind: 'device', connection: connection.name }, receivedAt: ctx.clock() },
    null,
    directory,
    new Set(),
  );
  const { entry, others } = narrowEntry(whole, names);
  const { tally } = await applyEntries(
    ctx,
    applier,
    { settings: { tickets: 'none', syncSource: 'manual_sync' }, directory, claim: null },
    [entry],
  );
  const { created, updated, unchanged } = tally.messages;
  return { messages: { created, updated, unchanged }, ofOthers: others, tally };
}
