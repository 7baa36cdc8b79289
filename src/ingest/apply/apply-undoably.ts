import { journaled, type JournalScope } from '../../store/journal/journal.js';
import { readConversationsOfLeads } from '../../store/tables/conversations.js';
import { readChatExportRows, readMessages } from '../../store/tables/messages.js';
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
  const emptied = await readConversationsOfLeads(tx, merged);
  const scope = {
    names,
    messageIds: [...new Set([...messages, ...lines].map(({ id }) => id))],
    leadIds: stored,
    emptiedConversationIds: emptied.map(({ id }) => id),
  };
  return { scope, stored };
}

function peopleOf(work: BatchWork): string[] {
  return [...work.people.values()].flatMap((people) => [...people.values()].map(({ id }) => id));
}
