import { linkMessages } from '../../store/messages.js';
import { findGoneEntries } from '../../store/raw-log.js';
import type { Batch } from '../batch/batch.js';
import type { KnownState } from './collect-items.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/**
 * Gives messages whose raw entry is gone the entry that this batch has stored and that holds them: a log that is replayed
 * once more is the evidence of its messages again. What such a row says may have been changed as well, so it is contested.
 */
export async function relinkMessages(
  work: BatchWork,
  folded: FoldedMessages,
  batch: Batch,
  known: ReadonlyMap<string, KnownState>,
): Promise<void> {
  const fresh = new Set(
    batch.slices.flatMap(({ entry }) => {
      const state = known.get(entry.key);
      return state === undefined || state.isStored ? [] : [state.id];
    }),
  );
  if (fresh.size === 0) return;
  const links = [...folded.heldBy].flatMap(([{ state, stored, gone }, logId]) =>
    stored === null || stored.batchId === null || gone || !fresh.has(logId)
      ? []
      : [{ messageId: state.id, goneId: stored.batchId, logId }],
  );
  const gone = await findGoneEntries(work.tx, [...new Set(links.map(({ goneId }) => goneId))]);
  const lost = links.filter(({ goneId }) => gone.has(goneId));
  await linkMessages(work.tx, lost);
  for (const { messageId } of lost) work.contested.add(messageId);
}
