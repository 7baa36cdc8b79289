import { INCLUDABLE_CHATS } from '../../model/enumerations.js';
import type { Investigation } from './investigation.js';
import type { LoggedItem } from './read-items.js';
import type { ExplainedFact } from './result.js';

/** An item that is not in the database yet, with the reason. */
export interface WaitingItem {
  item: LoggedItem;
  reason: string | null;
}

/** What to type about a message that was left out by rule M6, or is missing. */
export function adviseLeftOut(inv: Investigation, facts: readonly ExplainedFact[]): void {
  for (const fact of facts) {
    if (fact.outcome === 'skipped' && INCLUDABLE_CHATS.some((chat) => chat === fact.reason)) {
      inv.remedy({ do: 'include', kind: fact.reason ?? '' });
    }
    if (fact.outcome === 'missing')
      inv.remedy({ do: 'explain', subject: `log:${fact.entryId}`, why: 'the entry that holds it' });
  }
}

/** What to type about messages that are missing, or not what the log says: the replay that sets them right. */
export function adviseReplay(inv: Investigation, contacts: readonly (string | null)[]): void {
  const [contact, second] = new Set(contacts);
  const isOne = typeof contact === 'string' && second === undefined;
  inv.remedy(isOne ? { do: 'replay_contact', contact } : { do: 'replay_all' });
}

/** What to type about items that wait: one remedy per connection that is not known, and one replay for the rest. */
export function adviseItems(inv: Investigation, waiting: readonly WaitingItem[]): void {
  const unknown = waiting.filter(({ reason }) => reason === 'unknown_connection');
  const numbers = new Map<string, { item: LoggedItem; entries: Set<string> }>();
  for (const { item } of unknown) {
    const key = JSON.stringify([item.hint.phoneNumberId, item.hint.session]);
    const group = numbers.get(key) ?? { item, entries: new Set<string>() };
    group.entries.add(item.entry.id);
    numbers.set(key, group);
  }
  for (const { item, entries } of numbers.values()) {
    const { phoneNumberId, displayPhone, session } = item.hint;
    inv.remedy(
      phoneNumberId === null && item.entry.provider === 'baileys'
        ? { do: 'name_connection', session, entries: entries.size }
        : { do: 'add_connection', phoneNumberId, displayPhone, entries: entries.size },
    );
  }
  const others = waiting.filter(({ reason }) => reason === 'not_replayed' || reason === 'other_connection');
  if (others.length > 0) {
    inv.remedy({ do: 'replay_pending', entries: new Set(others.map(({ item }) => item.entry.id)).size });
  }
}
