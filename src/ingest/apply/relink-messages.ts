import { linkMessages } from '../../store/tables/messages.js';
import { findGoneEntries } from '../../store/tables/webhook-log.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/**
 * Gives messages whose raw entry is gone the entry of this batch that holds them: a log that is replayed once more is the
 * evidence of its messages again. What such a row says may have been changed as well, so it is contested.
 */
export async function relinkMessages(work: BatchWork, folded: FoldedMessages): Promise<void> {
  const links = [...folded.heldBy].flatMap(([{ state, stored, gone }, logId]) =>
    stored === null || stored.batchId === null || stored.batchId === logId || gone
      ? []
      : [{ messageId: state.id, goneId: stored.batchId, logId }],
  );
  if (links.length === 0) return;
  const gone = await findGoneEntries(work.tx, [...new Set(links.map(({ goneId }) => goneId))]);
  const lost = links.filter(({ goneId }) => gone.has(goneId));
  await linkMessages(work.tx, lost);
  for (const { messageId } of lost) work.contested.add(messageId);
}
