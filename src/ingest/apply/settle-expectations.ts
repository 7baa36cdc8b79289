import { settleExpected } from '../../store/tables/expected-messages.js';
import { keyOf } from '../../rules/message-book.js';
import type { MessageState } from '../../rules/message-state.js';
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
  const again = new Map<string, { isWhole: boolean; isGrown: boolean; messages: Messages }>();
  for (const slice of slices) {
    const state = known.get(slice.entry.key);
    if (state === undefined || state.bodyState === null || state.bodyState === 'redacted') continue;
    // The same bytes twice in one batch are one entry.
    const { isWhole = true } = again.get(state.id) ?? {};
    again.set(state.id, {
      isWhole: isWhole && holdsAll(slice, state),
      isGrown: false,
      messages: new Messages(),
    });
  }
  if (again.size === 0) return;
  for (const { state, stored, gone } of book.all()) {
    const entry = gone ? undefined : again.get((stored ?? state).batchId ?? '');
    if (entry === undefined) continue;
    entry.messages.add(state);
    if (stored === null) entry.isGrown = true;
  }
  const entries = [...again];
  await settleExpected(
    tx,
    entries.flatMap(([id, { isWhole, messages }]) => (isWhole ? [{ id, messages: messages.count }] : [])),
    entries.flatMap(([id, { isWhole, isGrown }]) => (!isWhole && isGrown ? [id] : [])),
  );
}

/** Counts messages as the database does (`MESSAGES_SQL`): rows of one id are one, and so are those of one key id in a conversation. */
class Messages {
  private readonly ids = new Set<string>();
  private readonly keys = new Set<string>();

  add({ connectionId, conversationId, externalId, stanzaId }: MessageState): void {
    if (externalId.trim() === '') return;
    this.ids.add(keyOf(connectionId, externalId));
    this.keys.add(keyOf(conversationId, stanzaId ?? externalId));
  }

  get count(): number {
    return Math.min(this.ids.size, this.keys.size);
  }
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
