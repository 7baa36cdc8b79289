import type { Investigation } from './investigation.js';
import { isFault, type ItemVerdict } from './item-verdicts.js';
import { namesIn } from './log-items.js';
import type { Remedy } from './result.js';

/** Advises the fix for wrong items: a replay, and `dedupe` for duplicates. */
export function adviseFaults(inv: Investigation, verdicts: readonly ItemVerdict[], replay: Remedy): void {
  const faults = verdicts.filter(isFault);
  if (faults.some(({ reason }) => reason !== 'doubled')) inv.remedy(replay);
  if (faults.some(({ reason, isDoubled }) => isDoubled || reason === 'doubled')) inv.remedy({ do: 'dedupe' });
}

/** The replay that fixes wrong items: of one contact, if all of them name it. A status names no contact. */
export function replayOf(verdicts: readonly ItemVerdict[]): Remedy {
  const faults = verdicts.filter((one) => isFault(one) && one.reason !== 'doubled');
  const [contact, second] = new Set(faults.map(({ item }) => namesIn(item.fact)[0]));
  return contact !== undefined && second === undefined
    ? { do: 'replay_contact', contact }
    : { do: 'replay_all' };
}

/**
 * Advises what makes pending items replay: one remedy per unknown connection, and one replay for the rest. `holders`: the
 * connections that have rows of the items already; the only one has lost their number.
 */
export function advisePending(
  inv: Investigation,
  verdicts: readonly ItemVerdict[],
  holders: readonly string[] = [],
): void {
  const pending = verdicts.filter(({ outcome }) => outcome === 'pending');
  const numbers = new Map<string, { item: ItemVerdict['item']; entries: Set<string> }>();
  for (const { item, reason } of pending) {
    if (reason !== 'unknown_connection') continue;
    const key = JSON.stringify([item.hint.phoneNumberId, item.hint.session, item.claim?.wabaId]);
    const group = numbers.get(key) ?? { item, entries: new Set<string>() };
    group.entries.add(item.entry.id);
    numbers.set(key, group);
  }
  const [holder, another] = new Set(holders);
  for (const { item, entries } of numbers.values()) {
    const { phoneNumberId, displayPhone, session } = item.hint;
    if (holder !== undefined && another === undefined && phoneNumberId !== null) {
      inv.remedy({ do: 'edit_connection', connection: holder, phoneNumberId });
      continue;
    }
    inv.remedy(
      phoneNumberId === null && (displayPhone === null || item.entry.provider === 'baileys')
        ? {
            do: 'name_connection',
            session,
            ...inv.ownersOf(item),
            entries: entries.size,
          }
        : { do: 'add_connection', phoneNumberId, displayPhone, entries: entries.size },
    );
  }
  const others = pending.filter(({ reason }) => reason === 'not_replayed' || reason === 'other_connection');
  if (others.length > 0) {
    inv.remedy({ do: 'replay_pending', entries: new Set(others.map(({ item }) => item.entry.id)).size });
  }
}
