import { settleExpected } from '../../store/tables/expected-messages.js';
import { keyOf } from '../../rules/message-book.js';
import type { Batch, EntrySlice } from '../batch/batch.js';
import type { KnownState } from './collect-items.js';
import type { FoldedMessages } from './fold-messages.js';
import type { BatchWork } from './work.js';

/**
 * Entries whose bodies are gone, and that came again with their file, keep another number of messages: more of their chats may have been
 * brought in, and what was lost is back. Of an entry that is applied as a whole in this batch all messages are at hand; of the slices of
 * a large one, and of one of which this run reads only a part, those that were made show that its messages have to be counted.
 */
export async function settleExpectations(
  { tx }: BatchWork,
  { slices }: Batch,
  known: ReadonlyMap<string, KnownState>,
  { book }: FoldedMessages,
): Promise<void> {
  const again = new Map<string, { isWhole: boolean; isGrown: boolean; messages: Set<string> }>();
  for (const slice of slices) {
    const state = known.get(slice.entry.key);
    if (state === undefined || state.bodyState === null || state.bodyState === 'redacted') continue;
    // The same bytes twice in one batch are one entry.
    const { isWhole = true } = again.get(state.id) ?? {};
    again.set(state.id, { isWhole: isWhole && holdsAll(slice, state), isGrown: false, messages: new Set() });
  }
  if (again.size === 0) return;
  for (const { state, stored, gone } of book.all()) {
    const entry = gone ? undefined : again.get((stored ?? state).batchId ?? '');
    if (entry === undefined) continue;
    entry.messages.add(keyOf(state.connectionId, state.externalId));
    if (stored === null) entry.isGrown = true;
  }
  const entries = [...again];
  await settleExpected(
    tx,
    entries.flatMap(([id, { isWhole, messages }]) => (isWhole ? [{ id, messages: messages.size }] : [])),
    entries.flatMap(([id, { isWhole, isGrown }]) => (!isWhole && isGrown ? [id] : [])),
  );
}

/** Whether a slice is all of an entry, with everything that any run has brought in of it. */
function holdsAll({ entry, isFirst, isLast }: EntrySlice, { included }: KnownState): boolean {
  return (
    isFirst &&
    isLast &&
    entry.isNarrowed !== true &&
    entry.isCut !== true &&
    entry.failure === null &&
    entry.bodyState === undefined &&
    entry.refused.length === 0 &&
    entry.sections.every(({ pending }) => pending === null) &&
    included.every((chat) => entry.included.some((one) => one === chat))
  );
}
