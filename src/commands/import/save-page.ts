import type { MessageCounts } from '../../model/run-result.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { markNarrowed } from '../../store/tables/webhook-log.js';
import { narrowEntry } from '../../ingest/batch/narrow-entry.js';
import { prepareEntry } from '../../ingest/batch/prepare-entry.js';
import type { Tally } from '../../ingest/batch/tally.js';
import type { Context } from '../../context.js';
import { applyEntries, type Applier } from '../../ingest/apply/apply-entries.js';
import { openDirectory } from '../replay/open-directory.js';

/** What became of an answer. */
export interface SavedPage {
  messages: Pick<MessageCounts, 'created' | 'updated' | 'unchanged'>;
  /** Messages of other people in it; the stored entries stay due for them. */
  ofOthers: number;
  /** What was wrong with items of it. */
  problems: number;
  tally: Tally;
}

/**
 * Applies the contact's part of an answer: history, so no tickets. Its chunks are in the raw log already, from the moment
 * that they came; what they hold of other people stays due.
 */
export async function savePage(
  ctx: Context,
  applier: Applier,
  connection: ConnectionRow,
  names: ReadonlySet<string>,
  chunks: readonly Uint8Array[],
): Promise<SavedPage> {
  const { sql } = applier.target;
  const directory = await openDirectory(sql, { register: false, connection: connection.id }, applier.newId);
  const origin = { kind: 'device', connection: connection.name } as const;
  const narrowed = chunks.map((bytes) =>
    narrowEntry(prepareEntry({ bytes, origin, receivedAt: ctx.clock() }, null, directory, new Set()), names),
  );
  const { tally } = await applyEntries(
    ctx,
    applier,
    { settings: HISTORY, directory, claim: null },
    narrowed.map(({ entry }) => entry),
  );
  const partly = narrowed.flatMap(({ entry }) => (entry.isNarrowed === true ? [entry] : []));
  await markNarrowed(sql, applier.runId, partly);
  const { created, updated, unchanged } = tally.messages;
  return {
    messages: { created, updated, unchanged },
    ofOthers: narrowed.reduce((sum, { others }) => sum + others, 0),
    problems: tally.problemCount,
    tally,
  };
}

/** Everything that a phone sends is history, whatever it was sent for. */
export const HISTORY = { tickets: 'none', syncSource: 'manual_sync' } as const;
