import { journaled, type JournalScope } from '../../store/journal/journal.js';
import { readConversationsOfLeads } from '../../store/tables/conversations.js';
import { cutNamesOf } from '../../rules/message-state.js';
import {
  readChatExportRows,
  readCutRows,
  readMessages,
  type MessageKey,
} from '../../store/tables/messages.js';
import type { KnownState } from './collect-items.js';
import { foreseePeople } from './name-people.js';
import type { BatchWork } from './work.js';

/**
 * Applies a batch and journals every row that it changes or creates, so that `undo` can revert the run: not for the
 * log's own content, which the next replay would restore, but for what a user chose to believe.
 */
export async function applyUndoably<T>(
  work: BatchWork,
  known: ReadonlyMap<string, KnownState>,
  apply: () => Promise<T>,
): Promise<T> {
  const { tx, settings } = work;
  const { scope, stored } = await scopeOf(work);
  const entryIds = [...known.values()].flatMap(({ id, isStored }) => (isStored ? [] : [id]));
  return journaled(tx, settings.runId, scope, apply, () => ({
    entryIds,
    personIds: [...new Set([...stored, ...peopleOf(work)])],
  }));
}

async function scopeOf(work: BatchWork): Promise<{ scope: JournalScope; stored: readonly string[] }> {
  const { tx } = work;
  const names = work.items.flatMap(({ fact, connection: { id: connectionId } }) =>
    fact.kind === 'message'
      ? [fact.externalId, ...(fact.stanzaId === undefined ? [] : [fact.stanzaId])].map((id) => ({
          connectionId,
          id,
        }))
      : [],
  );
  const messages = await readMessages(tx, names, names);
  const { stored, merged } = await foreseePeople(work);
  const lines = await readChatExportRows(
    tx,
    [...new Set(work.items.map((item) => item.connection.id))],
    stored,
  );
  const emptied = (await readConversationsOfLeads(tx, merged)).map(({ id }) => id);
  // Rows that go where their message comes with its whole id (M12).
  const cut = [
    ...(await readMessages(tx, cutNames(work), [])),
    ...(await readCutRows(tx, [...emptied, ...(await ownConversations(work, merged, stored))])),
  ];
  const scope = {
    names,
    messageIds: [...new Set([...messages, ...lines, ...cut].map(({ id }) => id))],
    leadIds: stored,
    emptiedConversationIds: emptied,
  };
  return { scope, stored };
}

/** What the batch's messages are called where only the beginning of their key id is known. */
function cutNames({ items }: BatchWork): MessageKey[] {
  return items.flatMap(({ fact, connection: { id: connectionId } }) =>
    fact.kind === 'message'
      ? cutNamesOf({ ...fact, stanzaId: fact.stanzaId ?? null }).map((id) => ({ connectionId, id }))
      : [],
  );
}

/** The conversations of people that several names turn out to be: a whole id of one may be a cut one of another. */
async function ownConversations(
  { tx }: BatchWork,
  merged: readonly string[],
  stored: readonly string[],
): Promise<string[]> {
  if (merged.length === 0) return [];
  return (await readConversationsOfLeads(tx, stored)).map(({ id }) => id);
}

function peopleOf(work: BatchWork): string[] {
  return [...work.people.values()].flatMap((people) => [...people.values()].map(({ id }) => id));
}
